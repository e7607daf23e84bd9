package db_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/connection"
	"cotejo/internal/curp"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

const company = "TNX9804159P9" // one of the sandbox's

// buro adds a connection to the second vendor, with its hook.
func (b *bench) buro(env lookup.Environment) (connection.Connection, db.Subscription) {
	b.t.Helper()
	c, err := b.SaveConnection(b.ctx, connection.Connection{Environment: env, Dialect: lookup.Buro, Name: "Buró",
		BaseURL: "https://buro-" + string(env) + ".example", CallsPerMinute: 120, SandboxHeader: env == lookup.Sandbox}, "buro_key_of_"+string(env), b.by)
	b.must(err)
	token := "buro token of " + string(env)
	_, err = b.AddSubscription(b.ctx, c, "hook", token, []string{"*"})
	b.must(err)
	s, err := b.SubscriptionByToken(b.ctx, token)
	b.must(err)
	return c, s
}

// verified is a lookup at the second vendor whose attempt it took up under id.
func (b *bench) verified(n db.NewLookup, id string) made {
	b.t.Helper()
	n.Dialect, n.Platform = lookup.Buro, lookup.AllSources
	uid, err := b.RequestLookup(b.ctx, n, b.by)
	b.must(err)
	m := made{uid: uid}
	b.must(b.Pool().QueryRow(b.ctx, `select l.id, a.id, a.uid from lookups l join attempts a on a.lookup_id = l.id where l.uid = $1`, uid).
		Scan(&m.id, &m.attempt, &m.attemptUID))
	b.must(b.AttemptTaken(b.ctx, m.attempt, db.Taken{AccountID: id}))
	return m
}

func completed(id, key string, entities ...lookup.Entity) webhook.Event {
	return webhook.Event{Dialect: lookup.Buro, Action: "verification.completed", AccountID: id, Key: key, Dated: true, Entities: entities,
		Report: lookup.Report{Phase: lookup.PhaseSucceeded}}
}

func TestConnectionsOfAnEnvironment(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c, _ := b.buro(lookup.Sandbox)
	list, err := b.Connections(b.ctx, lookup.Sandbox)
	b.must(err)
	if len(list) != 2 || list[0].ID != b.sandbox.ID || list[1].ID != c.ID || !list[1].SandboxHeader || list[0].SandboxHeader {
		t.Errorf("connections: %+v", list)
	}
	if list, err = b.Connections(b.ctx, lookup.Production); err != nil || len(list) != 1 {
		t.Errorf("production has %d, %v", len(list), err)
	}
	c.SandboxHeader = false
	if c, err = b.SaveConnection(b.ctx, c, "", b.by); err != nil || c.SandboxHeader {
		t.Errorf("the header stays on: %v", err)
	}
	b.refused(checkViolation, `update connections set sandbox_header = true where dialect = 'palenca'`)
	// The connection wins over the dialect, and one of the other environment is none.
	n := newLookup(t, lookup.Sandbox, alejandro)
	n.Connection = c.UID
	uid, err := b.RequestLookup(b.ctx, n, b.by)
	b.must(err)
	if d := value[string](b, `select c.dialect from lookups l join connections c on c.id = l.connection_id where l.uid = $1`, uid); d != "buro" {
		t.Errorf("asked at %s", d)
	}
	n.Connection = b.production.UID
	if _, err := b.RequestLookup(b.ctx, n, b.by); !errors.Is(err, db.ErrNoConnection) {
		t.Errorf("a connection of production in the sandbox: %v", err)
	}
}

func TestExactlyOneIdentifier(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	n := newLookup(t, lookup.Sandbox, alejandro)
	for name, change := range map[string]func(*db.NewLookup){
		"both":           func(n *db.NewLookup) { n.Dialect, n.RFC = lookup.Buro, company },
		"none":           func(n *db.NewLookup) { n.Dialect, n.CURP = lookup.Buro, curp.CURP{} },
		"RFC at Palenca": func(n *db.NewLookup) { n.CURP, n.RFC = curp.CURP{}, company },
	} {
		bad := n
		change(&bad)
		if _, err := b.RequestLookup(b.ctx, bad, b.by); !errors.Is(err, db.ErrIdentifier) {
			t.Errorf("%s: %v", name, err)
		}
	}
	n.CURP, n.RFC = curp.CURP{}, company
	first, second := b.verified(n, "v1"), b.verified(n, "v2")
	if people := value[int](b, `select count(*) from people where rfc = $1`, company); people != 1 {
		t.Errorf("one RFC makes %d people", people)
	}
	e, err := b.Errand(b.ctx, first.attempt)
	b.must(err)
	row, err := b.LookupRow(b.ctx, second.id)
	b.must(err)
	if e.Identifier() != company || e.Dialect != lookup.Buro || row.RFC != company || row.CURP != "" || row.Identifier() != company {
		t.Errorf("errand %+v, row %+v", e, row)
	}
	if got, err := b.Reveal(b.ctx, lookup.Sandbox, first.uid, audit.RFCRevealed, b.by); err != nil || got != company {
		t.Errorf("Reveal gives %q, %v", got, err)
	}
	b.request(lookup.Sandbox, alejandro)
	for _, sql := range []string{
		`update people set rfc = 'TNX9804159P9' where curp is not null`, `update people set rfc = null where rfc is not null`,
		`update people set rfc = lower(rfc) where rfc is not null`,
		`update people set rfc = 'XX9804159P9' where rfc is not null`,
	} {
		b.refused(checkViolation, sql)
	}
}

