package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

var rodrigo = auth.User{UID: uuid.MustParse("018e4002-7c1d-7b02-9a55-3f0c6e1d4b02"), Name: "Rodrigo Cuéllar", Email: "rodrigo@malintzi.example", Role: auth.Analyst, CreatedAt: noon.AddDate(-1, 0, 0)}

var aRow = lookup.Row{
	UID: uuid.MustParse("018e4003-7c1d-7b02-9a55-3f0c6e1d4b03"), Environment: lookup.Sandbox, Dialect: lookup.Palenca, Platform: lookup.IMSS,
	CURP: "GATA000408HTLRLLA7", RequestedAt: noon.Add(-3 * time.Minute), State: lookup.State{Status: lookup.Pending},
}

var aConnection = connection.Connection{
	ID: 1, Name: "Palenca", Dialect: lookup.Palenca, Environment: lookup.Sandbox, BaseURL: "http://127.0.0.1:8090", KeyTail: "3f9a",
	ChangedAt: noon.Add(-time.Hour), ChangedBy: "Damián Ibarra",
	Subscription: connection.Subscription{VendorID: "wh_1", RegisteredAt: noon.Add(-time.Hour), LastDeliveryAt: noon.Add(-time.Minute)},
}

// everyPage gives each page of this half of the console, in its plainest and its fullest form.
func everyPage(p Page) map[string]templ.Component {
	stranger := p
	stranger.User = auth.User{}
	paused := aConnection
	paused.PausedAt, paused.PausedCode = noon, lookup.CodeUnauthorized
	flashed := p
	flashed.Flashes = []Flash{{Kind: "success", ID: "admin.flash.user_enabled", Args: []any{"Name", "Inés"}}, {Kind: "error", ID: "errors.broken.title"}, {Kind: "info", ID: "admin.flash.account_saved"}}
	note := func(id string, args ...any) Note { return Note{ID: id, Args: args} }
	pages := map[string]templ.Component{
		"sign-in":                     SignIn(SignInPage{Page: stranger}),
		"sign-in with what was typed": SignIn(SignInPage{Page: stranger, Kept: "c2VhbGVk", Notice: note("signin.notice.kept")}),
		"typed":                       Typed(TypedPage{Page: stranger, What: "note", Action: "/lookups/x/notes", Fields: [][2]string{{"text", `a "note" <b>`}, {"text", "another"}}}),
		"sign-in refused":             SignIn(SignInPage{Page: stranger, Email: "a@b.mx", FirstRun: true, Notice: note("signin.notice.needed"), Next: "/users", Errors: map[string]Note{"": note("signin.error.wrong", "Count", 2)}}),
		"must change":                 MustChange(MustChangePage{Page: p, Errors: map[string]Note{"new": note("admin.password.short"), "again": note("admin.password.differs")}}),
		"overview empty":              Overview(OverviewPage{Page: p, Fresh: true}),
		"overview idle":               Overview(OverviewPage{Page: p, Webhooks: WebhookHealth{Registered: true}}),
		"overview full": Overview(OverviewPage{Page: flashed, Latest: []lookup.Row{aRow}, Duties: []Duty{{lookup.ActorAnalyst, 3}},
			Failures: []Failure{{lookup.Error, "service_degradation", "imss", 5}, {lookup.Error, "", "imss", 1}, {lookup.Incomplete, "brand_new", "issste", 99}},
			Webhooks: WebhookHealth{Registered: true, LastDeliveryAt: noon.Add(-time.Hour), Open: 2}}),
		"users":    Users(UsersPage{Page: p, Users: []auth.User{p.User, rodrigo}, Once: OneTime{Name: "Inés", Email: "i@b.mx", Password: "once-only-word"}}),
		"user new": UserForm(UserFormPage{Page: p, Errors: map[string]Note{"name": note("admin.user.name_missing"), "role": note("admin.user.role_missing")}}),
		"user":     UserForm(UserFormPage{Page: p, Subject: rodrigo, Values: UserValues{Name: rodrigo.Name, Email: rodrigo.Email, Role: "analyst"}}),
		"self":     UserForm(UserFormPage{Page: p, Subject: p.User}),
		"account": Account(AccountPage{Page: p, Values: AccountValues{Name: "Mariana", Language: "en", Zone: "America/Tijuana", Theme: "dark"},
			PasswordErrors: map[string]Note{"current": note("admin.password.current_wrong")}}),
		"connection none": cardsPage(p),
		"connection": cardsPage(p, ConnectionCard{Connection: aConnection, Values: connection.Form{Name: "Palenca"}, HookURL: "http://127.0.0.1:8080/hooks/••••4c1e",
			Test: &TestResult{OK: true, Status: 200, Took: 212 * time.Millisecond}}),
		"connection paused": cardsPage(p, ConnectionCard{Connection: paused, Test: &TestResult{Status: 401, Took: time.Second, Note: note("admin.connection.test_unauthorized")},
			Errors: map[string]Note{"key": note("admin.connection.key_missing"), "calls_per_minute": note("admin.connection.calls_bad", "Max", 120)}}),
		"connections": cardsPage(p, ConnectionCard{Connection: aConnection}, ConnectionCard{Connection: paused, Errors: map[string]Note{"base_url": note("admin.connection.url_is_other")}}),
		"people":      People(PeoplePage{Page: p, Latest: map[string]lookup.Row{aRow.CURP: aRow}}),
		"people with cases": People(PeoplePage{Page: p, Latest: map[string]lookup.Row{aRow.CURP: aRow}, Board: aBoard,
			OrderErrors: map[string]Note{"case": {ID: "simulator.case_bad"}}}),
	}
	for _, status := range []int{400, 403, 404, 405, 413, 429, 500, 503, 418, 502} {
		pages["error "+strings.Repeat("i", status%7)+ProblemTitle(p, status)] = Problem(ErrorPage{Page: p, Status: status, RequestID: "7f3a19c2"})
	}
	return pages
}

