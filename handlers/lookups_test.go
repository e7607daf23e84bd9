package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/consent"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

// request records a lookup as the form does and gives its id and its attempt's.
func (c *console) request(text string, change ...func(*db.NewLookup)) (uid, attempt uuid.UUID) {
	c.t.Helper()
	number, err := curp.Parse(text)
	c.must(err)
	by := audit.Actor{UserID: c.requester(), Name: "Ana Prueba"}
	now := time.Now()
	n := db.NewLookup{Environment: lookup.Sandbox, Dialect: lookup.Palenca, CURP: number, Platform: lookup.IMSS, Source: lookup.SourceForm,
		Consent: consent.Record{GivenAt: now, ExpiresAt: now.Add(time.Hour), NoticeVersion: "1.0", Means: "branch", Purpose: consent.PurposeCredit}}
	for _, f := range change {
		f(&n)
	}
	uid, err = c.RequestLookup(c.t.Context(), n, by)
	c.must(err)
	return uid, one[uuid.UUID](c, `select a.uid from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1`, uid)
}

// requester is a user for lookups that no browser asked for.
func (c *console) requester() int64 {
	c.t.Helper()
	u, _, err := c.UserByEmail(c.t.Context(), "requester@example.mx")
	if err != nil {
		u = c.add("requester@example.mx", auth.Analyst)
	}
	return u.ID
}

func in(env lookup.Environment) func(*db.NewLookup) {
	return func(n *db.NewLookup) { n.Environment = env }
}

