package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// settled waits until nothing is under way any more.
const settled = `count(*) = 0 from lookups where actor in ('cotejo', 'source') or employment_state = 'fetching' or profile_state = 'fetching'`

// TestAccessible looks at every page but the lookup's own.
func TestAccessible(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve("COTEJO_DEV=1")
	b := visitor(t, p.url)
	gate(t, s, b)
	b.signIn(adminEmail, adminPassword)
	b.look("overview, empty", "/", 200)
	b.look("lookups, empty", "/lookups", 200)
	b.look("deliveries, empty", "/deliveries", 200)
	b.look("exports, empty", "/exports", 200)
	b.look("replays, empty", "/replays", 200)
	b.look("jobs, empty", "/jobs", 200)
	for _, p := range []person{people[0], people[3], people[5], people[7]} {
		b.request(p.curp, "SOL-"+p.curp[:4])
	}
	s.until(settled)
	s.change(`insert into tags (environment, name, folded) values ('sandbox', 'revisión', 'revision')`)
	s.change(`insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, t.id, l.requested_at from lookups l, tags t`)
	const colleague = "colega@example.mx"
	s.change(`insert into users (email, name, role, password_hash, must_change) select $1, 'Colega', role, password_hash, false from users`, colleague)
	// A language is a user's own, so two of them look at a half each.
	t.Run("halves", func(t *testing.T) {
		for email, half := range map[string]func(*site, *process, *tab){adminEmail: desk, colleague: administration} {
			t.Run(email, func(t *testing.T) {
				t.Parallel()
				part := *s
				part.t = t
				b := visitor(t, p.url)
				b.signIn(email, adminPassword)
				half(&part, p, b)
			})
		}
	})
	passwordAgain(t, s, b)
}

// desk looks at what analysts work with.
func desk(s *site, _ *process, b *tab) {
	b.look("overview", "/", 200)
	b.look("lookups", "/lookups", 200)
	b.look("lookups, filtered", "/lookups?actor=analyst&status=error", 200)
	b.look("lookups, nothing found", "/lookups?from=1999-01-01&to=1999-01-02", 200)
	b.look("lookups, more filters", "/lookups?overdue=1&platform=imss", 200)
	b.look("search", "/search", 200)
	search := b.search("SOL-")
	b.look("search, lookups", search, 200)
	b.look("search, nothing found", search+"?as=employer", 200)
	b.look("search, people", b.search("GATA000408"), 200)
	b.look("tags", "/tags", 200)
	b.look("new lookup", "/lookups/new", 200)
	b.look("definitions of the figures", "/figures", 200)
	b.look("deliveries", "/deliveries", 200)
	b.look("deliveries, nothing found", "/deliveries?verdict=refused", 200)
	b.look("delivery", "/deliveries/"+value[string](s, "select uid::text from deliveries order by id limit 1"), 200)
	b.look("two deliveries", "/deliveries/"+value[string](s, "select uid || '/compare/' || (select max(uid::text) from deliveries) from deliveries order by uid::text limit 1"), 200)
	b.look("stored answer", "/pulls/"+value[string](s, "select uid::text from pulls where kind = 'employment' order by id limit 1")+"?at=employment_history-0", 200)
	b.look("bulks, empty", "/bulk", 200)
	b.open("/bulk")
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "CURP;Folio\n"+people[1].curp+";F-1\n"+people[2].curp[:9]+";F-2"))
	b.leads(click("#bulk-upload .form__acts button"))
	b.until(`document.querySelector("#bulk[data-state=draft][data-send]")`)
	draft := b.path()
	b.look("bulk, draft", draft, 200)
	b.look("export", "/exports/new?of=lookups", 200)
	b.look("check of a file", "/exports/check", 200)
	b.refused("bulk, refused", func() int64 {
		b.open(draft)
		return b.leads(click("#bulk-consent .form__acts button"))
	})
	b.open(draft)
	b.leads(click("#consent"), click("#bulk-consent .form__acts button"))
	b.until(`document.querySelector("#bulk[data-state=done]")`)
	s.until(settled)
	b.look("bulk, done", draft, 200)
	b.look("bulks", "/bulk", 200)
	b.look("no such lookup", "/lookups/00000000-0000-0000-0000-000000000000", 404)
	b.look("no such page", "/nothing", 404)
}

// administration looks at what administrators have beside it.
func administration(s *site, p *process, b *tab) {
	b.look("sandbox people", "/sandbox", 200)
	b.look("users", "/users", 200)
	b.look("new user", "/users/new", 200)
	b.look("user", "/users/"+value[string](s, "select uid::text from users order by id limit 1"), 200)
	b.look("connection", "/connection", 200)
	b.look("account", "/account", 200)
	b.look("settings", "/settings", 200)
	b.look("subscriptions", "/subscriptions?compare=on", 200)
	b.look("new subscription", "/subscriptions/new", 200)
	b.look("subscription", "/subscriptions/"+value[string](s, "select uid::text from subscriptions order by id limit 1"), 200)
	b.look("gallery", "/gallery", 200)
	b.look("bench", "/bench", 200)
	b.look("bench of a delivery", "/bench?delivery="+value[string](s, "select uid::text from deliveries order by id limit 1"), 200)
	refusedForms(b)
	answers(s, b)
	newcomer(s, p, b)
}

