package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

// throughBoth is one person asked about at both vendors, with every answer fetched.
func throughBoth(t *testing.T) (c *console, person, palenca, buro uuid.UUID) {
	t.Helper()
	c = withVendor(t)
	second, err := c.SaveConnection(t.Context(), connection.Connection{Name: "Buró", Dialect: lookup.Buro, Environment: lookup.Sandbox,
		BaseURL: c.boxURL, CallsPerMinute: connection.MaxCallsPerMinute}, c.box.Credentials().BuroKey, audit.Actor{Name: "test"})
	c.must(err)
	c.must(c.desk().Register(t.Context(), second))
	c.exec(`update connections set tokens = 1000`)
	palenca, _ = c.request(alejandro)
	buro, _ = c.request(alejandro, func(n *db.NewLookup) { n.Dialect, n.Platform = lookup.Buro, lookup.AllSources })
	c.await(`select count(*) = 2 from lookups where status = 'success' and profile_state = 'complete' and employment_state = 'complete'`)
	c.await(`select count(*) = 0 from attempt_entities where state = 'fetching'`)
	return c, one[uuid.UUID](c, `select uid from people`), palenca, buro
}

func TestPersonOfBothVendors(t *testing.T) {
	t.Parallel()
	c, person, palenca, buro := throughBoth(t)
	b := c.as(auth.Analyst)
	path := "/people/" + person.String()
	nss := one[string](c, `select nss from people`)

	// Linked from the list and from each lookup; both histories stand side by side.
	b.get("/lookups").want(http.StatusOK).count(`a[href="`+path+`"]`, 2)
	for _, uid := range []uuid.UUID{palenca, buro} {
		b.get("/lookups/"+uid.String()).want(http.StatusOK).count(`#case-person[href="`+path+`"]`, 1)
	}
	r := b.get(path).want(http.StatusOK).lacks(alejandro, nss)
	r.count("[data-source]", 2).count(`[data-source="palenca-imss"]`, 1).count(`[data-source="buro-all"]`, 1)
	r.count("[data-compared]", 1).count("tbody [data-lookup]", 2)
	r.count(`[data-happened="lookup"]`, 2).count(`[data-happened="outcome"]`, 2).count(`[data-happened="consent"]`, 2)
	if n := one[int](c, `select count(*) from employment_records`); r.doc().Find(".spells__item").Length() != n {
		t.Errorf("%d records on the page, want %d", r.doc().Find(".spells__item").Length(), n)
	}
	if n := c.trail(audit.PersonViewed, b.user); n != 1 {
		t.Errorf("%d views on the trail", n)
	}

	// An employer that only one of them has is named.
	c.exec(`alter table employment_records disable trigger user`)
	c.exec(`update employment_records set employer = 'EMPRESA QUE NADIE MÁS VIO', registration = 'X9', start_date = '1999-02-01', end_date = '1999-03-01'
		where pull_id = (select id from pulls where lookup_id = (select id from lookups where uid = $1) and kind = 'employment') and position = 0`, palenca)
	r = b.get(path).want(http.StatusOK).count(`[data-difference="gone_job"]`, 1).count(`[data-difference="new_job"]`, 1)
	if text := r.doc().Find(`[data-difference="gone_job"]`).Text(); !strings.Contains(text, "EMPRESA QUE NADIE MÁS VIO") || !strings.Contains(text, spanish.T("person.difference.none")) {
		t.Errorf("the difference says %q", text)
	}

	// The identifiers come one by one, each on the trail.
	b.post(path+"/reveal", url.Values{"field": {"curp"}}, "HX-Request", "true").want(http.StatusOK).has(alejandro).count("nav", 0)
	b.post(path+"/reveal", url.Values{"field": {"nss"}}).want(http.StatusOK).has(nss).lacks(alejandro).count("#history", 1)
	b.post(path+"/reveal", url.Values{"field": {"name"}}).want(http.StatusBadRequest)
	if got := c.trail(audit.CURPRevealed, b.user) + 10*c.trail(audit.NSSRevealed, b.user); got != 11 {
		t.Errorf("reveals on the trail: %d", got)
	}
	b.get(path).want(http.StatusOK).has(spanish.T("person.act.curp_revealed"), spanish.T("person.act.lookup_viewed"))

	c.as(auth.Auditor).get(path).want(http.StatusOK).count(".reveal__form", 0)
	c.as(auth.Developer).get(path).want(http.StatusForbidden)
	b.get("/people/" + uuid.NewString()).want(http.StatusNotFound)
	c.exec(`update console set environment = 'production'`)
	b.get(path).want(http.StatusNotFound)
	b.post(path+"/reveal", url.Values{"field": {"curp"}}).want(http.StatusNotFound)
}

// A long history is read in stretches, and each of them is a view.
func TestPersonHistoryPages(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	uid, _ := c.request(alejandro)
	person := one[uuid.UUID](c, `select uid from people`)
	b := c.as(auth.Analyst)
	for range 60 {
		_, err := c.ViewLookup(t.Context(), lookup.Sandbox, uid, audit.Actor{UserID: b.user.ID, Name: b.user.Name})
		c.must(err)
	}
	first := b.get("/people/"+person.String()).want(http.StatusOK).count("[data-happened]", 50).count(".pager [rel=prev]", 0)
	second := b.get(strings.TrimSuffix(first.attr(".pager [rel=next]", "href"), "#history")).want(http.StatusOK).count(".pager [rel=next]", 0)
	second.count(`[data-happened="lookup"]`, 1).count(`[data-happened="consent"]`, 1)
	back := b.get(strings.TrimSuffix(second.attr(".pager [rel=prev]", "href"), "#history")).want(http.StatusOK)
	if n := back.doc().Find("[data-happened]").Length(); n != 50 {
		t.Errorf("%d lines on the way back", n)
	}
	if n := c.trail(audit.PersonViewed, b.user); n != 3 {
		t.Errorf("%d views on the trail", n)
	}
}

