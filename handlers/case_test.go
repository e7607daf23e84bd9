package handlers_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

// finished is a lookup of the vendor's first test person with its data fetched.
func finished(t *testing.T) (*console, uuid.UUID) {
	t.Helper()
	c := withVendor(t)
	uid, _ := c.request(alejandro)
	c.await(`select status = 'success' and profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, uid)
	return c, uid
}

// trail counts the entries of an action by a user.
func (c *console) trail(action audit.Action, who auth.User) int {
	c.t.Helper()
	return one[int](c, `select count(*) from audit_entries where action = $1 and actor_id = $2`, action, who.ID)
}

func TestCasePage(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	for _, role := range []auth.Role{auth.Analyst, auth.Auditor} {
		b := c.as(role)
		r := b.get("/lookups/"+uid.String()).want(http.StatusOK).count("[data-status]", 1).count("[data-records]", 1)
		if got := r.attr("#lookup", "data-status") + " " + r.attr("#lookup", "data-records"); got != "success complete" {
			t.Errorf("the page says %q", got)
		}
		r.lacks(alejandro, one[string](c, `select nss from people`))
		reveals := 2 * strings.Count(string(role), "analyst")
		r.count("form.reveal__form", reveals).count("#case-csv", reveals/2)
		if n := c.trail(audit.LookupViewed, b.user); n != 1 {
			t.Errorf("%s: %d views on the trail, want 1", role, n)
		}
		if title := r.doc().Find("title").Text(); strings.Contains(title, alejandro) {
			t.Errorf("title %q", title)
		}
	}
	list := c.as(auth.Supervisor).get("/lookups").want(http.StatusOK).lacks(alejandro)
	if got := list.attr("[data-lookup]", "data-lookup"); got != uid.String() {
		t.Errorf("the list's row is %q", got)
	}
}

func TestReveal(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	nss := one[string](c, `select nss from people`)
	b := c.as(auth.Analyst)
	path := "/lookups/" + uid.String() + "/reveal"
	for field, value := range map[string]string{"curp": alejandro, "nss": nss} {
		// htmx gets the field alone, a browser without script the page with the field in it.
		b.post(path, url.Values{"field": {field}}, "HX-Request", "true").want(http.StatusOK).has(value).count("nav", 0).count(".mask--open", 1)
		r := b.post(path, url.Values{"field": {field}}).want(http.StatusOK).has(value).count("#lookup", 1)
		if r.header.Get("Cache-Control") != "no-store" {
			t.Error("a revealed page may be stored")
		}
	}
	if got := c.trail(audit.CURPRevealed, b.user) + 10*c.trail(audit.NSSRevealed, b.user); got != 22 {
		t.Errorf("reveals on the trail: %d, want two of each", got)
	}
	b.get("/lookups/"+uid.String()).lacks(alejandro, nss)
	b.post(path, url.Values{"field": {"name"}}).want(http.StatusBadRequest)
	b.post(path, nil).want(http.StatusBadRequest)
	b.post("/lookups/"+uuid.NewString()+"/reveal", url.Values{"field": {"curp"}}).want(http.StatusNotFound)
	c.as(auth.Auditor).post(path, url.Values{"field": {"curp"}}).want(http.StatusForbidden).lacks(alejandro)

	// What cannot be written to the trail is not shown.
	c.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	c.exec(`create trigger refuse before insert on audit_entries for each row execute function refuse()`)
	b.post(path, url.Values{"field": {"curp"}}, "HX-Request", "true").want(http.StatusInternalServerError).lacks(alejandro)
	b.get("/lookups/" + uid.String() + "/employment.csv").want(http.StatusInternalServerError).lacks(alejandro)
}

const csvHeader = "lookup_id,external_id,curp,nss,first_name,last_name,platform,employer,employer_registration,start_date,end_date,federal_entity,base_salary,monthly_salary,"

func TestEmploymentCSV(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	b := c.as(auth.Analyst)
	path := "/lookups/" + uid.String() + "/employment.csv"
	r := b.get(path).want(http.StatusOK)
	if got := r.header.Get("Content-Type"); got != "text/csv; charset=utf-8; header=present" {
		t.Errorf("type %q", got)
	}
	name := r.header.Get("Content-Disposition")
	if !regexp.MustCompile(`^attachment; filename="[A-Za-z0-9_.-]+\.csv"$`).MatchString(name) || strings.Contains(strings.ToUpper(name), alejandro[:10]) {
		t.Errorf("disposition %q", name)
	}
	text, marked := strings.CutPrefix(r.body, "\xef\xbb\xbf")
	if !marked || !strings.HasPrefix(text, csvHeader) || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Errorf("the file begins %q", shorten(text))
	}
	table, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	c.must(err)
	if want := one[int](c, `select count(*) from employment_records`); len(table) != want+1 || want == 0 {
		t.Fatalf("%d lines for %d records", len(table), want)
	}
	column := map[string]int{}
	for i, name := range table[0] {
		column[name] = i
	}
	for i, line := range table[1:] {
		want := one[string](c, `select concat_ws('|', base_salary, monthly_salary, registration, start_date) from employment_records where position = $1`, i)
		got := strings.Join([]string{line[column["base_salary"]], line[column["monthly_salary"]], line[column["employer_registration"]], line[column["start_date"]]}, "|")
		if got != want || line[column["curp"]] != alejandro || line[column["lookup_id"]] != uid.String() {
			t.Errorf("line %d has %s, the answer %s", i, got, want)
		}
	}
	if n := c.trail(audit.LookupExported, b.user); n != 1 {
		t.Errorf("%d exports on the trail, want 1", n)
	}
	// English reads the same header.
	b.post("/preferences", url.Values{"lang": {"en"}}).want(http.StatusSeeOther)
	if again := b.get(path); !strings.HasPrefix(again.body, "\xef\xbb\xbf"+csvHeader) {
		t.Error("the header depends on the language")
	}
	// A lookup without data gives the header alone.
	waiting, _ := c.request(eduardo)
	if r := b.get("/lookups/" + waiting.String() + "/employment.csv").want(http.StatusOK); !strings.HasPrefix(r.body, "\xef\xbb\xbf"+csvHeader) {
		t.Errorf("without data: %q", shorten(r.body))
	}
}

func TestDeliveryPages(t *testing.T) {
	t.Parallel()
	c, _ := finished(t)
	body := `{"webhook_url":"` + c.site.URL + `/hooks/` + c.token + `","data":{"account_id":"x","webhook_action":"login.new","identifier":"` + alejandro + `","note":"\u0000<b>"}}`
	c.deliver(body).want(http.StatusOK)
	id := c.last("uid")
	b := c.as(auth.Supervisor)
	c.as(auth.Analyst).get("/deliveries/" + id + "/body").want(http.StatusForbidden) // it holds the address of our hook
	list := b.get("/deliveries").want(http.StatusOK)
	if n := list.doc().Find("tr[data-delivery][data-verdict]").Length(); n != 3 {
		t.Errorf("%d rows, want created, success and ours", n)
	}
	for query, want := range map[string]int{"verdict=accepted": 3, "verdict=nonsense": 3, "verdict=refused": 0, "action=login.success": 1, "account=none0": 0,
		"from=2020-01-01&to=2020-01-02": 0, "action=%00": 3, "account=%ff": 3} {
		if query == "verdict=accepted" {
			c.await(`select count(*) = 0 from deliveries where processed_at is null`)
			want = one[int](c, `select count(*) from deliveries where verdict = 'accepted'`)
		}
		if n := b.get("/deliveries?" + query).want(http.StatusOK).doc().Find("[data-delivery]").Length(); n != want {
			t.Errorf("?%s shows %d rows, want %d", query, n, want)
		}
	}
	b.get("/deliveries/"+id).want(http.StatusOK).count("#delivery", 1).lacks(alejandro, c.token, "u0000<b>")
	if n := c.trail(audit.DeliveryViewed, b.user); n != 1 {
		t.Errorf("%d views on the trail", n)
	}
	r := b.get("/deliveries/" + id + "/body").want(http.StatusOK)
	if r.body != body || r.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(r.header.Get("Content-Disposition"), "attachment;") {
		t.Errorf("downloaded %q as %v", r.body, r.header)
	}
	if n := c.trail(audit.DeliveryBody, b.user); n != 1 {
		t.Errorf("%d downloads on the trail", n)
	}
	b.post("/deliveries/"+id+"/reveal", nil).want(http.StatusOK).has(alejandro).lacks(c.token)
	if n := c.trail(audit.BodyRevealed, b.user); n != 1 {
		t.Errorf("%d reveals on the trail", n)
	}
	developer := c.as(auth.Developer)
	developer.get("/deliveries/"+id).want(http.StatusOK).lacks(alejandro, c.token).count(`form[action$="/reveal"]`, 0).count(`a[href$="/body"]`, 0)
	developer.get("/deliveries/" + id + "/body").want(http.StatusForbidden)
	b.get("/deliveries/" + uuid.NewString()).want(http.StatusNotFound)
}
