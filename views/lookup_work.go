package views

import (
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// CaseWork is what colleagues keep about a case beside the answer.
type CaseWork struct {
	Owner      uuid.UUID // zero: nobody's
	Tags       []lookup.Tag
	Notes      []CaseNote // newest first
	Colleagues []auth.User
	Known      []lookup.Tag // what the environment has, as suggestions
	Typed      map[string]string
	Err        map[string]Note // by field: reference, owner, tag, note
}

// CaseNote is what somebody wrote down about a case.
type CaseNote struct {
	UID    uuid.UUID
	At     time.Time
	Author string
	Text   string
}

// MaxReference and MaxNote are the longest own reference and the longest note, in characters; the schema repeats them.
const (
	MaxReference = 80
	MaxNote      = 4000
)

func (v CasePage) ownedByMe() bool { return v.Work.Owner == v.User.UID && v.Work.Owner != uuid.Nil }

func (v CasePage) typed(field, otherwise string) string {
	if text, ok := v.Work.Typed[field]; ok {
		return text
	}
	return otherwise
}

func (v CasePage) colleagues() []Option {
	options := []Option{{Value: "", Word: v.T("work.owner.nobody")}}
	for _, u := range v.Work.Colleagues {
		options = append(options, Option{Value: u.UID.String(), Word: u.Name})
	}
	return options
}

func (v CasePage) ownerValue() string {
	if v.Work.Owner == uuid.Nil {
		return ""
	}
	return v.Work.Owner.String()
}

// tagList is the list of cases with a tag.
func tagList(t lookup.Tag) string { return FilterValues{Tag: t.UID.String()}.url() }

// TagsPage is where an administrator keeps the tags in order.
type TagsPage struct {
	Page
	Tags  []TagUse
	Typed string    // the name that was refused
	Of    uuid.UUID // of which tag
	Err   Note      // why
}

// TagUse is a tag and how many lookups have it, counted up to WaitingCap.
type TagUse struct {
	lookup.Tag
	Lookups int
}