func TestEveryPageIsSound(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		for name, page := range everyPage(testPage(lang)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				checkDocument(t, render(t, page), lang)
			})
		}
		for name, page := range everyPage(testPage(lang).in(lookup.Production)) {
			t.Run(name+" live", func(t *testing.T) {
				t.Parallel()
				doc := render(t, page)
				checkDocument(t, doc, lang)
				count(t, doc, ".ribbon", 0)
			})
		}
	})
}

func TestSignInTellsNothingAboutAddresses(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	p.User = auth.User{}
	doc := render(t, SignIn(SignInPage{Page: p, Email: "quien@sea.mx", Next: "/users", Errors: map[string]Note{"": {ID: "signin.error.wrong", Args: []any{"Count", 1}}}}))
	count(t, doc, "[aria-invalid]", 1)
	count(t, doc, "#password[aria-invalid]", 1)
	attr(t, doc, "#email", "value", "quien@sea.mx")
	attr(t, doc, "#email", "autocomplete", "username")
	attr(t, doc, "#password", "value", "")
	attr(t, doc, "input[name=next]", "value", "/users")
	says(t, doc, "#password-error", "Queda 1 intento antes de una pausa")
	count(t, doc, "nav", 0)
}

func TestMustChangeOffersOneThing(t *testing.T) {
	t.Parallel()
	doc := render(t, MustChange(MustChangePage{Page: testPage("en"), Errors: map[string]Note{"new": {ID: "admin.password.short"}}}))
	count(t, doc, "nav", 0)
	count(t, doc, `form[action="/account/password"] input[type=password]`, 3)
	attr(t, doc, `.alert--error a`, "href", "#new")
	count(t, doc, `form[action="/logout"]`, 1)
}

func TestOverviewLead(t *testing.T) {
	t.Parallel()
	duties := func(n int) []Duty { return []Duty{{lookup.ActorAnalyst, n}, {lookup.ActorPerson, 40}} }
	tests := map[string]struct {
		page OverviewPage
		want string
	}{
		"nothing yet":       {OverviewPage{Fresh: true}, "Todavía no hay consultas"},
		"nothing for us":    {OverviewPage{Duties: duties(0)}, "Nada espera por usted"},
		"a single one":      {OverviewPage{Duties: duties(1)}, "1 consulta espera"},
		"several":           {OverviewPage{Duties: duties(7)}, "7 consultas esperan"},
		"more than counted": {OverviewPage{Duties: duties(WaitingCap)}, "99+ consultas"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.page.Page = testPage("es-MX")
			says(t, render(t, Overview(test.page)), ".page__lead", test.want)
		})
	}
}

