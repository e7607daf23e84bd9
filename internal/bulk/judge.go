package bulk

import (
	"strings"
	"time"
	"unicode/utf8"

	"cotejo/internal/lookup"
)

// MaxIdentifier is how much of a cell is kept that should be an identifier and is not.
const MaxIdentifier = 40

// Judge reads the rows under a layout and says of each what can be said from the file alone, by the rules of the form for
// one lookup. The error is a *Fault.
func (s *Sheet) Judge(l Layout, platform lookup.Platform, today time.Time) ([]Row, error) {
	entries, err := s.entries(l)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(entries))
	first := map[string]int{} // line, by identifier
	for i, e := range entries {
		r := &rows[i]
		*r = judge(e, platform, today)
		r.Number = i + 1
		if r.Verdict == Invalid {
			continue
		}
		if line, twice := first[r.Identifier]; twice {
			r.Verdict, r.Detail, r.Of = Duplicate, "", line
			continue
		}
		first[r.Identifier] = e.Line
	}
	return rows, nil
}

func judge(e entry, platform lookup.Platform, today time.Time) Row {
	r := Row{Line: e.Line, Reference: oneLine(plain(e.Reference)), Verdict: Send}
	form := lookup.Form{CURP: plain(e.Identifier), Platform: string(platform), Reference: r.Reference, Consent: true}
	check, problems, confirm := form.Check(today)
	r.Identifier = check.Text
	switch {
	case len(problems) > 0:
		r.Verdict, r.Detail = Invalid, problems[0].ID
		r.Identifier = clip(oneLine(r.Identifier), MaxIdentifier)
		r.Reference = clip(r.Reference, lookup.MaxReference)
	case confirm:
		r.Verdict, r.Detail = Doubtful, check.Headline.ID
	}
	return r
}

// plain takes off what spreadsheets put around a cell to keep it text: ="…" and a leading apostrophe, the one that our
// own exports put there included.
func plain(cell string) string {
	cell = strings.TrimSpace(cell)
	if inner, is := strings.CutPrefix(cell, `="`); is && strings.HasSuffix(inner, `"`) {
		return inner[:len(inner)-1]
	}
	return strings.TrimPrefix(cell, "'")
}

func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// Reason gives what Row.Detail says with what fills its sentence, as of the day on which the row was judged.
func (r Row) Reason(platform lookup.Platform, day time.Time) lookup.Problem {
	form := lookup.Form{CURP: r.Identifier, Platform: string(platform), Consent: true}
	check, problems, _ := form.Check(day)
	for _, p := range problems {
		if p.ID == r.Detail {
			return p
		}
	}
	if check.Headline.ID == r.Detail {
		return lookup.Problem{ID: r.Detail, Args: check.Headline.Args}
	}
	if r.Detail == "lookups.form.reference_long" {
		return lookup.Problem{ID: r.Detail, Args: []any{"Max", lookup.MaxReference}}
	}
	return lookup.Problem{}
}

// Weigh says what is known of a row's person that speaks against asking now. The gravest reason decides; Send means that
// nothing does.
func Weigh(p lookup.Past, now time.Time) Verdict {
	p.ConsentEnds = now.Add(time.Hour) // consent is taken when the bulk is sent
	for _, l := range lookup.Limits(p, now) {
		switch l.Kind {
		case lookup.LimitOpen:
			return Open
		case lookup.LimitDaily:
			return Limit
		case lookup.LimitRecentSuccess:
			return Recent
		}
	}
	return Send
}

// Code is the reason of an invalid or doubtful row as one word for programs: the last part of its message id.
func (r Row) Code() string {
	return r.Detail[strings.LastIndexByte(r.Detail, '.')+1:]
}