func TestNamedEntitiesAreFetched(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, hook := b.buro(lookup.Sandbox)
	m := b.verified(newLookup(t, lookup.Sandbox, alejandro), "v1")
	there := func(r *db.Receipt) { r.Subscription = hook }
	states := func() string {
		return value[string](b, `select concat_ws(' ', l.status, l.profile_state, l.employment_state,
			(select string_agg(name || '=' || state, ' ' order by name) from attempt_entities where attempt_id = $2)) from lookups l where l.id = $1`, m.id, m.attempt)
	}
	id := b.tell(completed("v1", "1", "employment", "invoices", "tax_\x00returns"), there)
	if got := states(); got != "success none fetching invoices=fetching tax_\uFFFDreturns=none" {
		t.Errorf("after an event that names three: %s", got)
	}
	if b.jobs("fetch_profile") != 0 || b.jobs("fetch_employment") != 1 || b.jobs("fetch_entity") != 1 {
		t.Error("what is fetched is not what was named")
	}
	if got := value[[]string](b, `select array_agg(what || ' ' || before || ' ' || after order by id) from changes where delivery_id = $1`, id); !cmp.Equal(got,
		[]string{"employment none fetching", "invoices none fetching", "status pending success"}) {
		t.Errorf("changes: %q", got)
	}
	// A key that tells when is the same fact for ever; the other vendor's keys are not (events_test.go).
	if v := b.verdict(b.tell(completed("v1", "1", "employment"), there, at(time.Now().Add(24*time.Hour)))); v != "duplicate same_fact" {
		t.Errorf("the same fact a day later is %q", v)
	}
	historical := completed("v1", "2", "profile")
	historical.Action, historical.Deprecated = "verification.historical", true
	if v := b.verdict(b.tell(historical, there)); v != "accepted deprecated" || states() != "success fetching fetching invoices=fetching tax_\uFFFDreturns=none" {
		t.Errorf("a deprecated event is %q: %s", v, states())
	}
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	want := []lookup.Finding{{Entity: "invoices", State: lookup.PullFetching}, {Entity: "tax_\uFFFDreturns", State: lookup.PullNone}}
	if diff := cmp.Diff(want, c.Attempts[0].Findings); diff != "" {
		t.Error("findings (-want +got):\n", diff)
	}

	// Nothing found is an answer, and takes nothing away.
	other := b.verified(newLookup(t, lookup.Sandbox, eduardo), "v2")
	nothing := completed("v2", "3")
	nothing.Entities, nothing.Report.Detail = []lookup.Entity{}, "no_data"
	b.tell(nothing, there)
	nothing.AccountID = "v1"
	b.tell(nothing, there)
	if got := value[string](b, `select concat_ws(' ', status, detail, profile_state, employment_state) from lookups where id = $1`, other.id); got != "success no_data empty empty" {
		t.Errorf("nothing found: %s", got)
	}
	if got := states(); got != "success fetching fetching invoices=fetching tax_\uFFFDreturns=none" {
		t.Errorf("what was found before: %s", got)
	}
}

func TestEntitiesRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	n := newLookup(t, lookup.Sandbox, alejandro)
	n.CURP, n.RFC = curp.CURP{}, company
	m := b.verified(n, "v1")
	rows := []lookup.Cells{
		{{Label: "amount", Value: "001150.500"}, {Label: "income", Value: "Sueldo: 1 MXN"}, {Label: "income", Value: hostile}},
		{{Label: "empty"}},
		{{Label: "amount", Value: "a\x00b\xff"}},
	}
	first := pull(m, "{1}")
	first.More = []db.Page{{HTTPStatus: 200, Took: time.Second, Body: []byte("{2}\x00")}, {HTTPStatus: 206, Body: nil}}
	b.must(b.StoreEntity(b.ctx, lookup.EntityInvoices, first, rows))
	b.must(b.StoreEntity(b.ctx, lookup.EntityBusiness, pull(m, "{}"), []lookup.Cells{{{Label: "legal_name", Value: "Óptica, S.A."}}}))
	extra := lookup.Cells{{Label: "street", Value: "Reforma 1"}, {Label: "estimated_monthly_income", Value: "12000.50"}}
	b.must(b.StoreProfile(b.ctx, pull(m, "{}"), someProfile(), extra))
	h := employment.History{Records: []employment.Record{{Employer: "A", Institution: "imss"}, {Employer: "A", Institution: "issste"}}}
	b.must(b.StoreEmployment(b.ctx, pull(m, "{}"), h, employment.Gist(h)))
	failed := pull(m, "no")
	failed.Code = "timeout"
	b.must(b.PullFailed(b.ctx, "earnings", failed))

	c, err := b.ViewLookup(b.ctx, lookup.Sandbox, m.uid, b.by)
	b.must(err)
	want := []db.EntityTable{
		{Entity: "invoices", Rows: []lookup.Cells{rows[0], {{Label: "amount", Value: "a\uFFFDb\uFFFD"}}}},
		{Entity: "business_profile", Rows: []lookup.Cells{{{Label: "legal_name", Value: "Óptica, S.A."}}}},
	}
	if diff := cmp.Diff(want, c.Entities, cmpopts.IgnoreFields(db.EntityTable{}, "Pull")); diff != "" {
		t.Error("tables (-want +got):\n", diff)
	}
	if diff := cmp.Diff(extra, c.ProfileMore); diff != "" {
		t.Error("beside the profile (-want +got):\n", diff)
	}
	if c.History.Records[1].Institution != "issste" || c.Entities[0].Pull.HTTPStatus != 200 {
		t.Errorf("history %+v, pull %+v", c.History.Records, c.Entities[0].Pull)
	}
	if got := value[[][]byte](b, `select array_agg(body order by page) from pull_pages`); len(got) != 2 || string(got[0]) != "{2}\x00" || len(got[1]) != 0 {
		t.Errorf("pages: %q", got)
	}
	if got := value[string](b, `select string_agg(name || '=' || state, ' ' order by name) from attempt_entities`); got != "business_profile=complete earnings=failed invoices=complete" {
		t.Errorf("states: %s", got)
	}
	if name := value[string](b, `select name from people where rfc = $1`, company); name != "García, "+hostile {
		t.Errorf("named %q", name) // a profile came last
	}
	for _, table := range []string{"pull_rows", "pull_pages"} {
		b.refused(restrictViolation, `update `+table+` set pull_id = pull_id`)
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	m := b.verified(newLookup(t, lookup.Sandbox, alejandro), "v1")
	pdf := []byte("%PDF-1.7 \x00 first")
	withRecords := pull(m, "{}")
	withRecords.Documents = []db.NewDocument{{Institution: "imss", ContentType: "application/pdf", Body: pdf}}
	b.must(b.StoreEmployment(b.ctx, withRecords, employment.History{}, lookup.Gist{}))
	listed := pull(m, "{}")
	uploaded := time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC)
	listed.Documents = []db.NewDocument{{Name: "Constancia", Institution: "imss", UploadedAt: uploaded, ContentType: "application/pdf", Body: pdf},
		{Name: "Reporte\x00", Code: "file_refused"}, {Name: "Expediente", Body: []byte("not what it says")}}
	b.must(b.StoreEntity(b.ctx, lookup.EntityFiles, listed, nil))

	list := func() (docs []db.Document) {
		c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
		b.must(err)
		return c.Documents
	}
	got := list()
	want := []db.Document{
		{Name: "Constancia", Institution: "imss", UploadedAt: uploaded, ContentType: "application/pdf", Size: len(pdf)}, // once, by its name
		{Name: "Reporte\uFFFD", Code: "file_refused"},
		{Name: "Expediente", Size: 16},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(db.Document{}, "UID", "SHA256", "FetchedAt")); diff != "" {
		t.Fatal("documents (-want +got):\n", diff)
	}
	d, body, err := b.TakeDocument(b.ctx, lookup.Sandbox, got[0].UID, b.by)
	if err != nil || !bytes.Equal(body, pdf) || d.Name != "Constancia" {
		t.Errorf("%+v, %d bytes, %v", d, len(body), err)
	}
	if who := value[string](b, `select lookup_id || ' ' || subject from audit_entries where action = 'document.downloaded'`); who != value[string](b, `select $1::bigint || ' ' || $2::text`, m.id, got[0].UID.String()) {
		t.Errorf("on the trail: %s", who)
	}
	for name, no := range map[string]struct {
		env lookup.Environment
		uid uuid.UUID
	}{"other environment": {lookup.Production, got[0].UID}, "never had": {lookup.Sandbox, got[1].UID}, "unknown": {lookup.Sandbox, uuid.New()}} {
		if _, _, err := b.TakeDocument(b.ctx, no.env, no.uid, b.by); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What came later under the name of one that could not be had takes its place.
	again := pull(m, "{}")
	again.Documents = []db.NewDocument{{Name: "Reporte\x00", Body: []byte("%PDF-2")}}
	b.must(b.StoreEntity(b.ctx, lookup.EntityFiles, again, nil))
	if got := list(); len(got) != 3 || got[0].Code != "" || got[0].Size != 6 {
		t.Errorf("after it came: %+v", got)
	}
	// The schema holds the limit, and that a document is there or says why not.
	const sized = `insert into documents (pull_id, position, body, sha256)
		select max(id), $1, convert_to(repeat('x', $1), 'UTF8'), sha256('') from pulls`
	b.exec(sized, db.MaxDocument)
	b.refused(checkViolation, sized, db.MaxDocument+1)
	b.refused(checkViolation, `insert into documents (pull_id, position) select id, 9 from pulls limit 1`)
	b.refused(restrictViolation, `update documents set name = ''`)
}

