package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

func newUser(pairs ...string) url.Values {
	v := url.Values{"name": {"Beto Nuevo"}, "email": {"beto@example.mx"}, "role": {"analyst"}, "language": {"es-MX"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestAddUser(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Administrator)
	b.get("/users/new").want(http.StatusOK).count(`form[action="/users"]`, 1)
	for field, bad := range map[string]url.Values{"name": newUser("name", " "), "email": newUser("email", "Beto <b@example.mx>"), "role": newUser("role", "king")} {
		r := b.post("/users", bad).want(http.StatusUnprocessableEntity).count("#"+field+"-error", 1)
		if got, _ := r.doc().Find("input[name=email]").Attr("value"); got != bad.Get("email") {
			t.Errorf("the address typed is gone: %q", got)
		}
	}
	b.post("/users", newUser("name", strings.Repeat("x", 121))).want(http.StatusUnprocessableEntity).count("#name-error", 1)
	r := b.post("/users", newUser()).want(http.StatusOK).count("[data-once-password]", 1)
	first := r.doc().Find("[data-once-password]").Text()
	if len(first) != 26 {
		t.Errorf("the password shown is %q", first)
	}
	b.get("/users").want(http.StatusOK).has("beto@example.mx").lacks(first).count("[data-once-password]", 0)
	b.post("/users", newUser("email", "BETO@example.mx")).want(http.StatusUnprocessableEntity).count("#email-error", 1)
	if n := c.trail(audit.UserAdded, b.user); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
	beto := c.stranger()
	beto.signIn("beto@example.mx", first).to("/")
	beto.get("/").want(http.StatusOK).count(`form[action="/account/password"]`, 1)
}

func TestChangeUser(t *testing.T) {
	t.Parallel()
	c := open(t)
	boss := c.as(auth.Administrator)
	b := c.as(auth.Analyst)
	path := "/users/" + b.user.UID.String()
	boss.get(path).want(http.StatusOK).has(b.user.Email)
	boss.post(path, url.Values{"name": {""}, "role": {"analyst"}}).want(http.StatusUnprocessableEntity).count("#name-error", 1)
	boss.post(path, url.Values{"name": {"Ana Otra"}, "role": {"developer"}}).to("/users")
	boss.get("/users").has("Ana Otra")
	b.get("/lookups").want(http.StatusForbidden) // at once, in the session that is open

	boss.post(path+"/reset", nil).want(http.StatusOK).count("[data-once-password]", 1)
	b.get("/").to("/login")
	boss.post(path+"/disable", nil).to("/users")
	c.stranger().signIn(b.user.Email, password).want(http.StatusUnprocessableEntity)
	boss.post(path+"/enable", nil).to("/users")
	for _, act := range []string{"", "/reset", "/disable", "/enable"} {
		boss.post("/users/"+uuid.NewString()+act, url.Values{"name": {"x"}, "role": {"analyst"}}).want(http.StatusNotFound)
	}
	want := map[audit.Action]int{audit.UserChanged: 1, audit.PasswordReset: 1, audit.UserDisabled: 1, audit.UserEnabled: 1}
	for action, n := range want {
		if got := c.trail(action, boss.user); got != n {
			t.Errorf("%s: %d entries, want %d", action, got, n)
		}
	}
}

// Nobody locks out themselves or everybody.
func TestAdministratorsStay(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Administrator)
	own := "/users/" + b.user.UID.String()
	for _, act := range []string{"/disable", "/enable", "/reset"} {
		b.post(own+act, nil).want(http.StatusUnprocessableEntity).has(spanish.T("admin.user.not_self"))
	}
	b.post(own, url.Values{"name": {"Ana"}, "role": {"analyst"}}).want(http.StatusUnprocessableEntity).has(spanish.T("admin.user.last_administrator"))
	if got := one[string](c, `select role from users where id = $1`, b.user.ID); got != "administrator" {
		t.Errorf("the last administrator became %s", got)
	}
	c.add("second@example.mx", auth.Administrator)
	b.post(own, url.Values{"name": {"Ana"}, "role": {"analyst"}}).to("/users")
	b.get("/users").want(http.StatusForbidden)
}

func TestAccount(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Auditor)
	b.get("/account").want(http.StatusOK)
	good := func(pairs ...string) url.Values {
		v := url.Values{"name": {"Ana Cambiada"}, "language": {"en"}, "zone": {"America/Tijuana"}, "theme": {"dark"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	for name, bad := range map[string]url.Values{"name": good("name", " "), "language": good("language", "fr"), "zone": good("zone", "Local"),
		"other zone": good("zone", "../etc/passwd"), "no zone": good("zone", ""), "theme": good("theme", "neon")} {
		r := b.post("/account", bad).want(http.StatusUnprocessableEntity)
		if r.doc().Find(".field__error, [role=alert]").Length() == 0 {
			t.Errorf("%s: no reason", name)
		}
	}
	b.post("/account", good()).to("/account")
	b.get("/account").want(http.StatusOK).has(english.T("admin.account.title"), "Ana Cambiada", english.T("admin.flash.account_saved"))
	b.get("/account").lacks(english.T("admin.flash.account_saved")) // a flash shows once
	if got := one[string](c, `select concat_ws(' ', name, language, zone, theme) from users where id = $1`, b.user.ID); got != "Ana Cambiada en America/Tijuana dark" {
		t.Errorf("stored %q", got)
	}
	before := b.cookie()
	b.post("/account/password", url.Values{"current": {"wrong"}, "new": {"a much better password"}, "again": {"a much better password"}}).
		want(http.StatusUnprocessableEntity).count("#current-error", 1).lacks("a much better")
	b.post("/account/password", url.Values{"current": {password}, "new": {"a much better password"}, "again": {"a much better password"}}).to("/account")
	if b.cookie() == before {
		t.Error("the session keeps its id")
	}
	if c.trail(audit.PasswordChanged, b.user) != 1 {
		t.Error("the change of password is not on the trail")
	}
}
