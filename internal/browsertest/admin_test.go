package browsertest

import (
	"strings"
	"testing"
)

const newPassword = "otra frase que nadie conoce"

// TestUsers adds somebody, follows their first steps, and ends their access.
func TestUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	boss := admin(t, p)
	boss.open("/users/new")
	boss.leads(fill("#name", "Ana Prueba"), fill("#email", "ana@example.mx"), click("input[name=role][value=analyst]"),
		click(`form[action="/users"] .btn--primary`))
	once := boss.text("[data-once-password]")
	if len(once) < 20 {
		t.Fatalf("the password shown has %d characters", len(once))
	}
	boss.open("/users")
	if n := boss.count("[data-once-password]"); n != 0 || strings.Contains(boss.text("main"), once) {
		t.Error("the password is shown a second time")
	}

	ana := visitor(t, p.url)
	ana.signIn("ana@example.mx", once)
	ana.open("/lookups")
	if n := ana.count(`form[action="/account/password"]`); n != 1 || ana.count("[data-live]") != 0 {
		t.Error("a password that somebody else has seen opens more than its own change")
	}
	ana.leads(fill("#current", once), fill("#new", newPassword), fill("#again", newPassword), press("\r"))
	if at := ana.path(); at != "/" {
		t.Fatalf("the new password leads to %s", at)
	}
	if status := ana.open("/lookups"); status != 200 {
		t.Errorf("an analyst is answered %d on the lookups", status)
	}
	ana.expects(403)
	for _, path := range []string{"/users", "/users/new", "/connection"} {
		if status := ana.open(path); status != 403 {
			t.Errorf("an analyst is answered %d on %s", status, path)
		}
		ana.says("h1", "Su rol no alcanza para esto")
		if n := ana.count(`nav a[href="/lookups"]`); n != 1 {
			t.Errorf("the page about %s leads nowhere", path)
		}
	}
	if n := ana.count(`nav a[href="/users"]`); n != 0 {
		t.Error("the navigation offers what the role may not do")
	}

	ana.open("/lookups/new")
	ana.do(fill("#external_id", "SOL-77"))
	boss.open("/users/" + value[string](s, "select uid::text from users where email = 'ana@example.mx'"))
	boss.leads(click(".btn--danger"))
	boss.says(".flash", "Ana Prueba ya no puede entrar.")
	// What was typed outlives the session.
	ana.expects(401, 403)
	ana.do(fill("#curp", people[0].curp))
	ana.until(`document.querySelector("main > .flash--error a[href='/login']")`)
	ana.until(`document.querySelector("#external_id").value == "SOL-77"`)
	ana.leads(click(`nav a[href="/lookups"]`))
	if at := ana.path(); at != "/login" {
		t.Errorf("after being disabled one can still open %s", at)
	}
	ana.expects(422)
	ana.signIn("ana@example.mx", newPassword)
	if at := ana.path(); at != "/login" {
		t.Errorf("a disabled user signs in and gets to %s", at)
	}
	boss.open("/users/" + value[string](s, "select uid::text from users where email = 'ana@example.mx'"))
	boss.leads(click(`form[action$="/enable"] button`))
	ana.signIn("ana@example.mx", newPassword)
	if at := ana.path(); at != "/" {
		t.Errorf("after being enabled one gets to %s", at)
	}
}

// TestEnvironments edits and tests the connection, and changes between test and real data and back.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	id := b.request("GATA000408HTLRLLA7", "SOL-1")
	b.finished("success", "complete")

	b.open("/connection")
	b.leads(fill("#calls_per_minute", "90"), click(`form[action^="/connection?"] .btn--primary`))
	if got := ask[string](b, `document.getElementById("calls_per_minute").value`); got != "90" {
		t.Errorf("the limit was kept as %s", got)
	}
	b.leads(click(`form[action^="/connection/test?"] button`))
	if n := b.count(`[data-test="ok"]`); n != 1 {
		b.says("main", "La conexión responde.")
	}

	b.open("/connection")
	if n := b.count(".ribbon"); n != 1 {
		t.Error("test data are shown without the ribbon")
	}
	colour := ask[string](b, `getComputedStyle(document.querySelector(".mast")).backgroundColor + getComputedStyle(document.querySelector(".ribbon")).backgroundColor`)
	if !strings.Contains(b.title(), "PRUEBAS") {
		t.Errorf("the title does not tell test data: %s", b.title())
	}
	b.leads(click("#environment-confirm"), click(`form[action="/environment"] button`))
	if n := b.count(".ribbon"); n != 0 || strings.Contains(b.title(), "PRUEBAS") {
		t.Error("real data are marked as test data")
	}
	if now := ask[string](b, `getComputedStyle(document.querySelector(".mast")).backgroundColor + (document.querySelector(".ribbon") ?? "")`); now == colour {
		t.Error("both environments have one colour")
	}
	b.open("/lookups")
	if n := b.count("[data-lookup]"); n != 0 {
		t.Errorf("%d lookups of test people among the real ones", n)
	}
	b.expects(404)
	for _, path := range []string{"/lookups/" + id, "/lookups/" + id + "/employment.csv"} {
		if status := b.open(path); status != 404 {
			t.Errorf("%s answers %d in production", path, status)
		}
	}
	b.open("/deliveries")
	if n := b.count("[data-delivery]"); n != 0 {
		t.Errorf("%d deliveries about test people among the real ones", n)
	}
	b.open("/connection")
	if key := ask[string](b, `document.getElementById("base_url").value`); key != "" {
		t.Errorf("production starts with the address %s", key)
	}
	b.leads(click(`form[action="/environment"] button`))
	b.open("/lookups")
	if n := b.count("[data-lookup]") * b.count(".ribbon"); n != 1 {
		t.Error("the way back to the test data does not lead to them")
	}
}

// TestLanguage switches to English and back from the navigation.
func TestLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	b.open("/lookups")
	for _, want := range []struct{ lang, title, missing string }{{"en", "Lookups", "Nothing is here"}, {"es-MX", "Consultas", "Aquí no hay nada"}} {
		b.leads(click(".nav__prefs button[name=lang]"))
		if at := b.path(); at != "/lookups" {
			t.Errorf("the switch leads to %s", at)
		}
		if lang := ask[string](b, "document.documentElement.lang"); lang != want.lang {
			t.Errorf("the page is in %s, not %s", lang, want.lang)
		}
		b.says("h1", want.title)
		b.expects(404)
		b.open("/nothing")
		b.says("h1", want.missing)
		b.open("/lookups")
	}
}

// TestTheme keeps the colours that somebody chose, at once and on the next page.
func TestTheme(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	paper := `getComputedStyle(document.body).backgroundColor`
	light := ask[string](b, paper)
	b.do(click(`.nav__prefs button[name=theme][value=dark]`))
	b.until(paper + ` != "` + light + `"`)
	s.until("theme = 'dark' from users where email = $1", adminEmail)
	b.open("/lookups")
	if ask[string](b, paper) == light {
		t.Error("the next page is light again")
	}
}