func form(pairs ...string) url.Values {
	v := url.Values{"curp": {alejandro}, "platform": {"imss"}, "external_id": {"EXP-7"}, "consent": {"on"}, "means": {"branch"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestRequestLookup(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	r := b.post("/lookups", form()).want(http.StatusSeeOther)
	uid := strings.TrimPrefix(r.header.Get("Location"), "/lookups/")
	if _, err := uuid.Parse(uid); err != nil {
		t.Fatalf("leads to %q", r.header.Get("Location"))
	}
	got := one[string](c, `select concat_ws(' ', l.environment, p.curp, l.platform, l.reference, l.source, l.status, k.notice_version, k.means, k.purpose, k.ip)
		from lookups l join people p on p.id = l.person_id join consents k on k.id = l.consent_id where l.uid = $1`, uid)
	if want := "sandbox " + alejandro + " imss EXP-7 form queued 1.0 branch credit-assessment 127.0.0.1"; got != want {
		t.Errorf("stored %q, want %q", got, want)
	}
	if n := one[int](c, `select count(*) from river_job where kind = 'create_account'`); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
	if n := one[int](c, `select count(*) from audit_entries where action = $1 and actor_id = $2`, audit.LookupRequested, b.user.ID); n != 1 {
		t.Errorf("%d entries on the trail, want 1", n)
	}
	b.post("/lookups", form("curp", " gata000408htlrlla7 ", "platform", "issste", "means", "anything")).want(http.StatusSeeOther)
	if got := one[string](c, `select means from consents order by id desc limit 1`); got != "web" {
		t.Errorf("means %q", got)
	}
}

func TestBadLookupFormsAreShownAgain(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	for name, try := range map[string]struct {
		form  url.Values
		field string
	}{
		"no consent":       {form("consent", ""), "consent"},
		"no CURP":          {form("curp", " "), "curp"},
		"short CURP":       {form("curp", "GATA000408"), "curp"},
		"impossible date":  {form("curp", "GATA001308HTLRLLA7"), "curp"},
		"unknown state":    {form("curp", "OICE940722HGFRST08"), "curp"},
		"unknown source":   {form("platform", "infonavit"), "platform"},
		"long reference":   {form("external_id", strings.Repeat("é", 81)), "external_id"},
		"markup as a CURP": {form("curp", `"><script>alert(1)</script>`), "curp"},
	} {
		r := b.post("/lookups", try.form).want(http.StatusUnprocessableEntity)
		// Under a CURP that cannot be one, the check's own line is the reason.
		if r.doc().Find("#"+try.field+"-error, #"+try.field+"-says .curp__says--block").Length() != 1 {
			t.Errorf("%s: no reason at the field %s", name, try.field)
		}
		if got, _ := r.doc().Find("#curp").Attr("value"); strings.TrimSpace(got) != strings.TrimSpace(try.form.Get("curp")) {
			t.Errorf("%s: the CURP typed is gone: %q", name, got)
		}
		if got, _ := r.doc().Find("input[name=external_id]").Attr("value"); got != try.form.Get("external_id") {
			t.Errorf("%s: the reference typed is gone: %q", name, got)
		}
		_, ticked := r.doc().Find("input[name=consent]").Attr("checked")
		if ticked != (try.form.Get("consent") != "") {
			t.Errorf("%s: consent ticked=%v", name, ticked)
		}
		r.count("[data-confirm]", 0).lacks("<script>alert")
	}
	// htmx gets the form alone.
	b.post("/lookups", form("consent", ""), "HX-Request", "true").want(http.StatusUnprocessableEntity).count("form#new-lookup", 1).count("nav", 0)
	if n := one[int](c, `select count(*) from lookups`); n != 0 {
		t.Errorf("%d lookups of bad forms", n)
	}
	b.do(http.MethodPost, "/lookups", strings.NewReader(`{}`), "Content-Type", "application/json").want(http.StatusBadRequest)
	b.post("/lookups", form("external_id", strings.Repeat("x", 70_000))).want(http.StatusRequestEntityTooLarge)
	b.post("/lookups", form("external_id", "a\x00b")).want(http.StatusBadRequest)
}

// A check digit alone warns and asks; sent again with the answer it goes through.
func TestCheckDigitAsks(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	wrong := alejandro[:17] + "3"
	r := b.post("/lookups", form("curp", wrong)).want(http.StatusUnprocessableEntity).count(`[data-confirm="check_digit"]`, 1).count(".field__error", 0)
	if got := r.attr("button[name=confirm]", "value"); got != "check_digit" {
		t.Errorf("the button sends %q", got)
	}
	b.post("/lookups", form("curp", wrong, "confirm", "yes")).want(http.StatusUnprocessableEntity)
	b.post("/lookups", form("curp", wrong, "confirm", "check_digit", "consent", "")).want(http.StatusUnprocessableEntity).count("#consent-error", 1)
	b.post("/lookups", form("curp", wrong, "confirm", "check_digit")).want(http.StatusSeeOther)
	if got := one[string](c, `select curp from people`); got != wrong {
		t.Errorf("stored %q", got)
	}
}

func TestCheckCURPWhileTyping(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	for text, verdict := range map[string]string{alejandro: "pass", "GATA0004": "short", alejandro[:17] + "3": "warn", "GATA001308HTLRLLA7": "block"} {
		b.post("/lookups/check", url.Values{"curp": {text}}, "HX-Request", "true").want(http.StatusOK).count("#curp-says", 1).count(".curp__says--"+verdict, 1).count("nav", 0)
	}
	b.post("/lookups/check", url.Values{"curp": {""}}).want(http.StatusOK)
	b.get("/lookups/check?curp=" + alejandro).want(http.StatusNotFound) // a CURP belongs in no address
}

func TestLookupWithoutConnection(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	b.post("/lookups", form()).want(http.StatusUnprocessableEntity).has(spanish.T("lookups.form.no_connection.palenca"))
	if n := one[int](c, `select (select count(*) from people) + (select count(*) from consents)`); n != 0 {
		t.Errorf("%d rows of a lookup that was not made", n)
	}
}

func rows(r *reply) []string {
	return r.doc().Find("[data-lookup]").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("data-lookup", "") })
}

func TestListPagesBothWays(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	for range 60 {
		c.request(alejandro)
	}
	c.exec(`update lookups set requested_at = now() - make_interval(secs => 60 - id)`)
	c.exec(`update lookups set requested_at = (select requested_at from lookups where id = 15) where id in (14, 15, 16)`) // same moment: the id decides
	first := b.get("/lookups").want(http.StatusOK)
	if n := len(rows(first)); n != 50 || first.doc().Find("a[rel=prev]").Length() != 0 {
		t.Fatalf("%d rows on the first page", n)
	}
	second := b.get(first.attr("a[rel=next]", "href")).want(http.StatusOK)
	if n := len(rows(second)); n != 10 || second.doc().Find("a[rel=next]").Length() != 0 {
		t.Errorf("%d rows on the second page", n)
	}
	seen := map[string]bool{}
	for _, id := range append(rows(first), rows(second)...) {
		seen[id] = true
	}
	if len(seen) != 60 {
		t.Errorf("two pages show %d lookups of 60", len(seen))
	}
	back := b.get(second.attr("a[rel=prev]", "href"))
	if diff := cmp.Diff(rows(first), rows(back)); diff != "" {
		t.Errorf("back is not where we were: %s", diff)
	}
	for _, cursor := range []string{"x", "%00", "AAAA", strings.Repeat("A", 22), "_____________________w", strings.Repeat("9", 5000)} {
		for _, way := range []string{"after", "before"} {
			b.get("/lookups?" + way + "=" + cursor).want(http.StatusOK)
			b.get("/deliveries?" + way + "=" + cursor).want(http.StatusOK)
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	ids := map[string]string{}
	for i, status := range lookup.Statuses {
		uid, _ := c.request(alejandro, func(n *db.NewLookup) {
			if i%2 == 1 {
				n.Platform = lookup.ISSSTE
			}
		})
		c.exec(`update lookups set status = $1, requested_at = $2 where uid = $3`, status, time.Date(2026, 3, 1+i, 18, 0, 0, 0, time.UTC), uid)
		ids[string(status)] = uid.String()
	}
	c.exec(`update lookups set employment_state = 'empty' where status = 'success'`)
	who := one[string](c, `select uid::text from users where email = 'requester@example.mx'`)
	c.exec(`update lookups set owner_id = $1, again = 'retry', detail = 'curp_not_found' where status = 'error'`, b.user.ID)
	for query, want := range map[string]int{
		"": len(lookup.Statuses), "status=success": 1, "status=nonsense": len(lookup.Statuses), "actor=analyst": 2, "actor=person": 1, "records=empty": 1,
		"platform=issste": len(lookup.Statuses) / 2, "analyst=" + who: len(lookup.Statuses), "analyst=" + b.user.UID.String(): 0, "analyst=x": len(lookup.Statuses),
		"from=2026-03-02&to=2026-03-02": 1, "from=yesterday": len(lookup.Statuses), "to=2026-02-28": 0, "status=%00&from=0000-00-00": len(lookup.Statuses),
		"status=success&platform=infonavit": 1, "owner=" + b.user.UID.String(): 1, "owner=" + who: 0, "owner=me": len(lookup.Statuses), "source=retry": 1, "source=automatic": 0,
		"source=x": len(lookup.Statuses), "dialect=palenca": len(lookup.Statuses), "dialect=buro": 0, "dialect=x": len(lookup.Statuses), "detail=curp_not_found": 1,
		"detail=-&status=expired": 1, "detail=%3Cb%3E": len(lookup.Statuses), "tag=" + uuid.NewString(): 0, "overdue=1": 0, "overdue=yes": len(lookup.Statuses),
	} {
		r := b.get("/lookups?" + query).want(http.StatusOK)
		if got := len(rows(r)); got != want {
			t.Errorf("?%s shows %d rows, want %d", query, got, want)
		}
		r.lacks(alejandro)
	}
	if got := rows(b.get("/lookups?status=error")); len(got) != 1 || got[0] != ids["error"] {
		t.Errorf("status=error shows %v", got)
	}
}

// One CURP in both environments: nothing of one shows in the other.
func TestEnvironmentsAreApart(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.connect(lookup.Production, "https://api.example/v1", "private_live_key_0123456789", "")
	b := c.as(auth.Administrator)
	test, _ := c.request(alejandro)
	live, _ := c.request(alejandro, in(lookup.Production))
	c.deliver(`{"live":true}`).want(http.StatusOK)
	delivery := c.last("uid")
	for _, now := range []struct {
		env        string
		here, away uuid.UUID
		delivery   int
	}{{"sandbox", test, live, http.StatusNotFound}, {"production", live, test, http.StatusOK}} {
		b.post("/environment", url.Values{"env": {now.env}, "confirm": {"on"}}).want(http.StatusSeeOther)
		if got := rows(b.get("/lookups")); len(got) != 1 || got[0] != now.here.String() {
			t.Errorf("%s lists %v", now.env, got)
		}
		b.get("/lookups/" + now.here.String()).want(http.StatusOK)
		for _, path := range []string{"", "/employment.csv"} {
			b.get("/lookups/" + now.away.String() + path).want(http.StatusNotFound)
		}
		b.post("/lookups/"+now.away.String()+"/reveal", url.Values{"field": {"curp"}}).want(http.StatusNotFound)
		b.get("/deliveries/" + delivery).want(now.delivery)
		b.get("/deliveries/" + delivery + "/body").want(now.delivery)
		if got := b.get("/").attr("[data-env]", "data-env"); got != now.env {
			t.Errorf("the page says %q in %s", got, now.env)
		}
	}
	b.get("/sandbox").want(http.StatusNotFound)
	b.post("/environment", url.Values{"env": {"sandbox"}}).want(http.StatusSeeOther)
	b.get("/sandbox").want(http.StatusOK).count("[data-person]", 9)
	b.post("/environment", url.Values{"env": {"moon"}}).want(http.StatusBadRequest)
	if got := one[string](c, fmt.Sprintf(`select environment from lookups where uid = '%s'`, live)); got != "production" {
		t.Errorf("the lookup moved to %s", got)
	}
}

// With two connections the form offers the sources of both; an RFC goes to Buró only, and the choice is remembered.
func TestLookupThroughEitherVendor(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	b.get("/lookups/new").want(http.StatusOK).count("input[name=platform]", 2).count("input[name=platform][value=imss][checked]", 1)
	form := func(id, platform string) url.Values {
		return url.Values{"curp": {id}, "platform": {platform}, "consent": {"on"}}
	}
	const rfc = "GODE561231GR8"
	b.post("/lookups", form(rfc, "all")).want(http.StatusUnprocessableEntity).has(spanish.T("lookups.form.no_connection.buro"))
	buro, err := c.SaveConnection(t.Context(), connection.Connection{Name: "Buró de prueba", Dialect: lookup.Buro, Environment: lookup.Sandbox,
		BaseURL: "http://127.0.0.1:1", CallsPerMinute: 60}, "buro-key-0123456789", audit.Actor{Name: "test"})
	c.must(err)
	b.get("/lookups/new").want(http.StatusOK).count("input[name=platform]", 3).count("input[name=platform][value=imss][checked]", 1).has("Buró de prueba", spanish.T("lookups.form.curp_or_rfc"))
	b.post("/lookups", form(rfc, "imss")).want(http.StatusUnprocessableEntity).count("#curp-error", 1).has(spanish.T("lookups.form.rfc_elsewhere"))
	b.post("/lookups", form("XAXX010101000", "all")).want(http.StatusUnprocessableEntity).count("#curp-error", 1)
	b.post("/lookups", form("GODE561231GR9", "all")).want(http.StatusUnprocessableEntity).count(`[data-confirm="check_digit"]`, 1)
	if n := one[int](c, `select count(*) from lookups`); n != 0 {
		t.Fatalf("%d lookups of refused forms", n)
	}
	b.post("/lookups", form("gode 561231-gr8", "all")).want(http.StatusSeeOther)
	if n := one[int](c, `select count(*) from lookups l join people p on p.id = l.person_id
		where l.connection_id = $1 and l.platform = 'all' and p.rfc = $2 and p.curp is null`, buro.ID, rfc); n != 1 {
		t.Errorf("%d lookups for the RFC", n)
	}
	b.get("/lookups").want(http.StatusOK).count("input[name=platform][value=all][checked]", 1).lacks(rfc)
	c.as(auth.Supervisor).get("/lookups/new").want(http.StatusOK).count("input[name=platform][value=imss][checked]", 1) // somebody else's choice is theirs
	b.get("/lookups?platform=all").want(http.StatusOK).count("[data-lookup]", 1)
	b.get("/lookups?platform=imss").want(http.StatusOK).count("[data-lookup]", 0)
	b.post("/lookups/check", url.Values{"curp": {rfc}, "platform": {"all"}}, "HX-Request", "true").want(http.StatusOK).count(".curp__says--pass", 1).count(".curp__part", 4)
	b.post("/lookups/check", url.Values{"curp": {rfc}, "platform": {"imss"}}, "HX-Request", "true").want(http.StatusOK).count(".curp__says--block", 1)
	c.must(c.PauseConnection(t.Context(), buro.ID, "unauthorized", time.Now()))
	b.get("/lookups/new").want(http.StatusOK).has(spanish.T("lookups.form.through_paused", "Name", "Buró de prueba"))
}
