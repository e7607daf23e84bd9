package views

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/report"
)

// Report puts a lookup into words for paper, with the figures as of the page's date. id is the report's own reference; the
// text shows CURP and NSS in full, so whoever asks for one needs the power to export, and is on the audit trail.
func Report(v CasePage, id uuid.UUID) report.Document {
	r := paper{CasePage: v, sources: &sourceList{}}
	what := v.T("report.what", "Source", platformWord(v.Page, v.Case.Platform), "Vendor", dialectWord(v.Page, v.Case.Dialect))
	d := report.Document{
		Title:   v.T("report.title", "Lookup", short(v.Case.UID)),
		Author:  v.Institution,
		At:      v.Now,
		Head:    report.Head{Kicker: strings.TrimPrefix(v.Institution+" · "+v.T("report.kicker"), " · "), Title: v.name(), Line: what},
		Running: v.name() + " · " + what,
		Foot:    v.T("report.foot", "Report", id, "Lookup", v.Case.UID, "When", v.P.DateTime(v.Now), "Who", v.User.Name),
		PageOf:  func(page, pages int) string { return v.T("report.page", "Page", page, "Pages", pages) },
		Boxes:   v.T("report.boxes"),
	}
	if v.Sandbox() {
		d.Mark = v.T("report.sandbox")
	}
	d.Sections = append(d.Sections, r.person(), r.consent(), r.state())
	d.Sections = append(d.Sections, r.figureSections()...)
	d.Sections = append(d.Sections, r.jobs()...)
	d.Sections = append(d.Sections, r.weeks()...)
	d.Sections = append(d.Sections, r.movements()...)
	d.Sections = append(d.Sections, r.entities()...)
	d.Sections = append(d.Sections, r.hints()...)
	d.Sections = append(d.Sections, r.notes()...)
	d.Sections = append(d.Sections, r.sourceSection())
	return d
}

// paper is a case on its way to a report: it numbers the sources as they are first named.
type paper struct {
	CasePage
	sources *sourceList
}

// reportSource is one row of the table of sources.
type reportSource struct {
	key    string
	what   string
	more   []string
	id     string
	at     time.Time
	sha256 string // hex, "" where there are no bytes to hash
}

type sourceList struct{ list []reportSource }

// number gives the mark of a source, "[2]", adding it when it is named for the first time.
func (l *sourceList) number(s reportSource) string {
	for i, known := range l.list {
		if known.key == s.key {
			return "[" + strconv.Itoa(i+1) + "]"
		}
	}
	l.list = append(l.list, s)
	return "[" + strconv.Itoa(len(l.list)) + "]"
}

// pull is the mark of a response of the vendor, "" when there is none.
func (r paper) pull(word string, n PullNote) string {
	if !n.Is() {
		return ""
	}
	s := reportSource{key: n.UID.String(), what: r.T("report.source.pull", "What", word, "Source", platformWord(r.Page, r.Case.Platform), "Vendor", dialectWord(r.Page, r.Case.Dialect)),
		id: n.UID.String(), at: n.FetchedAt, sha256: n.SHA256, more: []string{r.T("report.source.http", "Status", n.HTTPStatus, "Size", r.P.Bytes(n.Size))}}
	if n.Pages > 1 {
		s.more = append(s.more, r.T("report.source.pages", "Count", n.Pages))
	}
	if n.Delivery != uuid.Nil {
		s.more = append(s.more, r.T("report.source.caused", "Delivery", n.Delivery))
	}
	return r.sources.number(s)
}

func (r paper) profileRef() string { return r.pull(r.T("lookups.origin.profile"), r.ProfilePull) }

func (r paper) employmentRef() string {
	return r.pull(r.T("lookups.origin.employment"), r.EmploymentPull)
}

// requestRef is the mark of what was asked, which Cotejo itself recorded.
func (r paper) requestRef() string {
	return r.sources.number(reportSource{key: "request", what: r.T("report.source.request"), id: r.Case.UID.String(), at: r.Case.RequestedAt})
}

// statusRef is the mark of what told the outcome: a delivery, or the answer to our own question.
func (r paper) statusRef() string {
	var told lookup.Moment
	for _, m := range r.attempt().Story {
		if m.Kind == lookup.MomentStatus || m.Kind == lookup.MomentAsked || m.Kind == lookup.MomentRefused {
			told = m
		}
	}
	if told.At.IsZero() {
		return r.requestRef()
	}
	if told.Delivery == uuid.Nil {
		return r.sources.number(reportSource{key: "asked", what: r.T("report.source.asked"), id: r.attempt().UID.String(), at: told.At})
	}
	s := reportSource{key: told.Delivery.String(), what: r.T("report.source.delivery"), id: told.Delivery.String(), at: told.At}
	for _, d := range r.Deliveries {
		if d.UID == told.Delivery {
			s.at, s.sha256 = d.ReceivedAt, hex.EncodeToString(d.SHA256)
		}
	}
	return r.sources.number(s)
}

// origin is the line below a title that says where the facts come from: source, time and reference.
func (r paper) origin(ref string, n PullNote) string {
	if ref == "" {
		return ""
	}
	return r.T("report.origin", "Ref", ref, "Source", platformWord(r.Page, r.Case.Platform), "Vendor", dialectWord(r.Page, r.Case.Dialect),
		"When", r.P.DateTime(n.FetchedAt), "Pull", short(n.UID), "Digest", digest(n.SHA256))
}

func short(id uuid.UUID) string { return id.String()[:8] }

