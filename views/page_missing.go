package views

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

// MissingPage shows the attempts of which no webhook told an outcome: by age, by hour, by subscription, and one by one.
type MissingPage struct {
	Page
	Since      time.Time // from when on attempts are looked at
	Ages       []MissingAge
	Hours      []lookup.SourceHour // of the last 24 hours, summed over sources by the page
	HooksHeard []MissingHook       // of the last 24 full hours
	Rows       []MissingRow
	Settled    string // the filter in use: asking, expired, nothing; "" for all
	Dialect    string
	After      string
	Before     string
	Dialects   []lookup.Dialect // that have a connection
}

// MissingAge counts the unheard of one stretch of age.
type MissingAge struct {
	From, To                time.Duration // To is 0 for the oldest
	Asked, Expired, Nothing int64
	Young                   bool // still within the expected time: nothing is missing yet
}

// All is how many they are.
func (a MissingAge) All() int64 { return a.Asked + a.Expired + a.Nothing }

// MissingHook is what one subscription delivered of what it should have.
type MissingHook struct {
	Name           string
	UID            uuid.UUID
	Dialect        lookup.Dialect
	Active         bool
	Started, Heard int64
}

// MissingRow is one attempt.
type MissingRow struct {
	Lookup    uuid.UUID
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	SentAt    time.Time
	Status    lookup.Status
	SettledBy lookup.SettledBy
	AskedAt   time.Time
	Asks      int
	Number    int
}

// MissingSettled are the values of the filter.
var MissingSettled = []string{"nothing", "asking", "expired"}

func settledWord(p Page, by lookup.SettledBy) string {
	if by == lookup.SettledNot {
		return p.T("missing.settled.nothing")
	}
	if id := "missing.settled." + string(by); p.P.Has(id) {
		return p.T(id)
	}
	return string(by)
}

func settledMark(by lookup.SettledBy) string {
	switch by {
	case lookup.SettledAsking:
		return "accepted"
	case lookup.SettledExpired:
		return "expired"
	}
	return "pending"
}

func (v MissingPage) url() string {
	q := url.Values{}
	if v.Settled != "" {
		q.Set("settled", v.Settled)
	}
	if v.Dialect != "" {
		q.Set("dialect", v.Dialect)
	}
	if len(q) == 0 {
		return "/missing"
	}
	return "/missing?" + q.Encode()
}

func (v MissingPage) links() PageLinks {
	with := func(key, cursor string) string {
		if cursor == "" {
			return ""
		}
		u, _ := url.Parse(v.url())
		q := u.Query()
		q.Set(key, cursor)
		return "/missing?" + q.Encode()
	}
	return PageLinks{Newer: with("before", v.Before), Older: with("after", v.After), Rows: len(v.Rows)}
}

// ageWords writes a stretch of age.
func (v MissingPage) ageWords(a MissingAge) string {
	switch {
	case a.Young:
		return v.T("missing.age.young", "To", v.P.Span(a.To))
	case a.To == 0:
		return v.T("missing.age.over", "From", v.P.Span(a.From))
	}
	return v.T("missing.age.between", "From", v.P.Span(a.From), "To", v.P.Span(a.To))
}

// missingHours are the last 24 clock hours, the newest first, with what was sent in them; empty ones are left out.
func (v MissingPage) missingHours() (list []lookup.SourceHour) {
	at := map[time.Time]int{}
	for _, h := range v.Hours {
		i, known := at[h.Hour]
		if !known {
			i = len(list)
			at[h.Hour] = i
			list = append(list, lookup.SourceHour{Hour: h.Hour})
		}
		list[i].Add(h.Tally)
	}
	slices.SortFunc(list, func(a, b lookup.SourceHour) int { return b.Hour.Compare(a.Hour) })
	return list
}

// share writes a part of a whole, "98.2 %"; of nothing there is no share.
func share(p Page, part, whole int64) string {
	if whole <= 0 {
		return p.T("sources.none")
	}
	tenths := part * 1000 / whole
	return p.T("format.percent", "Value", strconv.FormatInt(tenths/10, 10)+"."+strconv.FormatInt(tenths%10, 10))
}

func (v MissingPage) settledOptions() (options []Option) {
	for _, how := range MissingSettled {
		options = append(options, Option{Value: how, Word: v.T("missing.settled." + how)})
	}
	return options
}

func (v MissingPage) dialectOptions() (options []Option) {
	for _, d := range v.Dialects {
		options = append(options, Option{Value: string(d), Word: dialectWord(v.Page, d)})
	}
	return options
}

// WaitsForm is the form of how long vendors are waited for, as typed.
type WaitsForm struct {
	Values map[lookup.Dialect]WaitValues
	Errors map[string]Note // by dialect
}

// WaitValues are seconds until a vendor is asked, and minutes until the end.
type WaitValues struct{ Expected, Limit string }
