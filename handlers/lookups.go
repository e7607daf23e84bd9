package handlers

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// listRows is how many rows a page of a list shows.
const listRows = 50

func (c *Console) lookups(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	page := c.page(w, r, "lookups", "ui.nav.lookups")
	query := r.URL.Query()
	values, filter := lookupFilter(query)
	rows, newer, older, err := c.DB.Lookups(r.Context(), v.env, filter, pageOf(query, listRows), v.printer.Zone())
	if err != nil {
		return failed(err)
	}
	counts, err := c.DB.ActorCounts(r.Context(), v.env, views.WaitingCap)
	if err != nil {
		return failed(err)
	}
	analysts, err := c.DB.Users(r.Context())
	if err != nil {
		return failed(err)
	}
	analysts = slices.DeleteFunc(analysts, func(u auth.User) bool { return !u.Role.May(auth.PowerRequest) })
	tags, err := c.DB.Tags(r.Context(), v.env)
	if err != nil {
		return failed(err)
	}
	list := views.LookupsPage{Page: page, Rows: rows, Values: values, Analysts: analysts, Tags: tags, ActorCounts: counts}
	if list.Form, err = c.emptyForm(r); err != nil {
		return err
	}
	list.Before, list.After = ends(rows, newer, older, func(l lookup.Row) lookup.Cursor { return lookup.Cursor{At: l.RequestedAt, ID: l.ID} })
	return web.Render(w, r, http.StatusOK, views.Lookups(list))
}

// lookupFilter reads the list's filter from its address. A value outside its set narrows nothing.
func lookupFilter(q url.Values) (views.FilterValues, lookup.Filter) {
	var f lookup.Filter
	if actor := lookup.Actor(q.Get("actor")); slices.Contains(lookup.Actors, actor) {
		f.Actor = actor
	}
	if status := lookup.Status(q.Get("status")); status.Known() {
		f.Status = status
	}
	if platform := lookup.Platform(q.Get("platform")); platform.Requestable() || platform == lookup.AllSources {
		f.Platform = platform
	}
	if records := lookup.PullState(q.Get("records")); slices.Contains(lookup.PullStates, records) {
		f.Records = records
	}
	f.From, f.To = day(q.Get("from")), day(q.Get("to"))
	if source := lookup.Source(q.Get("source")); slices.Contains(lookup.Sources, source) {
		f.Source = source
	}
	if dialect := lookup.Dialect(q.Get("dialect")); dialect.Known() {
		f.Dialect = dialect
	}
	// The set of details is the vendor's and open; a text that is no code is none of them.
	if detail := q.Get("detail"); detailCode.MatchString(detail) {
		f.Detail = detail
	}
	f.Overdue = q.Get("overdue") == "1"
	values := views.FilterValues{Actor: string(f.Actor), Status: string(f.Status), Platform: string(f.Platform), Records: string(f.Records),
		From: dayText(f.From), To: dayText(f.To), Source: string(f.Source), Dialect: string(f.Dialect), Detail: f.Detail, Overdue: f.Overdue}
	for name, to := range map[string]struct {
		id   *uuid.UUID
		text *string
	}{"analyst": {&f.Analyst, &values.Analyst}, "owner": {&f.Owner, &values.Owner}, "tag": {&f.Tag, &values.Tag}} {
		if id, err := uuid.Parse(q.Get(name)); err == nil && id != uuid.Nil {
			*to.id, *to.text = id, id.String()
		}
	}
	return values, f
}

// detailCode is the form of a vendor's status_details and of ours.
var detailCode = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)

func day(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1900 || day.Year() > 9999 {
		return time.Time{}
	}
	return day
}

func dayText(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

// A cursor travels as opaque text: microseconds and id, which is all that PostgreSQL keeps of a time.
func cursorText(c lookup.Cursor) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(c.At.UnixMicro()))
	binary.BigEndian.PutUint64(b[8:], uint64(c.ID))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ends gives the cursors of a page's first and last row, "" where there is nothing beyond.
func ends[T any](rows []T, newer, older bool, at func(T) lookup.Cursor) (before, after string) {
	if newer && len(rows) > 0 {
		before = cursorText(at(rows[0]))
	}
	if older && len(rows) > 0 {
		after = cursorText(at(rows[len(rows)-1]))
	}
	return before, after
}

func cursorOf(text string) lookup.Cursor {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 16 {
		return lookup.Cursor{}
	}
	micros := int64(binary.BigEndian.Uint64(b[:8]))
	if micros < 0 || micros > maxMicros {
		return lookup.Cursor{}
	}
	return lookup.Cursor{At: time.UnixMicro(micros), ID: int64(binary.BigEndian.Uint64(b[8:]))}
}

var maxMicros = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func pageOf(q url.Values, limit int) lookup.Page {
	return lookup.Page{After: cursorOf(q.Get("after")), Before: cursorOf(q.Get("before")), Limit: limit}
}

