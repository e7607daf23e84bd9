package views

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/curp"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
)

// SearchPage is what a search found, or the box alone.
type SearchPage struct {
	Page
	ID           uuid.UUID // zero: nothing was asked yet
	Err          Note      // what is wrong with the text
	Gone         bool      // the search is over, or somebody else's
	Readings     []find.Reading
	Shown        find.Reading
	Chosen       bool        // the reader chose the reading
	Vain         []find.Kind // readings that were tried first and found nothing
	People       []FoundPerson
	Lookups      []lookup.Row
	Employers    []string
	ManyEmployer bool
	Before       string // opaque keys of the pages before and after, "" = none
	After        string
}

// FoundPerson is a person with the newest lookup of them.
type FoundPerson struct {
	UID                  uuid.UUID
	CURP, RFC, Name, NSS string
	AskedAt              time.Time
	Lookups              int
	Latest               lookup.Row // zero: nobody ever got to ask
}

// MaxCounted is up to how many lookups of a person are counted.
const MaxCounted = 100

// hits counts what the page shows.
func (v SearchPage) hits() int { return len(v.People) + len(v.Lookups) }

func (v SearchPage) url(as find.Kind, pair ...string) string {
	path := "/search/" + v.ID.String() + "?as=" + string(as)
	if len(pair) == 2 {
		path += "&" + pair[0] + "=" + pair[1]
	}
	return path
}

func (v SearchPage) links() PageLinks {
	links := PageLinks{Rows: v.hits()}
	if v.Before != "" {
		links.Newer = v.url(v.Shown.Kind, "before", v.Before)
	}
	if v.After != "" {
		links.Older = v.url(v.Shown.Kind, "after", v.After)
	}
	return links
}

// others are the readings that the reader may choose instead.
func (v SearchPage) others() []find.Reading {
	return slices.DeleteFunc(slices.Clone(v.Readings), func(r find.Reading) bool { return r.Kind == v.Shown.Kind })
}

// understood says how the text was read. An identifier is masked as it is everywhere else.
func (v SearchPage) understood() string {
	r := v.Shown
	what := r.Key
	switch r.Kind {
	case find.CURP, find.RFC, find.NSS:
		what = maskTyped(r)
	case find.Name, find.Employer:
		what = "“" + strings.Join(r.Words, " ") + "”"
	case find.Reference:
		what = "“" + r.Key + "”"
	}
	id := "search.as." + string(r.Kind)
	if !r.Whole && (r.Kind == find.CURP || r.Kind == find.RFC || r.Kind == find.NSS) {
		id = "search.begins." + string(r.Kind)
	}
	return v.T(id, "What", what)
}

// maskTyped masks an identifier of which the end may be missing.
func maskTyped(r find.Reading) string {
	switch {
	case r.Whole && r.Kind == find.CURP:
		return curp.Mask(r.Key)
	case r.Whole && r.Kind == find.RFC:
		return curp.MaskRFC(r.Key)
	case r.Whole:
		return curp.MaskNSS(r.Key)
	}
	text := []rune(r.Key)
	shown := min(4, len(text))
	if r.Kind == find.NSS {
		shown = 0
	}
	return string(text[:shown]) + strings.Repeat("•", len(text)-shown)
}

// vainWords says which readings found nothing before this one.
func (v SearchPage) vainWords() string {
	var words []string
	for _, kind := range v.Vain {
		words = append(words, v.T("search.kind."+string(kind)))
	}
	return v.T("search.vain", "Kinds", strings.Join(words, ", "))
}

// employersWord names the employers that were found.
func (v SearchPage) employersWord() string { return strings.Join(v.Employers, " · ") }

func (v SearchPage) lookupsOf(p FoundPerson) string {
	if p.Lookups >= MaxCounted {
		return v.T("search.many_lookups", "Count", MaxCounted)
	}
	return v.T("search.lookups", "Count", p.Lookups)
}
