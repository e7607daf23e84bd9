package browsertest

import (
	"fmt"
	"testing"
)

// gate looks at what strangers meet.
func gate(t *testing.T, s *site, b *tab) {
	t.Helper()
	b.open("/login")
	b.look("sign-in", "/login", 200)
	b.look("sign-in, sent here", "/login?next=%2Flookups", 200)
	b.expects(404)
	t.Run("no such page, for strangers", func(t *testing.T) {
		b.inEach(t, func() { b.open("/nothing") })
	})
	const nobody = "nadie@example.mx"
	again := func() int64 {
		b.open("/login")
		return b.leads(fill("#email", nobody), fill("#password", "x"), press("\r"))
	}
	b.shown("sign-in, refused", 422, again)
	s.change(`insert into sign_in_failures (key) select sha256(convert_to('account ' || $1, 'UTF8')) from generate_series(1, 5)`, nobody)
	b.shown("sign-in, too many tries", 429, again)
}

// newcomer looks at what somebody meets whom an administrator has just added: their password, shown once; the only page that it
// opens; what their role may not do; and what they typed when their session ended.
func newcomer(s *site, p *process, boss *tab) {
	t := boss.t.(*testing.T)
	t.Helper()
	email, once, made := "", "", 0
	boss.shown("new user's password", 200, func() int64 {
		made++ // one for each language
		email = fmt.Sprintf("luz.%d@example.mx", made)
		boss.open("/users/new")
		status := boss.leads(fill("#name", "Luz Prueba"), fill("#email", email), click("input[name=role][value=developer]"), click(`form[action="/users"] .btn--primary`))
		once = boss.text("[data-once-password]")
		return status
	})
	b := visitor(t, p.url)
	b.signIn(email, once)
	b.look("password to be changed", "/lookups", 200)
	b.refused("password to be changed, refused", func() int64 {
		b.open("/")
		return b.leads(fill("#current", once), fill("#new", "short"), fill("#again", "other"), press("\r"))
	})
	b.open("/")
	b.leads(fill("#current", once), fill("#new", newPassword), fill("#again", newPassword), press("\r"))
	b.look("overview, developer", "/", 200)
	b.look("forbidden", "/lookups", 403)
	s.change(`update users set role = 'analyst' where email = $1`, email)
	b.expects(401)
	t.Run("kept over a sign-in", func(t *testing.T) {
		for _, in := range spoken {
			b.speak(in.lang)
			b.open("/search")
			s.change(`update sessions set expires_at = now() - interval '1 minute' where user_id = (select id from users where email = $1)`, email)
			if status := b.leads(fill("#seek", "SOL-9"), press("\r")); status != 401 {
				t.Fatalf("what was typed is answered %d", status)
			}
			b.speaks(t, in.lang)
			b.axe(t, in.windows...)
			b.leads(fill("#email", email), fill("#password", newPassword), press("\r"))
			if n := b.count("#typed"); n != 1 {
				t.Fatal("what was typed is lost")
			}
			b.speaks(t, in.lang)
			b.axe(t, in.windows...)
		}
	})
}
