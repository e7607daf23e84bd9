package views

import (
	"strings"
	"unicode/utf8"

	"cotejo/internal/lookup"
)

// FilterValues is a filter as the URL spells it, so that a refused value is shown again as typed.
type FilterValues struct {
	Actor    string
	Status   string
	Platform string
	Records  string
	From, To string // 2006-01-02
	Analyst  string // a user's UUID, like Owner
	Owner    string
	Source   string
	Dialect  string
	Tag      string // a tag's UUID
	Overdue  bool
	Detail   string
}

// pairs lists the filter in the order of its form.
func (v FilterValues) pairs() []struct{ name, value string } {
	overdue := ""
	if v.Overdue {
		overdue = "1"
	}
	return []struct{ name, value string }{
		{"actor", v.Actor}, {"status", v.Status}, {"detail", v.Detail}, {"records", v.Records}, {"platform", v.Platform},
		{"from", v.From}, {"to", v.To}, {"owner", v.Owner}, {"tag", v.Tag}, {"source", v.Source}, {"dialect", v.Dialect},
		{"analyst", v.Analyst}, {"overdue", overdue},
	}
}

// narrowed tells whether anything but the tab narrows the list.
func (v FilterValues) narrowed() bool {
	v.Actor = ""
	return v != FilterValues{}
}

// more counts the filters in use that fold away.
func (v FilterValues) more() (n int) {
	for _, value := range []string{v.Platform, v.Dialect, v.Source, v.Tag, v.Analyst} {
		if value != "" {
			n++
		}
	}
	if v.Overdue {
		n++
	}
	return n
}

// chip is one filter in use and the address of the list without it.
type chip struct{ Word, Without string }

func (v LookupsPage) chips() []chip {
	var chips []chip
	f := v.Values
	add := func(used bool, word string, drop func(*FilterValues)) {
		if used {
			without := f
			drop(&without)
			chips = append(chips, chip{word, without.url()})
		}
	}
	named := func(label, word string) string { return v.T(label) + ": " + word }
	add(f.Status != "", named("ui.status.label", statusWord(v.Page, lookup.Status(f.Status))), func(f *FilterValues) { f.Status = "" })
	add(f.Detail != "", named("lookups.filter.cause", v.detailWord()), func(f *FilterValues) { f.Detail = "" })
	add(f.Overdue, v.T("lookups.filter.overdue"), func(f *FilterValues) { f.Overdue = false })
	add(f.Records != "", named("lookups.filter.records", recordsWord(v.Page, f.Records)), func(f *FilterValues) { f.Records = "" })
	add(f.Platform != "", platformWord(v.Page, lookup.Platform(f.Platform)), func(f *FilterValues) { f.Platform = "" })
	add(f.Dialect != "", dialectWord(v.Page, lookup.Dialect(f.Dialect)), func(f *FilterValues) { f.Dialect = "" })
	add(f.From != "" || f.To != "", daysWord(v.Page, f.From, f.To), func(f *FilterValues) { f.From, f.To = "", "" })
	add(f.Owner != "", named("lookups.filter.owner", v.ownerName()), func(f *FilterValues) { f.Owner = "" })
	add(f.Tag != "", named("lookups.filter.tag", v.tagName()), func(f *FilterValues) { f.Tag = "" })
	add(f.Source != "", named("ui.source.label", v.T("ui.source."+string(orSource(lookup.Source(f.Source))))), func(f *FilterValues) { f.Source = "" })
	add(f.Analyst != "", named("ui.field.analyst", v.analystName(f.Analyst)), func(f *FilterValues) { f.Analyst = "" })
	return chips
}

// detailWord names the cause by which the list is narrowed.
func (v LookupsPage) detailWord() string {
	code := v.Values.Detail
	if code == lookup.NoDetail {
		return v.T("overview.failures.no_reason")
	}
	if d := v.P.Detail(code, v.Values.Platform); d.Known {
		return d.Title
	}
	return code
}

func (v LookupsPage) ownerName() string {
	if v.mine() {
		return v.T("lookups.filter.me")
	}
	return v.analystName(v.Values.Owner)
}

// mine tells whether the list is narrowed to the reader's own cases.
func (v LookupsPage) mine() bool { return v.Values.Owner == v.User.UID.String() }

// own is the list of the reader's own cases.
func (v LookupsPage) own() string {
	return FilterValues{Owner: v.User.UID.String()}.url()
}

func (v LookupsPage) tagName() string {
	for _, tag := range v.Tags {
		if tag.UID.String() == v.Values.Tag {
			return tag.Name
		}
	}
	return v.T("lookups.filter.gone")
}

func (v LookupsPage) analystName(id string) string {
	for _, user := range v.Analysts {
		if user.UID.String() == id {
			return user.Name
		}
	}
	return v.T("lookups.filter.gone")
}

func sourceOptions(p Page) []Option {
	options := make([]Option, len(lookup.Sources))
	for i, s := range lookup.Sources {
		options[i] = Option{Value: string(s), Word: p.T("ui.source." + string(s))}
	}
	return options
}

func tagOptions(tags []lookup.Tag) []Option {
	options := make([]Option, len(tags))
	for i, t := range tags {
		options[i] = Option{Value: t.UID.String(), Word: t.Name}
	}
	return options
}

// ownerOptions offers the reader first: "mine" is what is asked for most.
func ownerOptions(v LookupsPage) []Option {
	options := []Option{{Value: v.User.UID.String(), Word: v.T("lookups.filter.me")}}
	for _, o := range analystOptions(v.Analysts) {
		if o.Value != v.User.UID.String() {
			options = append(options, o)
		}
	}
	return options
}

// initials shortens a colleague's name to what fits into a row: the first letters of the first two words.
func initials(name string) string {
	var letters strings.Builder
	for i, word := range strings.Fields(name) {
		if i == 2 {
			break
		}
		r, _ := utf8.DecodeRuneInString(word)
		letters.WriteRune(r)
	}
	return strings.ToUpper(letters.String())
}
