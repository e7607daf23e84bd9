package views

import (
	"strings"
	"time"

	"cotejo/internal/lookup"
)

// AgainPage asks before a person is asked about again: what it would be, and what stands against it.
type AgainPage struct {
	Page
	UID       string
	Reference string
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	Next      lookup.Source // retry or refresh
	Number    int           // of the new attempt
	Limits    []lookup.Limit
	OpenOf    string // path of another lookup with an attempt under way, "" when none
	SuccessOf string // path of the lookup with the recent success, "" when it is this one or none
	Notice    string // version of the privacy notice under which a new consent would be taken
	Consent   bool   // as ticked
	Means     string // as chosen
	Errors    map[string]Note
	Changed   bool // the limits are not those that were confirmed
}

func (v AgainPage) path() string { return "/lookups/" + v.UID }

// needsConsent tells whether a new consent has to be recorded first.
func (v AgainPage) needsConsent() bool {
	for _, l := range v.Limits {
		if l.Kind == lookup.LimitConsent {
			return true
		}
	}
	return false
}

// impossible tells whether nothing on this page can make it possible.
func (v AgainPage) impossible() bool {
	for _, l := range v.Limits {
		if l.Weight == lookup.Barred && l.Kind != lookup.LimitConsent {
			return true
		}
	}
	return false
}

// gravest is the weight of what can be gone past.
func (v AgainPage) gravest() lookup.Weight {
	weight := lookup.Hint
	for _, l := range v.Limits {
		if l.Weight != lookup.Barred {
			weight = max(weight, l.Weight)
		}
	}
	return weight
}

// confirm is what the form sends: the limits that were shown and may be gone past.
func (v AgainPage) confirm() string {
	var kinds []string
	for _, l := range v.Limits {
		if l.Weight == lookup.Wasted || l.Weight == lookup.Refused {
			kinds = append(kinds, string(l.Kind))
		}
	}
	return strings.Join(kinds, ",")
}

// act is the word of the button: plain when nothing stands against it.
func (v AgainPage) act() string {
	switch {
	case v.gravest() == lookup.Refused:
		return v.T("again.act_refused")
	case v.gravest() == lookup.Wasted:
		return v.T("again.act_wasted")
	case v.Next == lookup.SourceRefresh:
		return v.T("ui.act.verify_again")
	}
	return v.T("ui.act.retry")
}

func (v AgainPage) title() string {
	if v.Next == lookup.SourceRefresh {
		return v.T("again.title_refresh")
	}
	return v.T("again.title_retry")
}

// limitMood is the kind of alert that a limit is shown as.
func limitMood(w lookup.Weight) string {
	switch w {
	case lookup.Barred, lookup.Refused:
		return "error"
	case lookup.Wasted:
		return "warn"
	}
	return ""
}

// limitText explains a limit: since when, until when, and in whose day.
func limitText(v AgainPage, l lookup.Limit) string {
	args := []any{"Source", platformWord(v.Page, v.Platform), "Vendor", dialectWord(v.Page, v.Dialect),
		"Since", v.P.DateTime(l.Since), "Until", v.P.DateTime(l.Until), "In", v.P.Span(max(l.Until.Sub(v.Now).Truncate(time.Minute), time.Minute))}
	id := "again.limit." + string(l.Kind) + "_body"
	if l.Kind == lookup.LimitRecentSuccess && l.Weight == lookup.Wasted {
		id = "again.limit.recent_success_wasted"
	}
	return v.T(id, args...)
}