func TestOverviewByRole(t *testing.T) {
	t.Parallel()
	full := OverviewPage{Latest: []lookup.Row{aRow}}
	tests := map[auth.Role]struct{ duties, rows, hooks int }{
		auth.Administrator: {4, 1, 1}, auth.Analyst: {4, 1, 1}, auth.Auditor: {4, 1, 1}, auth.Developer: {0, 0, 1},
	}
	for role, want := range tests {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			v := full
			v.Page = testPage("es-MX").as(role)
			doc := render(t, Overview(v))
			count(t, doc, ".duty__item", want.duties)
			count(t, doc, "[data-lookup]", want.rows)
			count(t, doc, "#hooks-title", want.hooks)
			if strings.Contains(doc.Text(), aRow.CURP) {
				t.Error("the whole CURP is on the page")
			}
		})
	}
}

func TestWebhookMood(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		health WebhookHealth
		want   string
	}{
		"never registered":          {WebhookHealth{}, "unregistered"},
		"nothing came, none is due": {WebhookHealth{Registered: true}, "waiting"},
		"fresh":                     {WebhookHealth{Registered: true, LastDeliveryAt: noon.Add(-time.Minute), Open: 3}, "well"},
		"old, but nobody waits":     {WebhookHealth{Registered: true, LastDeliveryAt: noon.AddDate(0, 0, -9)}, "well"},
		"old while some wait":       {WebhookHealth{Registered: true, LastDeliveryAt: noon.Add(-16 * time.Minute), Open: 1}, "silent"},
		"refusals first":            {WebhookHealth{Registered: true, LastDeliveryAt: noon, Refused: 1}, "refusing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (OverviewPage{Page: testPage("en"), Webhooks: test.health}).mood(); got != test.want {
				t.Errorf("mood %q, want %q", got, test.want)
			}
		})
	}
}

func TestFailuresSayWhoActs(t *testing.T) {
	t.Parallel()
	v := OverviewPage{Page: testPage("es-MX"), FailuresFrom: "2026-02-14", MoreFailures: true, Failures: []Failure{
		{lookup.Incomplete, "nss_not_found_in_imss", "imss", 4}, {lookup.Error, "brand_new", "", 1}, {lookup.Expired, "", "imss", 12345},
	}}
	doc := render(t, Overview(v))
	rows := doc.Find(".cause")
	if rows.Length() != 3 {
		t.Fatalf("%d causes", rows.Length())
	}
	for i, want := range [][]string{
		{"El IMSS no encuentra su NSS", "Actúa: la persona", "nss_not_found_in_imss", "4"},
		{"aún no conoce", "Actúa: un analista", "brand_new"},
		{"no dio el motivo", "Actúa: un analista", "12,345"},
	} {
		for _, part := range want {
			if text := rows.Eq(i).Text(); !strings.Contains(text, part) {
				t.Errorf("cause %d lacks %q: %s", i, part, strings.Join(strings.Fields(text), " "))
			}
		}
	}
	attr(t, doc, ".cause__n", "href", "/lookups?detail=nss_not_found_in_imss&from=2026-02-14&platform=imss&status=incomplete")
	says(t, doc, "#more-failures", "las 3 más frecuentes")
	if href, _ := doc.Find(".cause__n").Eq(2).Attr("href"); href != "/lookups?detail=-&from=2026-02-14&platform=imss&status=expired" {
		t.Errorf("failures without a reason lead to %s", href)
	}
}