// emptyForm offers what the environment's connections can ask, and chooses what this user asked last, else the oldest
// connection's first source.
func (c *Console) emptyForm(r *http.Request) (views.NewLookupForm, error) {
	v := visitOf(r)
	form := views.NewLookupForm{Notice: v.Console.NoticeVersion, Env: v.env}
	connections, err := c.DB.Connections(r.Context(), v.env)
	if err != nil {
		return form, failed(err)
	}
	for _, conn := range connections {
		platforms := []lookup.Platform{lookup.IMSS, lookup.ISSSTE}
		if conn.Dialect == lookup.Buro {
			platforms = []lookup.Platform{lookup.AllSources}
		}
		for _, platform := range platforms {
			form.Sources = append(form.Sources, views.SourceChoice{Platform: platform, Dialect: conn.Dialect, Name: conn.Name, Paused: conn.Paused()})
		}
	}
	if len(connections) < 2 {
		return form, nil
	}
	last, _, _, err := c.DB.Lookups(r.Context(), v.env, lookup.Filter{Analyst: v.User.UID}, lookup.Page{Limit: 1}, v.printer.Zone())
	if err != nil {
		return form, failed(err)
	}
	oldest := slices.MinFunc(connections, func(a, b connection.Connection) int { return cmp.Compare(a.ID, b.ID) })
	for _, s := range form.Sources {
		if len(last) > 0 && s.Platform == last[0].Platform || len(last) == 0 && s.Dialect == oldest.Dialect {
			form.Values.Platform = string(s.Platform)
			break
		}
	}
	return form, nil
}

func (c *Console) newLookup(w http.ResponseWriter, r *http.Request) error {
	form, err := c.emptyForm(r)
	if err != nil {
		return err
	}
	page := c.page(w, r, "new", "lookups.form.title")
	return web.Render(w, r, http.StatusOK, views.NewLookup(views.NewLookupPage{Page: page, Form: form}))
}

// today is the reader's, as the date of a civil calendar: a CURP's birth date has no zone.
func (c *Console) today(r *http.Request) time.Time {
	now := c.Now().In(visitOf(r).printer.Zone())
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
}

// checkCURP says what a CURP means while it is typed. The CURP comes in the body: it belongs in no address.
func (c *Console) checkCURP(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	typed := lookup.Form{CURP: form.Get("curp"), Platform: form.Get("platform")}
	check := curp.Explain(typed.CURP, c.today(r))
	if typed.Dialect() == lookup.Buro {
		check = typed.Explain(c.today(r))
	}
	return web.Render(w, r, http.StatusOK, views.CURPCheck(c.page(w, r, "new", ""), check))
}

func (c *Console) requestLookup(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	typed := lookup.Form{CURP: form.Get("curp"), Platform: form.Get("platform"), Reference: form.Get("external_id"),
		Consent: form.Bool("consent"), Means: form.Get("means"), Confirm: form.Get("confirm")}
	check, problems, confirm := typed.Check(c.today(r))
	if len(problems) > 0 || confirm {
		return c.showForm(w, r, typed, check, problems, confirm)
	}
	var number curp.CURP
	var rfc string
	if check.IsRFC {
		rfc = check.Text
	} else if number, err = curp.Parse(typed.CURP); err != nil {
		return err // Check has judged it already
	}
	v := visitOf(r)
	now := c.Now()
	uid, err := c.DB.RequestLookup(r.Context(), db.NewLookup{
		Environment: v.env, Dialect: typed.Dialect(), CURP: number, RFC: rfc, Platform: lookup.Platform(typed.Platform),
		Reference: typed.Reference, Source: lookup.SourceForm,
		Consent: consent.Record{
			GivenAt: now, ExpiresAt: now.AddDate(0, 0, v.Console.ConsentDays), NoticeVersion: v.Console.NoticeVersion,
			Means: meansOr(typed.Means), Purpose: consent.PurposeCredit, IP: v.actor.IP,
		},
	}, v.actor)
	if errors.Is(err, db.ErrNoConnection) {
		problem := lookup.Problem{Field: "", ID: "lookups.form.no_connection." + string(typed.Dialect())}
		return c.showForm(w, r, typed, check, []lookup.Problem{problem}, false)
	} else if err != nil {
		return failed(err)
	}
	return web.Redirect303(w, r, "/lookups/"+uid.String())
}

// meansOr reads how consent was given; a script that does not say gave it the way scripts can.
func meansOr(means string) string {
	if consent.KnownMeans(means) {
		return means
	}
	return "web"
}

func (c *Console) showForm(w http.ResponseWriter, r *http.Request, typed lookup.Form, check curp.Check, problems []lookup.Problem, confirm bool) error {
	form, err := c.emptyForm(r)
	if err != nil {
		return err
	}
	form.Values, form.Confirm, form.Errors = typed, confirm, map[string]views.Note{}
	if check.Text != "" {
		form.Check = &check
	}
	for _, p := range problems {
		form.Errors[p.Field] = views.Note{ID: p.ID, Args: p.Args}
	}
	page := c.page(w, r, "new", "lookups.form.title")
	if web.IsPartial(r) {
		return web.Invalid(w, r, views.LookupForm(page, form))
	}
	return web.Invalid(w, r, views.NewLookup(views.NewLookupPage{Page: page, Form: form}))
}