// An RFC that was asked about is masked wherever it stands, and revealed like a CURP.
func TestCaseOfRFC(t *testing.T) {
	t.Parallel()
	c, _, _, _ := throughBoth(t)
	const rfc = "TNX9804159P9"
	b := c.as(auth.Analyst)
	r := b.post("/lookups", url.Values{"curp": {rfc}, "platform": {"all"}, "consent": {"on"}}).want(http.StatusSeeOther)
	path := r.header.Get("Location")
	uid := strings.TrimPrefix(path, "/lookups/")
	c.await(`select count(*) = 2 from lookups l join attempts a on a.lookup_id = l.id join attempt_entities e on e.attempt_id = a.id
		where l.uid = $1 and l.status = 'success' and e.state = 'complete'`, uid)
	b.get(path).want(http.StatusOK).lacks(rfc).count("#entity-invoices", 1).count("#entity-business_profile", 1).has("TNX••••••9P9")
	b.get("/people/" + one[uuid.UUID](c, `select uid from people where rfc = $1`, rfc).String()).want(http.StatusOK).lacks(rfc)
	b.get("/lookups").want(http.StatusOK).lacks(rfc)
	b.post(path+"/reveal", url.Values{"field": {"rfc"}}, "HX-Request", "true").want(http.StatusOK).has(rfc)
	if n := c.trail(audit.RFCRevealed, b.user); n != 1 {
		t.Errorf("%d reveals on the trail", n)
	}
}

// What Buró gives beside employment is on the lookup's page; a document is saved and never opened here.
func TestCaseOfBuro(t *testing.T) {
	t.Parallel()
	c, _, _, buro := throughBoth(t)
	b := c.as(auth.Analyst)
	r := b.get("/lookups/" + buro.String()).want(http.StatusOK).lacks(alejandro)
	r.count("#entity-invoices tbody tr", one[int](c, `select count(*) from pull_rows w join pulls p on p.id = w.pull_id where p.kind = 'invoices'`))
	stored := one[int](c, `select count(distinct sha256) from documents where sha256 is not null`)
	if stored == 0 {
		t.Fatal("no document was fetched")
	}
	r.count(`#documents a[href^="/documents/"]`, stored)
	path := r.attr(`#documents a[href^="/documents/"]`, "href")
	got := b.get(path).want(http.StatusOK)
	if !strings.HasPrefix(got.body, "%PDF-") || got.header.Get("Content-Type") != "application/pdf" || got.header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment; filename=cotejo-") {
		t.Errorf("%.20q with %v", got.body, got.header)
	}
	if n := c.trail(audit.DocumentTaken, b.user); n != 1 {
		t.Errorf("%d downloads on the trail", n)
	}
	c.as(auth.Auditor).get(path).want(http.StatusForbidden)
	b.get("/documents/" + uuid.NewString()).want(http.StatusNotFound)
	c.exec(`alter table documents disable trigger user`)
	c.exec(`update documents set body = '<script>', sha256 = sha256('<script>'), content_type = 'text/html'`)
	odd := b.get(path).want(http.StatusOK)
	if odd.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(odd.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("something else than a PDF goes out as %v", odd.header)
	}
	c.exec(`update console set environment = 'production'`)
	b.get(path).want(http.StatusNotFound)
}

// The page of a person follows every lookup of theirs, new ones and case work too, and nobody else's.
func TestPersonLive(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	uid, _ := c.request(alejandro)
	c.request(eduardo)
	person := one[uuid.UUID](c, `select p.uid from people p where p.curp = $1`, alejandro).String()
	b := c.as(auth.Analyst)
	r := b.get("/people/"+person).want(http.StatusOK).count("#person", 1).count("[data-live-pause]", 1)
	if got := r.attr(`[hx-sse\:connect]`, "hx-sse:connect"); got != "/people/"+person+"/live" {
		t.Errorf("follows %s", got)
	}
	s := b.watchAt("/people/"+person+"/live", "")
	s.until(`hx-target="#person"`, uid.String())
	other := one[uuid.UUID](c, `select l.uid from lookups l join people p on p.id = l.person_id where p.curp = $1`, eduardo)
	b.post("/lookups/"+other.String()+"/notes", url.Values{"note": {"de otra persona"}}).want(http.StatusSeeOther)
	b.post("/lookups/"+uid.String()+"/notes", url.Values{"note": {"Llamó hoy"}}).want(http.StatusSeeOther)
	for _, event := range s.until("Llamó hoy") {
		if strings.Contains(event, "otra persona") {
			t.Error("told of somebody else")
		}
	}
	again, _ := c.request(alejandro)
	s.until(again.String())
	c.exec(`update people set nss = '02189216878', name = 'Alejandro García' where curp = $1`, alejandro)
	b.post("/lookups/"+uid.String()+"/tags", url.Values{"tag": {"urgente"}}).want(http.StatusSeeOther)
	s.until("Alejandro García", `hx-target="#person-ids"`, "urgente")
	if n := c.trail("person.viewed", b.user); n != 1 {
		t.Errorf("%d views on the trail, want that of the page alone", n)
	}
	b.get("/people/" + uuid.NewString() + "/live").want(http.StatusNotFound)
	// Without its page a stream is a look of its own.
	alone := c.as(auth.Auditor)
	alone.watchAt("/people/"+person+"/live", "").until(`hx-target="#person"`)
	if n := c.trail("person.viewed", alone.user); n != 1 {
		t.Errorf("a stream without its page is %d times on the trail", n)
	}
}