func TestUsersShowTheirState(t *testing.T) {
	t.Parallel()
	disabled, fresh := rodrigo, rodrigo
	disabled.DisabledAt, fresh.MustChange = noon, true
	doc := render(t, Users(UsersPage{Page: testPage("es-MX"), Users: []auth.User{rodrigo, disabled, fresh}}))
	for i, want := range []string{"Activo", "Desactivado", "Debe cambiar su contraseña"} {
		if got := doc.Find("tbody tr").Eq(i).Text(); !strings.Contains(got, want) {
			t.Errorf("row %d lacks %q", i, want)
		}
	}
	attr(t, doc, "tbody a", "href", "/users/"+rodrigo.UID.String())
	count(t, doc, "[data-once-password]", 0)
}

func TestUserFormActs(t *testing.T) {
	t.Parallel()
	off := rodrigo
	off.DisabledAt = noon
	p := testPage("en")
	tests := map[string]struct {
		subject auth.User
		acts    []string
	}{
		"somebody else": {rodrigo, []string{"reset", "disable"}},
		"a closed one":  {off, []string{"enable"}},
		"oneself":       {p.User, nil},
		"a new one":     {auth.User{}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := render(t, UserForm(UserFormPage{Page: p, Subject: test.subject}))
			count(t, doc, "form.panel__acts", len(test.acts))
			for _, act := range test.acts {
				count(t, doc, `form[method=post][action="/users/`+rodrigo.UID.String()+"/"+act+`"]`, 1)
			}
		})
	}
}

func TestUserFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	doc := render(t, UserForm(UserFormPage{Page: testPage("es-MX"), Values: UserValues{Name: " Inés", Email: "ines", Role: "auditor", Language: "en"},
		Errors: map[string]Note{"email": {ID: "admin.user.email_bad"}}}))
	attr(t, doc, "#name", "value", " Inés")
	attr(t, doc, "#email", "aria-describedby", "email-error email-help")
	attr(t, doc, "input[name=role][checked]", "value", "auditor")
	attr(t, doc, "#language option[selected]", "value", "en")
	attr(t, doc, ".alert--error[data-focus] a", "href", "#email")
}

// cardsPage is the page of connections: cards for Palenca and Buró, in this order, empty where none is given.
func cardsPage(p Page, cards ...ConnectionCard) templ.Component {
	all := make([]ConnectionCard, len(lookup.Dialects))
	copy(all, cards)
	for i := range all {
		all[i].Dialect = lookup.Dialects[i]
	}
	return Connection(ConnectionPage{Page: p, Cards: all})
}

func TestConnectionsOfBothDialects(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		doc := render(t, cardsPage(testPage(lang), ConnectionCard{Connection: aConnection}))
		checkDocument(t, doc, lang)
		count(t, doc, `form[action^="/connection?"]`, 2)
		count(t, doc, "#connection-buro details:not([open]) form", 1) // one vendor is enough to work with
		count(t, doc, "#connection-buro #buro_sandbox_header", 1)
		count(t, doc, "#connection-buro [name=widget_id]", 0)
		count(t, doc, "#connection-palenca [name=sandbox_header]", 0)
		count(t, doc, `form[action^="/connection/test?"]`, 1)

		refused := render(t, cardsPage(testPage(lang), ConnectionCard{Connection: aConnection},
			ConnectionCard{Errors: map[string]Note{"base_url": {ID: "admin.connection.url_is_live"}}}))
		checkDocument(t, refused, lang)
		count(t, refused, "#connection-buro details", 0)
		attr(t, refused, "#connection-buro .alert--error[data-focus] a", "href", "#buro_base_url")
		count(t, refused, "#buro_base_url-error", 1)

		live := render(t, cardsPage(testPage(lang).in(lookup.Production)))
		count(t, live, "[name=sandbox_header]", 0)
		count(t, live, "#connection-buro details", 0) // none is set up: both are offered
	})
}

func TestConnectionNeverShowsTheKey(t *testing.T) {
	t.Parallel()
	doc := render(t, cardsPage(testPage("es-MX"), ConnectionCard{Connection: aConnection, Values: connection.Form{Name: "Palenca", Key: "private_typed_in_vain"}}))
	attr(t, doc, "#key", "value", "")
	attr(t, doc, "#key", "type", "password")
	attr(t, doc, "#key", "placeholder", "••••••••3f9a")
	if text := html(t, cardsPage(testPage("en"), ConnectionCard{Values: connection.Form{Key: "private_typed_in_vain"}})); strings.Contains(text, "private_typed_in_vain") {
		t.Error("a typed key came back in the page")
	}
}

