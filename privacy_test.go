package main

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
)

// A CURP, an NSS, a name or a secret goes through everything that can go well or wrong, and turns up in no log, address,
// job, error page or metric (OWASP ASVS 5.0, 14.2.1 and 16.2.5).
func TestNothingPersonalLeaks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	creds, err := sandbox.ReadCredentials(s.dir + "/sandbox")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	db := s.database(ctx).db
	at, err := db.Connection(ctx, lookup.Sandbox, lookup.Palenca)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := db.HookToken(ctx, at.ID)
	if err != nil {
		t.Fatal(err)
	}
	const (
		wrongPassword = "marked wrong password"
		other         = "MEMC760502MMCJGR00"
		doubtful      = "GATA000408HTLRLLA3"
		impossible    = "GATA001399HTLRLLA7"
		wrongKey      = "private_marked_key_0123456789"
	)
	g := s.guest()
	g.post("/login", url.Values{"email": {adminEmail}, "password": {wrongPassword}})
	g.post("/login", url.Values{"email": {alejandro + "@example.mx"}, "password": {adminPassword}})
	g.signIn()

	// What goes well.
	path := g.lookup(alejandro)
	g.until(path, `data-status="success"`, `data-records="complete"`, `name="field" value="nss"`) // profile and employment
	var name, nss, person, delivery string
	if err := db.Pool().QueryRow(ctx, `select name, nss, uid::text, (select uid::text from deliveries limit 1) from people where curp = $1`, alejandro).Scan(&name, &nss, &person, &delivery); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"/", "/lookups", path, path + "/employment.csv", "/deliveries", "/deliveries/" + delivery, "/deliveries/" + delivery + "/body", "/sandbox", "/connection", "/users"} {
		if code, _ := g.get(page); code != http.StatusOK {
			t.Errorf("%s: %d", page, code)
		}
	}
	for _, field := range []string{"curp", "nss"} {
		g.post(path+"/reveal", url.Values{"field": {field}})
	}
	g.post("/deliveries/"+delivery+"/reveal", nil)
	workWith(g, path, "/people/"+person, name, nss)
	g.post("/account/password", url.Values{"current": {wrongPassword}, "new": {wrongPassword + "!"}, "again": {"x"}})

	// What goes wrong at our door.
	for _, typed := range []string{impossible, doubtful, alejandro[:14], "x" + alejandro, strings.Repeat(alejandro, 50)} {
		g.post("/lookups", url.Values{"curp": {typed}, "platform": {"imss"}, "consent": {"on"}})
		g.post("/lookups/check", url.Values{"curp": {typed}})
	}
	g.do(http.MethodPost, "/lookups", "application/json", `{"curp":"`+alejandro+`"}`)
	g.do(http.MethodPost, "/lookups", "application/x-www-form-urlencoded", "curp="+alejandro+"%zz")
	g.do(http.MethodPost, "/lookups", "application/x-www-form-urlencoded", "curp="+alejandro+"%00&consent=on")
	for _, address := range []string{"/" + alejandro, "/lookups/" + alejandro, "/lookups?curp=" + alejandro, "/deliveries?account=" + alejandro, "/hooks/" + alejandro} {
		g.get(address)
	}
	s.guest().get("/nothing?next=" + alejandro)
	for _, body := range []string{"", alejandro, `{"identifier":"` + alejandro + `"`, `{"data":{"account_id":"` + alejandro + `","webhook_action":"login.success"}}`} {
		g.do(http.MethodPost, "/hooks/"+token, "application/json", body)
	}
	g.do(http.MethodPut, "/hooks/"+token, "application/json", alejandro)
	g.do(http.MethodPost, "/hooks/"+token, "application/json", strings.Repeat(alejandro, 70_000))

	// What goes wrong at the vendor, which may quote what it was asked.
	order := func(fault string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.sandbox+"/_sandbox/settings", strings.NewReader(`{"fail_next":`+fault+`}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("x-api-key", creds.APIKey)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Fatalf("order %s: %d", fault, res.StatusCode)
		}
	}
	order(`{"route":"POST /v1/users/accounts","status":422,"body":{"success":false,"error":{"code":"` + alejandro + `","message":"` + alejandro + `"}}}`)
	g.until(g.lookup(alejandro), `data-status="error"`)
	order(`{"route":"POST /v1/users/accounts","status":500,"body":{"success":false,"error":{"code":"` + nss + `","message":"` + alejandro + `"}}}`)
	g.until(g.lookup(alejandro), `data-status="success"`)
	order(`{"route":"POST /v1/users/accounts","mode":"cut"}`)
	g.until(g.lookup(other), `data-status="incomplete"`)

	// What goes wrong in the database, whose messages quote rows.
	if _, err := db.Pool().Exec(ctx, `alter table people add constraint refuse check (curp <> 'DETJ910411HASLMR04')`); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := g.post("/lookups", url.Values{"curp": {"DETJ910411HASLMR04"}, "platform": {"imss"}, "consent": {"on"}}); code != http.StatusInternalServerError {
		t.Errorf("a refused row: %d", code)
	}
	form := url.Values{"name": {"Palenca"}, "base_url": {"http://" + s.sandbox + "/v1"}, "key": {wrongKey}, "widget_id": {creds.WidgetID}, "calls_per_minute": {"120"}}
	g.post("/connection", form)
	g.post("/connection/test", nil)
	g.lookup(other)
	g.until("/connection", "/connection/resume")

	res, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	metrics, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(metrics), "cotejo_") {
		t.Fatalf("metrics: %v", err)
	}
	var jobs string
	if err := db.Pool().QueryRow(ctx, `select string_agg(args::text || coalesce(errors::text, '') || metadata::text, E'\n') from river_job`).Scan(&jobs); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(jobs, "attempt_id") {
		t.Error("no jobs were seen")
	}
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("ends with %d", code)
	}
	printed, announced := p.said.String(), describe("http://"+s.sandbox, creds)
	if strings.Count(printed, announced) != 1 {
		t.Error("the sandbox's keys are announced once, for people to try it")
	}
	places := map[string]string{
		"the log": strings.Replace(printed, announced, "", 1), "PostgreSQL's log": s.read("postgres", "postgres.log"),
		"the metrics": string(metrics), "the jobs": jobs, "headers and error pages": g.notes.String(),
	}
	secrets := map[string]string{"CURP": alejandro, "another CURP": other, "doubtful CURP": doubtful, "impossible CURP": impossible, "refused CURP": "DETJ910411HASLMR04",
		"NSS": nss, "name": name, "free text": freeText, "API key": creds.APIKey, "Buró's API key": creds.BuroKey, "wrong key": wrongKey, "hook token": token, "password": adminPassword, "wrong password": wrongPassword}
	for i, spelled := range spellings(nss) {
		secrets["spelling "+strconv.Itoa(i+1)] = spelled
	}
	for place, text := range places {
		text = strings.NewReplacer("+", " ", "%20", " ").Replace(text) // as an address spells names
		if text == "" {
			t.Errorf("%s is empty: nothing was looked at", place)
		}
		for what, secret := range secrets {
			if i := strings.Index(strings.ToUpper(text), strings.ToUpper(secret)); secret == "" || i >= 0 {
				t.Errorf("a %s is in %s: …%.300s", what, place, text[max(0, i-150):])
			}
		}
	}
}