func (r paper) person() report.Section {
	asked := r.requestRef()
	s := report.Section{Title: r.T("report.person")}
	add := func(label, value, ref string, mono bool) {
		if value != "" {
			s.Facts = append(s.Facts, report.Fact{Label: label, Value: value, Ref: ref, Mono: mono})
		}
	}
	add(r.T("ui.field.curp"), r.Case.CURP, asked, true)
	add(r.T("ui.field.rfc"), r.Case.RFC, asked, true)
	if p := r.Profile; p != nil {
		ref := r.profileRef()
		s.Source = r.origin(ref, r.ProfilePull)
		add(r.T("ui.field.name"), p.FullName(), ref, false)
		add(r.T("ui.field.nss"), p.NSS(), ref, true)
		if p.RFC() != r.Case.RFC {
			add(r.T("ui.field.rfc"), p.RFC(), ref, true)
		}
		add(r.T("ui.field.birth"), r.birth(), ref, false)
		add(r.T("ui.field.email"), p.Email, ref, false)
		add(r.T("ui.field.phone"), p.Phone, ref, false)
		for _, id := range r.otherIDs() {
			add(orElse(id.Name, id.Type), id.Value, ref, true)
		}
		for _, cell := range r.ProfileMore {
			add(labelWord(r.Page, cell.Label), cellWord(r.Page, r.ProfileMore, cell.Label), ref, false)
		}
	} else {
		s.Foot = []string{r.noProfile()}
	}
	add(r.T("lookups.case.reference"), r.Case.Reference, asked, false)
	add(r.T("lookups.case.requested_by"), r.T("report.by_at", "Who", r.Case.RequestedBy, "When", r.P.DateTime(r.Case.RequestedAt)), asked, false)
	return s
}

func (r paper) birth() string {
	if r.Profile.Birthday.IsZero() {
		return ""
	}
	return r.P.Date(r.Profile.Birthday) + ", " + ageWord(r.Page, r.Profile.Birthday, r.Now)
}

func (r paper) consent() report.Section {
	s := report.Section{Title: r.T("lookups.consent.title")}
	c := r.Case.Consent
	if c.GivenAt.IsZero() {
		s.Text = []string{r.T("lookups.case.consent_none")}
		return s
	}
	ref := r.sources.number(reportSource{key: "consent", what: r.T("report.source.consent"), id: r.Case.UID.String(), at: c.GivenAt})
	for _, f := range [][2]string{
		{r.T("lookups.consent.given"), r.P.DateTime(c.GivenAt)}, {r.expiryLabel(), r.P.DateTime(c.ExpiresAt)},
		{r.T("lookups.consent.notice"), c.NoticeVersion}, {r.T("lookups.consent.means"), meansWord(r.Page, c.Means)},
		{r.T("lookups.consent.recorded"), c.RecordedBy},
	} {
		s.Facts = append(s.Facts, report.Fact{Label: f[0], Value: f[1], Ref: ref})
	}
	return s
}

// state keeps status, detail, warning and completeness apart, as the page does.
func (r paper) state() report.Section {
	ref := r.statusRef()
	s := report.Section{Title: r.T("lookups.case.state")}
	words := r.CasePage.state()
	s.Facts = append(s.Facts, report.Fact{Label: r.T("report.status"), Value: statusWord(r.Page, r.status()), Beside: sentence(words.Head) + " " + words.Text, Ref: ref})
	detail := report.Fact{Label: r.T("ui.field.detail"), Value: r.T("lookups.case.detail_none"), Ref: ref}
	if code := r.Case.State.Detail; code != "" {
		detail.Value = code
		if d := r.P.Detail(code, string(r.Case.Platform)); d.Known {
			detail.Beside = sentence(d.Title) + " " + d.Meaning
		}
	}
	warning := report.Fact{Label: r.T("ui.field.warning"), Value: r.T("lookups.case.warning_none"), Ref: ref}
	if d, ok := r.warning(); ok {
		warning.Value = r.Case.State.Warning
		if d.Known {
			warning.Beside = sentence(d.Title) + " " + d.Meaning
		}
	}
	s.Facts = append(s.Facts, detail, warning,
		report.Fact{Label: r.T("ui.pull.profile.label"), Value: r.pullWords("profile", r.Case.Profile), Ref: r.profileRef()},
		report.Fact{Label: r.T("ui.pull.employment.label"), Value: r.pullWords("employment", r.Case.Employment), Ref: r.employmentRef()},
		report.Fact{Label: r.T("lookups.story.title", "Number", r.attempt().Number), Value: r.T("ui.source." + string(orSource(r.attempt().Source))), Ref: r.requestRef()})
	return s
}

// sourceSection lists every source that a mark led to, with its exact time and hash.
func (r paper) sourceSection() report.Section {
	t := &report.Table{Columns: []report.Column{{Title: r.T("report.source.number"), Width: 6}, {Title: r.T("report.source.title"), Width: 36},
		{Title: r.T("report.source.at"), Width: 19}, {Title: r.T("report.source.digest"), Width: 39, Mono: true}}}
	for i, s := range r.sources.list {
		sum := s.sha256
		if sum == "" {
			sum = r.T("report.source.own")
		}
		t.Rows = append(t.Rows, []report.Cell{{Text: "[" + strconv.Itoa(i+1) + "]", Bold: true}, {Text: s.what, Sub: append([]string{s.id}, s.more...)},
			{Text: r.P.DateTime(s.at), Sub: []string{s.at.UTC().Format(time.RFC3339)}}, {Text: sum}})
	}
	return report.Section{Title: r.T("report.sources"), Text: []string{r.T("report.check")}, Table: t}
}
