package handlers_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/handlers"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// exporting is the form that takes out a list.
func exporting(of, filter string, pairs ...string) url.Values {
	v := url.Values{"of": {of}, "filter": {filter}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// file wants a download with a receipt, and gives the receipt's id.
func (r *reply) file() string {
	r.t.Helper()
	r.want(http.StatusOK)
	id := r.header.Get("Cotejo-Receipt")
	if name := r.header.Get("Content-Disposition"); id == "" || !strings.Contains(name, "-"+id+".csv") || !strings.HasPrefix(r.body, "\xef\xbb\xbf") {
		r.t.Errorf("%s: receipt %q, %s, begins %.40q", r.what, id, name, r.body)
	}
	return id
}

func (r *reply) sum() string {
	sum := sha256.Sum256([]byte(r.body))
	return hex.EncodeToString(sum[:])
}

// check uploads a file to be compared.
func (b *browser) check(name, file, hash string) *reply {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write([]byte(file))
	}
	if err == nil {
		err = form.WriteField("sha256", hash)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(http.MethodPost, "/exports/check", &body, "Content-Type", form.FormDataContentType())
}

// invent adds lookups of that many new people.
func (c *console) invent(n int) {
	c.t.Helper()
	c.exec(`with p as (insert into people (environment, curp) select 'sandbox', 'AAAA' || lpad((g + (select count(*) from people))::text, 6, '0') || 'HDFAAA00' from generate_series(1, $1::int) g returning id),
		k as (insert into consents (person_id, recorded_by, given_at, expires_at, notice_version, means, purpose)
		      select p.id, c.recorded_by, c.given_at, c.expires_at, c.notice_version, c.means, c.purpose from p, (select recorded_by, given_at, expires_at, notice_version, means, purpose from consents order by id limit 1) c returning id, person_id)
		insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by, status)
		select l.environment, k.person_id, l.connection_id, k.id, l.platform, l.source, l.requested_by, 'success' from k, (select environment, connection_id, platform, source, requested_by from lookups order by id limit 1) l`, n)
}

func TestExportOfAList(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	b := c.as(auth.Analyst)
	list := b.get("/lookups?status=success").want(http.StatusOK)
	form := list.attr("#export-these", "href")
	b.get(form).want(http.StatusOK).count(`#export-count[data-items="1"][data-people="1"]`, 1).count("#password", 0).count("#export-form", 1)

	// The records of a list of one are the file of that one.
	alone := b.get("/lookups/" + uid.String() + "/employment.csv")
	records := b.post("/exports", exporting("lookups", "status=success", "kind", "records", "reason", "revisión de cartera"))
	id := records.file()
	if alone.body != records.body || alone.file() == id {
		t.Error("one person's file is not that of a list with the same lookup, or their receipts are one")
	}
	lookups := b.post("/exports", exporting("lookups", "status=success"))
	lookups.file()
	if !strings.Contains(lookups.body, uid.String()) || strings.Count(lookups.body, "\r\n") != 2 {
		t.Errorf("the list's file is %q", lookups.body)
	}
	if empty := b.post("/exports", exporting("lookups", "status=expired")); strings.Count(empty.body, "\r\n") != 1 {
		t.Errorf("an empty list gives %q", empty.body)
	}
	deliveries := b.post("/exports", exporting("deliveries", "verdict=accepted"))
	deliveries.file()
	if n := one[int](c, `select count(*) from deliveries where verdict = 'accepted'`); strings.Count(deliveries.body, "\r\n") != n+1 || strings.Contains(deliveries.body, alejandro) {
		t.Errorf("%d deliveries give %q", n, deliveries.body)
	}

	// The person's history tells of each to whoever sees the person; the receipt is for those who may open it.
	person := "/people/" + one[uuid.UUID](c, `select uid from people`).String()
	const led = `[data-happened] a[href^="/exports/"]`
	b.get(person).want(http.StatusOK).count("[data-happened=export]", 3).count(led, 4).has("revisión de cartera").count(`[data-happened=export] a[href="/exports/`+id+`"]`, 1)
	other := c.as(auth.Supervisor)
	other.get(person).want(http.StatusOK).count("[data-happened=export]", 3).count(led, 4)
	c.exec(`update users set role = 'analyst' where id = $1`, other.user.ID)
	other.get(person).want(http.StatusOK).count("[data-happened=export]", 3).count(led, 0).has("revisión de cartera")

	b.get("/exports").want(http.StatusOK).count("tr[data-receipt]", 5).count(`tr[data-kind=records]`, 1)
	page := b.get("/exports/"+id).want(http.StatusOK).has(id, records.sum(), "revisión de cartera", "Con resultado").count("#export[data-state=sent]", 1)
	page.lacks(alejandro)
	got := one[string](c, `select concat_ws(' ', kind, words->>'status', reason, people, rows, bytes, encode(sha256, 'hex'), made_name, environment) from receipts where uid = $1`, id)
	want := strings.Join([]string{"records", "success", "revisión de cartera", "1", one[string](c, `select count(*)::text from employment_records`),
		one[string](c, `select $1::int::text`, len(records.body)), records.sum(), b.user.Name, "sandbox"}, " ")
	if got != want {
		t.Errorf("the receipt says %q, want %q", got, want)
	}
	if n := c.trail(audit.ListExported, b.user); n != 4 {
		t.Errorf("%d lists on the trail", n)
	}

	// Whether a file is as it left.
	name := "records-20260101T000000Z-" + id + " (1).csv"
	b.get("/exports/check").want(http.StatusOK).count("#check-form", 1)
	b.check(name, records.body, "").want(http.StatusOK).count("#check-result[data-verdict=same]", 1).count(`[data-receipt="`+id+`"]`, 1)
	b.check("renamed.csv", records.body, "").want(http.StatusOK).count("#check-result[data-verdict=same]", 1)
	altered := strings.Replace(records.body, ",IMSS", ",ISSSTE", 1) + " "
	b.check(name, altered, "").want(http.StatusOK).count("#check-result[data-verdict=altered]", 1).count(`[data-receipt="`+id+`"]`, 1)
	b.check("renamed.csv", altered, "").want(http.StatusOK).count("#check-result[data-verdict=unknown]", 1)
	b.check("", "", strings.ToUpper(records.sum())+"  file.csv").want(http.StatusOK).count("#check-result[data-verdict=same]", 1)
	b.post("/exports/check", url.Values{"sha256": {strings.Repeat("0", 64)}}).want(http.StatusOK).count("#check-result[data-verdict=unknown_hash]", 1)
	b.check("", "", "not a hash").want(http.StatusUnprocessableEntity).count("#sha256-error", 1)
	b.check("", "", "").want(http.StatusUnprocessableEntity).count("#file-error", 1)
	b.post("/exports/check", nil).want(http.StatusUnprocessableEntity)

	// Others: an overseer sees everybody's, an analyst only their own, a developer none; who may not export does not.
	auditor := c.as(auth.Auditor)
	auditor.get("/exports").want(http.StatusOK).count("tr[data-receipt]", 5)
	auditor.get("/exports/" + id).want(http.StatusOK)
	auditor.get("/lookups").count("#export-these", 0)
	auditor.get(form).want(http.StatusForbidden)
	auditor.post("/exports", exporting("lookups", "")).want(http.StatusForbidden).lacks(alejandro)
	c.exec(`update users set role = 'analyst' where id = $1`, auditor.user.ID)
	auditor.get("/exports").want(http.StatusOK).count("tr[data-receipt]", 0)
	auditor.get("/exports/" + id).want(http.StatusNotFound)
	auditor.check(name, records.body, "").want(http.StatusOK).count("#check-result[data-verdict=same]", 1).count(`a[href="/exports/`+id+`"]`, 0)
	c.as(auth.Developer).get("/exports").want(http.StatusForbidden)
	c.stranger().get("/exports/" + id + "/file").want(http.StatusSeeOther)

	for name, tt := range map[string]struct {
		form   url.Values
		status int
	}{
		"no list":              {exporting("people", ""), http.StatusNotFound},
		"no bulk":              {exporting("bulk", "bulk=x"), http.StatusNotFound},
		"another's bulk":       {exporting("bulk", "bulk="+uuid.NewString()), http.StatusNotFound},
		"not a query":          {exporting("lookups", "a=%zz"), http.StatusBadRequest},
		"text without days":    {exporting("deliveries", "text=x"), http.StatusUnprocessableEntity},
		"no lookup's id":       {exporting("deliveries", "lookup=x"), http.StatusUnprocessableEntity},
		"CURP in the filter":   {exporting("deliveries", "account="+alejandro), http.StatusUnprocessableEntity},
		"no such value":        {exporting("lookups", "status=sucess"), http.StatusUnprocessableEntity},
		"no such day":          {exporting("lookups", "status=success&from=2026-13-01"), http.StatusUnprocessableEntity},
		"no such analyst":      {exporting("lookups", "analyst=x"), http.StatusUnprocessableEntity},
		"no such filter":       {exporting("lookups", "statuss=success"), http.StatusUnprocessableEntity},
		"no such verdict":      {exporting("deliveries", "verdict=fine"), http.StatusUnprocessableEntity},
		"no such hook":         {exporting("deliveries", "subscription=x"), http.StatusUnprocessableEntity},
		"NSS in the reason":    {exporting("lookups", "", "reason", "de 0218-92-1687-8"), http.StatusUnprocessableEntity},
		"CURP in the reason":   {exporting("lookups", "", "reason", "de "+alejandro), http.StatusUnprocessableEntity},
		"reason without limit": {exporting("lookups", "", "reason", strings.Repeat("x", receipt.MaxReason+1)), http.StatusUnprocessableEntity},
	} {
		before := one[int](c, `select count(*) from receipts`)
		if r := b.post("/exports", tt.form); r.status != tt.status || one[int](c, `select count(*) from receipts`) != before {
			t.Errorf("%s: status %d, want %d", name, r.status, tt.status)
		}
	}
	b.get("/exports/new?of=deliveries&account="+alejandro).want(http.StatusUnprocessableEntity).lacks(alejandro).count("#export-form", 0)
	b.get("/exports/new?of=lookups&kind=records&status=sucess").want(http.StatusUnprocessableEntity).count("#export-form", 0).has("«status»").lacks("sucess")
	b.get("/exports/new?of=lookups&Alejandro=x").want(http.StatusUnprocessableEntity).count("#export-form", 0).has(spanish.T("exports.form.filter_name")).lacks("Alejandro")
	b.get("/exports/new?of=lookups&kind=records&status=&status=").want(http.StatusOK).count("#export-form", 1)
	b.get("/exports/" + uuid.NewString()).want(http.StatusNotFound)

	// The bytes of one under the name of another are not what the name says, however they are shown.
	swapped := b.post("/exports", exporting("lookups", "", "kind", "records"))
	mine := swapped.file()
	for range 5 { // as many as are listed, in front of it
		b.post("/exports", exporting("lookups", "", "kind", "records")).want(http.StatusOK)
	}
	for _, r := range []*reply{b.check(name, lookups.body, ""), b.check("", "", lookups.sum()+"  "+name)} {
		r.want(http.StatusOK).count("#check-result[data-verdict=swapped]", 1).count(`[data-receipt="`+id+`"]`, 1).count(`[data-receipt]`, 2).count("#check-result .alert--error", 1)
	}
	b.check("records-20260101T000000Z-"+mine+".csv", swapped.body, "").want(http.StatusOK).count("#check-result[data-verdict=same]", 1).count(`[data-receipt="`+mine+`"]`, 1)

	// The other environment holds none of it.
	c.exec(`update console set environment = 'production'`)
	b.get("/exports").want(http.StatusOK).count("tr[data-receipt]", 0)
	b.get("/exports/" + id).want(http.StatusNotFound)
	b.check(name, records.body, "").want(http.StatusOK).count("#check-result[data-verdict=unknown]", 1)
	if r := b.post("/exports", exporting("lookups", "")); strings.Count(r.body, "\r\n") != 1 {
		t.Errorf("lookups of the sandbox came out of production: %.100q", r.body)
	}

	// What cannot be written to the trail does not leave.
	c.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	c.exec(`create trigger refuse before insert on audit_entries for each row execute function refuse()`)
	c.exec(`update console set environment = 'sandbox'`)
	b.post("/exports", exporting("lookups", "")).want(http.StatusInternalServerError).lacks(alejandro)
	if strings.Contains(c.log.String(), alejandro) || strings.Contains(c.log.String(), "cartera") {
		t.Error("the log holds a CURP or a reason")
	}
}

// Of more than a hundred persons nothing leaves without a reason and the password.
func TestExportOfMany(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.request(alejandro)
	b := c.as(auth.Supervisor)
	c.invent(99)
	b.get("/exports/new?of=lookups").want(http.StatusOK).count(`[data-people="100"]`, 1).count("#password", 0)
	b.post("/exports", exporting("lookups", "")).file()
	c.invent(1)
	b.get("/exports/new?of=lookups").want(http.StatusOK).count(`[data-people="101"]`, 1).count("#password[required]", 1)
	const reason = "auditoría interna de noviembre"
	b.post("/exports", exporting("lookups", "", "password", password)).want(http.StatusUnprocessableEntity).count("#reason-error", 1).lacks(password)
	b.post("/exports", exporting("lookups", "", "password", password, "reason", "corto")).want(http.StatusUnprocessableEntity).count("#reason-error", 1).has("corto")
	b.post("/exports", exporting("lookups", "", "reason", reason)).want(http.StatusUnprocessableEntity).count("#password-error", 1).has(reason)
	b.post("/exports", exporting("lookups", "", "reason", reason, "password", "wrong horse battery")).want(http.StatusUnprocessableEntity).count("#password-error", 1)
	if n := c.trail(audit.SignInFailed, b.user); n != 2 {
		t.Errorf("%d failures on the trail", n)
	}
	r := b.post("/exports", exporting("lookups", "", "reason", reason, "password", password))
	id := r.file()
	if got := one[string](c, `select concat_ws(' ', people, rows, reason) from receipts where uid = $1`, id); got != "101 101 "+reason {
		t.Errorf("the receipt says %q", got)
	}
	// Five wrong ones, and even the right one has to wait, as at the sign-in.
	for range 3 {
		b.post("/exports", exporting("lookups", "", "reason", reason, "password", "x"))
	}
	b.post("/exports", exporting("lookups", "", "reason", reason, "password", password)).want(http.StatusUnprocessableEntity).count("#password-error", 1)
}

// A list that comes to hold the data of a hundred and one people after it was counted is not handed over without a reason.
func TestExportThatGrows(t *testing.T) {
	t.Parallel()
	var grows atomic.Bool
	c := open(t, func(o *handlers.Options) {
		counted, err := db.Open(t.Context(), o.DB.Pool().Config().ConnString(), func(statement string, _ time.Duration, _ error) {
			if statement == "count of export" && grows.CompareAndSwap(true, false) {
				if _, err := o.DB.Pool().Exec(t.Context(), `update lookups set platform = 'imss' where platform = 'issste'`); err != nil {
					t.Error(err)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(counted.Close)
		o.DB = counted
	})
	c.connect(lookup.Sandbox, "http://127.0.0.1:1/v1", "private_test_key_0123456789", uuid.NewString())
	c.request(alejandro)
	c.invent(100)
	c.exec(`update lookups set platform = 'issste' where id = (select max(id) from lookups)`)
	b := c.as(auth.Supervisor)
	const of = "platform=imss"
	b.get("/exports/new?of=lookups&"+of).want(http.StatusOK).count(`[data-people="100"]`, 1).count("#password", 0)
	grows.Store(true)
	b.post("/exports", exporting("lookups", of, "reason", "revisión")).want(http.StatusUnprocessableEntity).count(`[data-people="101"]`, 1).
		count("#reason-error", 1).count("#password[required]", 1).has("La lista creció").has("revisión")
	if grows.Load() || one[int](c, `select count(*) from receipts`) != 0 || c.trail(audit.ListExported, b.user) != 0 {
		t.Errorf("it never grew (%v), or something was taken out", grows.Load())
	}
	b.post("/exports", exporting("lookups", of, "reason", "revisión de noviembre", "password", password)).file()
}

// A long list becomes a job, whose file waits for whoever asked.
func TestExportInTheBackground(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.request(alejandro)
	c.invent(receipt.AtOnce)
	b, other := c.as(auth.Analyst), c.as(auth.Administrator)
	form := exporting("lookups", "", "reason", "traspaso de cartera", "password", password)
	first := b.post("/exports", form).want(http.StatusSeeOther).header.Get("Location")
	second := b.post("/exports", form).want(http.StatusSeeOther).header.Get("Location")
	if !regexp.MustCompile(`^/exports/[0-9a-f-]{36}$`).MatchString(first) || first == second {
		t.Fatalf("lead to %q and %q", first, second)
	}
	b.get(first).want(http.StatusOK).count("#export[data-state=waiting]", 1).count(`form[action$="/cancel"]`, 1).count("#export-file", 0)
	b.get("/exports").count("li[data-export]", 2)
	b.get(first + "/file").want(http.StatusNotFound)
	other.get(first).want(http.StatusOK).count(`form[action$="/cancel"]`, 0)
	other.post(first+"/cancel", nil).want(http.StatusNotFound)
	b.post(second+"/cancel", nil).to(second)
	b.get(second).count("#export[data-state=cancelled]", 1).has("cancel")
	b.post(second+"/cancel", nil).to(second) // it says so
	b.get("/exports").count("li[data-export]", 2).lacks("más recientes")
	c.exec(`insert into exports (environment, kind, zone, people, asked_by, asked_name, state, finished_at)
		select environment, kind, zone, people, asked_by, asked_name, state, finished_at from exports, generate_series(1, 20) where state = 'cancelled'`)
	b.get("/exports").count("li[data-export]", 20).has("Se muestran las 20 más recientes.")

	c.exec(`delete from river_job where kind = 'create_account'`)
	c.work()
	c.await(`select state = 'ready' from exports where uid = $1`, strings.TrimPrefix(first, "/exports/"))
	b.get(first).want(http.StatusOK).count("#export[data-state=ready]", 1).count("#export-file", 1)
	r := b.get(first + "/file")
	id := r.file()
	if first != "/exports/"+id || strings.Count(r.body, "\r\n") != receipt.AtOnce+2 || one[string](c, `select encode(sha256, 'hex') from receipts where uid = $1`, id) != r.sum() {
		t.Errorf("the file of %d bytes is not that of its receipt", len(r.body))
	}
	if n := c.trail(audit.ExportTaken, b.user); n != 1 {
		t.Errorf("%d downloads on the trail", n)
	}
	other.get(first).want(http.StatusOK).count("#export-file", 0)
	other.get(first + "/file").want(http.StatusNotFound).lacks(alejandro)
	c.exec(`update exports set expires_at = now() - interval '1 second' where state = 'ready'`)
	b.get(first).count("#export[data-state=expired]", 1).count("#export-file", 0)
	b.get(first + "/file").want(http.StatusNotFound)
	if c := one[int](c, `select count(*) from river_job where args::text like '%GATA%'`); c != 0 {
		t.Error("a job holds a CURP")
	}
}

// A page follows its export until it has ended.
func TestExportLive(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	c.request(alejandro)
	// Left behind by a process that died: whoever works the queue next takes it up.
	_, err := c.AskExport(t.Context(), receipt.Asking{Selection: receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Zone: "UTC"}, People: 1},
		audit.Actor{UserID: b.user.ID, Name: "Ana"})
	c.must(err)
	c.exec(`delete from river_job where kind = 'make_export'`)
	c.exec(`update exports set beat_at = now() - interval '2 minutes'`)
	path := "/exports/" + one[string](c, `select uid::text from exports`)
	b.get(path).count(`[hx-sse\:connect="`+path+`/live"]`, 1)
	s := b.watchAt(path+"/live", "")
	s.until(`data-state="waiting"`)
	c.work()
	s.until(`data-state="ready"`)
	other := c.as(auth.Supervisor)
	c.exec(`update users set role = 'analyst' where id = $1`, other.user.ID)
	other.get(path + "/live").want(http.StatusNotFound)
	if n := one[int](c, `select count(*) from river_job where kind = 'make_export'`); n != 1 {
		t.Errorf("%d jobs", n)
	}
}