func TestEnvironmentSwitch(t *testing.T) {
	t.Parallel()
	toLive := render(t, cardsPage(testPage("es-MX")))
	attr(t, toLive, `form[action="/environment"] input[name=env]`, "value", "production")
	count(t, toLive, `form[action="/environment"] input[name=confirm][required]`, 1)
	toTests := render(t, cardsPage(testPage("es-MX").in(lookup.Production)))
	attr(t, toTests, `form[action="/environment"] input[name=env]`, "value", "sandbox")
	count(t, toTests, `form[action="/environment"] input[name=confirm]`, 0)
}

func TestPausedConnection(t *testing.T) {
	t.Parallel()
	paused := aConnection
	paused.PausedAt, paused.PausedCode = noon.Add(-time.Hour), lookup.CodeUnauthorized
	p := testPage("es-MX")
	p.Nav, p.Paused = "connection", lookup.CodeUnauthorized
	well := aConnection
	well.ID, well.Dialect = 2, lookup.Buro
	doc := render(t, cardsPage(p, ConnectionCard{Connection: paused}, ConnectionCard{Connection: well}))
	count(t, doc, `form[action^="/connection/resume?"]`, 1) // the other one works on
	attr(t, doc, `form[action^="/connection/resume?"] input[name=dialect]`, "value", "palenca")
	says(t, doc, "#connection-palenca.panel--error", "Desde 15 mar 2026, 10:41:23 · vendor_unauthorized")
	count(t, doc, ".alert--error", 1) // said once on this page
}

func TestTestPeople(t *testing.T) {
	t.Parallel()
	seen := map[lookup.Status]int{}
	for _, person := range TestPeople {
		if check := curp.Explain(person.CURP, noon); check.Verdict != curp.Pass {
			t.Errorf("%s: %s", person.CURP, check)
		}
		seen[person.Status]++
	}
	if len(TestPeople) != 9 || seen[lookup.Success] != 5 || seen[lookup.Incomplete] != 2 || seen[lookup.Error] != 2 {
		t.Errorf("people by outcome: %v", seen)
	}
	doc := render(t, People(PeoplePage{Page: testPage("es-MX"), Latest: map[string]lookup.Row{aRow.CURP: aRow}}))
	count(t, doc, "[data-person]", 9)
	form := `[data-person=GATA000408HTLRLLA7] form[method=post][action^="/lookups?"] `
	for name, value := range map[string]string{"curp": "GATA000408HTLRLLA7", "platform": "imss", "external_id": "", "consent": "on", "means": "web"} {
		attr(t, doc, form+"input[name="+name+"]", "value", value)
	}
	attr(t, doc, "[data-person=GATA000408HTLRLLA7] a", "href", "/lookups/"+aRow.UID.String())
}

func TestProblemPages(t *testing.T) {
	t.Parallel()
	stranger := testPage("es-MX")
	stranger.User = auth.User{}
	doc := render(t, Problem(ErrorPage{Page: stranger, Status: 404, RequestID: "7f3a19c2"}))
	count(t, doc, "nav", 0)
	attr(t, doc, ".problem .btn", "href", "/login")
	says(t, doc, ".problem__code", "7f3a19c2 · 404")

	doc = render(t, Problem(ErrorPage{Page: testPage("es-MX"), Status: 400, Detail: Note{ID: "errors.bad.field"}}))
	count(t, doc, "nav#nav", 1)
	says(t, doc, ".problem", "Un campo trae un valor")

	if a, b := ProblemTitle(stranger, 599), ProblemTitle(stranger, 500); a != b {
		t.Errorf("an unknown 5xx reads %q, want %q", a, b)
	}
}

// The page for our own faults is rendered before anything is known of who will read it.
func TestProblemNeedsNothing(t *testing.T) {
	t.Parallel()
	doc := render(t, Problem(ErrorPage{Page: Page{P: testPage("en").P, Path: "/"}, Status: 500, RequestID: "{request-id}"}))
	checkDocument(t, doc, "en")
	count(t, doc, "link, script", 0)
}