// TestAccessibleLookups looks at the lookup's page in each of its states.
func TestAccessibleLookups(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	ids := map[string]string{}
	for _, p := range []person{people[0], people[3], people[5], people[7]} {
		ids[p.status+" "+p.records] = b.request(p.curp, "SOL-"+p.curp[:4])
	}
	s.until(settled)
	// States that pass or that need a vendor's silence are made by hand: the page only reads them.
	for _, status := range []string{"queued", "pending", "expired"} {
		s.change(`with made as (
			insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by, requested_at, status)
			select environment, person_id, connection_id, consent_id, platform, source, requested_by, requested_at - interval '1 minute', $2 from lookups where uid = $1
			returning id, connection_id, source, status, requested_at)
			insert into attempts (lookup_id, connection_id, number, source, status, requested_at, sent_at, settled_at)
			select id, connection_id, 1, source, status, requested_at, case when status <> 'queued' then requested_at end,
			       case when status = 'expired' then now() end from made`, ids["success empty"], status)
		id := value[string](s, `select uid::text from lookups where status = $1`, status)
		ids[status] = id
	}
	for name, id := range ids {
		b.look(name, "/lookups/"+id, 200)
	}
}

// refused checks a form that comes back with what is wrong in it, and with the focus there.
func (b *tab) refused(name string, send func() int64) {
	b.shown(name, 422, func() int64 {
		status := send()
		if focus := ask[string](b, `document.activeElement.getAttribute("role") ?? ""`); focus != "alert" {
			b.t.Errorf("%s: the list of mistakes does not have the focus, but something with the role %q", name, focus)
		}
		return status
	})
}

// refusedForms looks at forms that came back.
func refusedForms(b *tab) {
	b.refused("new lookup, refused", func() int64 {
		b.open("/lookups/new")
		return b.leads(chromedp.Evaluate[chromedp.Void](`const form = document.getElementById("new-lookup"); form.noValidate = true; form.requestSubmit()`))
	})
	b.refused("new user, refused", func() int64 {
		b.open("/users/new")
		return b.leads(click(`form[action="/users"] .btn--primary`))
	})
	b.refused("connection, refused", func() int64 {
		b.open("/connection")
		b.do(fill("#base_url", "ftp://nowhere"))
		return b.leads(click(`form[action^="/connection?"] .btn--primary`))
	})
	b.refused("account, refused", func() int64 {
		b.open("/account")
		b.do(fill("#new", "short"))
		return b.leads(click(`form[action="/account/password"] .btn`))
	})
	b.refused("new subscription, refused", func() int64 {
		b.open("/subscriptions/new")
		return b.leads(click(`form[action^="/subscriptions?"] .form__acts .btn--primary`))
	})
	b.shown("deliveries, refused", 422, func() int64 {
		b.open("/deliveries")
		return b.leads(chromedp.Evaluate[chromedp.Void](`const form = document.querySelector('form[method=post][action="/deliveries"]'); form.elements.lookup.value = "x"; form.requestSubmit()`))
	})
}

// answers looks at what a form came to, where that is shown on the page that the form leads to.
func answers(s *site, b *tab) {
	b.shown("connection, tried", 200, func() int64 {
		b.open("/connection")
		return b.leads(click(`form[action^="/connection/test?"] button`))
	})
	b.shown("bench, tried", 200, func() int64 {
		b.open("/bench")
		return b.leads(chromedp.SendKeys(chromedp.CSS("#headers"), "X-Signature: c2VsbG8="), chromedp.SendKeys(chromedp.CSS("#body"), `{"data":{"webhook_action":"login.created"}}`), fill("#secret", "un secreto de prueba"), click(`form[action="/bench"] .btn--primary`))
	})
	hook := "/subscriptions/" + value[string](s, "select uid::text from subscriptions order by id limit 1")
	b.shown("subscription, address", 200, func() int64 {
		b.open(hook)
		return b.leads(click(`form[action="` + hook + `/address"] button`))
	})
	b.shown("subscription, new secret", 200, func() int64 {
		b.open(hook)
		return b.leads(click("#secret-form .btn--primary"))
	})
}

// signedInLongAgo lets the password that every session was opened with no longer count.
const signedInLongAgo = `update sessions set data = convert_to(regexp_replace(convert_from(data, 'UTF8'), '"reauth_at":"[0-9]{4}', '"reauth_at":"2006'), 'UTF8')`

// passwordAgain looks at the question for the password before something is revealed, which comes long after the sign-in only: in
// the place of the button, and as a page where no script runs.
func passwordAgain(t *testing.T, s *site, b *tab) {
	t.Helper()
	s.change(signedInLongAgo)
	path := "/lookups/" + value[string](s, "select uid::text from lookups order by id limit 1")
	b.expects(422)
	t.Run("password, in place", func(t *testing.T) {
		b.inEach(t, func() {
			b.open(path)
			b.until(streamed)
			b.do(click("#case-curp form button"))
			b.until(`document.querySelector("#confirm-password")`)
		})
	})
	b.shown("password, as a page", 422, func() int64 {
		b.open(path)
		return b.leads(chromedp.Evaluate[chromedp.Void](`document.querySelector("#case-curp form").submit()`))
	})
}