func TestVendorConsents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	m := b.verified(newLookup(t, lookup.Sandbox, alejandro), "v1")
	e, err := b.Errand(b.ctx, m.attempt)
	b.must(err)
	none := func(when string) {
		t.Helper()
		if c, err := b.LiveVendorConsent(b.ctx, e); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s: %+v, %v", when, c, err)
		}
	}
	none("at first")
	until := time.Now().Add(365*24*time.Hour + 6*time.Hour).UTC().Truncate(time.Microsecond)
	b.must(b.VendorConsented(b.ctx, e, "c1", "https://lender.example/aviso", until, time.Second))
	if c, err := b.LiveVendorConsent(b.ctx, e); err != nil || c.VendorID != "c1" || !c.ExpiresAt.Equal(until) {
		t.Errorf("%+v, %v", c, err)
	}
	// It is this person's, at this connection.
	stranger := e
	stranger.PersonID++
	if _, err := b.LiveVendorConsent(b.ctx, stranger); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("somebody else's consent: %v", err)
	}
	b.must(b.VendorConsentEnded(b.ctx, e))
	none("ended")
	b.must(b.VendorConsented(b.ctx, e, "c2", "https://lender.example/aviso", time.Now().Add(-time.Second), 0))
	none("expired")
	b.refused(foreignKeyViolation, `update vendor_consents set environment = 'production'`)
}

// The same person through both vendors: two answers, side by side and never one.
func TestPersonOfBothSources(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	palenca := b.taken("acc")
	h := employment.History{Records: []employment.Record{{Employer: "Palenca dice"}}}
	b.must(b.StoreEmployment(b.ctx, pull(palenca, "{}"), h, employment.Gist(h)))
	b.must(b.StoreProfile(b.ctx, pull(palenca, "{}"), someProfile()))
	older := b.verified(newLookup(t, lookup.Sandbox, alejandro), "v1")
	h.Records[0] = employment.Record{Employer: "antes", Institution: "imss"}
	b.must(b.StoreEmployment(b.ctx, pull(older, "{}"), h, employment.Gist(h)))
	newest := b.verified(newLookup(t, lookup.Sandbox, alejandro), "v2")
	h.Records[0].Employer = "Buró dice"
	b.must(b.StoreEmployment(b.ctx, pull(newest, "{}"), h, employment.Gist(h)))
	b.verified(newLookup(t, lookup.Sandbox, alejandro), "v3") // no answer yet
	b.request(lookup.Production, alejandro)

	person := value[uuid.UUID](b, `select p.uid from people p join lookups l on l.person_id = p.id where l.id = $1`, palenca.id)
	p, err := b.ViewPerson(b.ctx, lookup.Sandbox, person, b.by)
	b.must(err)
	if p.CURP != alejandro || p.RFC != "" || p.NSS != "12345678903" || len(p.Lookups) != 4 || p.More {
		t.Errorf("person %+v with %d lookups", p.CURP, len(p.Lookups))
	}
	var say []string
	for _, c := range p.Sources {
		say = append(say, string(c.Dialect)+" "+string(c.Platform)+": "+c.History.Records[0].Employer)
	}
	if diff := cmp.Diff([]string{"buro all: Buró dice", "palenca imss: Palenca dice"}, say); diff != "" {
		t.Error("sources (-want +got):\n", diff)
	}
	if n := value[int](b, `select count(*) from audit_entries where action = 'person.viewed' and person_id = (select id from people where uid = $1)`, person); n != 1 {
		t.Errorf("%d views on the trail", n)
	}
	if _, err := b.WatchPerson(b.ctx, lookup.Production, person); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("the other environment: %v", err)
	}
}
