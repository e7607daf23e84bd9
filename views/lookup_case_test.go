package views

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/employment"
	"cotejo/internal/figures"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/webhook"
)

// wrapRow puts a table row where an HTML parser keeps it.
func wrapRow(row templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, "<table><tbody>"); err != nil {
			return err
		}
		if err := row.Render(ctx, w); err != nil {
			return err
		}
		_, err := io.WriteString(w, "</tbody></table>")
		return err
	})
}

// casePage is a lookup in a state, with nothing fetched yet.
func casePage(lang string, status lookup.Status) CasePage {
	row := testRow(status)
	v := CasePage{Page: testPage(lang), Case: lookup.Case{
		Row: row,
		Consent: lookup.ConsentNote{
			GivenAt: noon.Add(-time.Hour), ExpiresAt: noon.Add(24 * time.Hour), NoticeVersion: "3.2", Means: "branch", RecordedBy: "Mariana Ortega",
		},
		Attempts: []lookup.Attempt{{UID: testID(20), Number: 1, Source: lookup.SourceForm, State: row.State, RequestAt: row.RequestedAt, SettledAt: row.RequestedAt.Add(81 * time.Second)}},
	}}
	return v
}

// answered is a success with its data.
func answered(lang string) CasePage {
	v := casePage(lang, lookup.Success)
	v.pulls(lookup.PullComplete, lookup.PullComplete)
	h := career()
	v.History = &h
	v.Profile = &profile.Profile{FirstName: "Alejandro", LastName: "García Téllez", Birthday: date("2000-04-08"), IDs: []profile.ID{
		{Type: "social_security_number", Name: "nss", Value: "12345674417"}, {Type: "tax", Name: "rfc", Value: "GATA000408AB1"},
		{Type: "national", Name: "curp", Value: goodCURP}, {Type: "passport", Name: "", Value: "G12345678"},
	}}
	v.ProfilePull = PullNote{UID: testID(30), FetchedAt: noon, Size: 912, SHA256: strings.Repeat("ab", 32), HTTPStatus: 200}
	v.EmploymentPull = PullNote{UID: testID(31), FetchedAt: noon, Size: 6120, SHA256: strings.Repeat("cd", 32), HTTPStatus: 200}
	v.Deliveries = []CaseDelivery{
		{testDelivery(1, webhook.Accepted, webhook.CauseNone), `{"data":{"webhook_action":"login.created","external_id":"None"}}`},
		{testDelivery(2, webhook.Accepted, webhook.CauseLate), `{"data":{"webhook_action":"login.success"}}`},
	}
	return v
}

func (v *CasePage) pulls(prof, emp lookup.PullState) {
	v.Case.Profile, v.Case.Employment = prof, emp
	v.Case.Attempts[0].Profile, v.Case.Attempts[0].Employment = prof, emp
}

// every state a lookup can be in renders whole, in both languages, with its contract.
func TestEveryState(t *testing.T) {
	t.Parallel()
	pulls := append([]lookup.PullState{""}, lookup.PullStates...)
	for _, status := range append([]lookup.Status{"half_done"}, lookup.Statuses...) {
		for _, prof := range pulls {
			for _, emp := range pulls {
				if status != lookup.Success && (prof != emp || prof != lookup.PullNone) {
					continue
				}
				for _, lang := range []string{"es-MX", "en"} {
					v := casePage(lang, status)
					v.pulls(prof, emp)
					doc := render(t, Lookup(v))
					checkDocument(t, doc, lang)
					count(t, doc, "#case", 1)
					count(t, doc, "#lookup", 1)
					count(t, doc, "[data-status]", 1)
					count(t, doc, "[data-records]", 1)
					attr(t, doc, "#lookup", "data-status", string(status))
					attr(t, doc, "#lookup", "data-records", pullWord(emp))
					if doc.Find(".state__next b").Text() == "" || doc.Find(".state__next small").Text() == "" {
						t.Errorf("%s %s %s: nothing said", status, prof, emp)
					}
					count(t, doc, `[hx-sse\:connect="/lookups/live?ids=`+v.Case.UID.String()+`&view=case"]`, 1)
				}
			}
		}
	}
}

func TestStateWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status    lookup.Status
		prof, emp lookup.PullState
		head      string
		text      string
		moving    bool
	}{
		{lookup.Queued, "", "", "Nadie tiene que hacer nada", "Cotejo la envía", true},
		{lookup.Pending, "none", "none", "La fuente está trabajando", "Esta página cambia sola", true},
		{"half_done", "", "", "La fuente está trabajando", "Esta página cambia sola", true},
		{lookup.Success, "complete", "complete", "No falta nada", "en 1 min 21 s", false},
		{lookup.Success, "complete", "empty", "Sin empleo registrado", "no una falla", false},
		{lookup.Success, "fetching", "complete", "faltan datos", "Cotejo está pidiendo", true},
		{lookup.Success, "complete", "none", "faltan datos", "Cotejo está pidiendo", true},
		{lookup.Success, "complete", "partial", "incompleta", "Puede faltar", false},
		{lookup.Success, "complete", "failed", "no pudimos", "traer el empleo", false},
		{lookup.Success, "failed", "complete", "no pudimos", "traer el perfil", false},
		{lookup.Success, "failed", "failed", "no pudimos", "el perfil y el empleo", false},
		{lookup.Success, "failed", "fetching", "no pudimos", "traer el perfil", true},
		{lookup.Success, "empty", "complete", "No falta nada", "La fuente contestó", false},
		{lookup.Incomplete, "none", "none", "Debe actuar la persona", "la fuente terminó", false},
		{lookup.Error, "none", "none", "Usted puede repetirla", "falla técnica", false},
		{lookup.Expired, "none", "none", "Conviene pedirla de nuevo", "No llegó", false},
	}
	for _, tt := range tests {
		v := casePage("es-MX", tt.status)
		v.pulls(tt.prof, tt.emp)
		got := v.state()
		if !strings.Contains(got.Head, tt.head) || !strings.Contains(got.Text, tt.text) {
			t.Errorf("%s %s %s: %q, %q", tt.status, tt.prof, tt.emp, got.Head, got.Text)
		}
		if v.moving() != tt.moving {
			t.Errorf("%s %s %s: moving %t", tt.status, tt.prof, tt.emp, v.moving())
		}
		doc := render(t, Case(v))
		count(t, doc, "#case-reload", map[bool]int{true: 1}[tt.moving])
	}
}

func TestAnsweredCase(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := answered(lang)
		doc := render(t, Lookup(v))
		checkDocument(t, doc, lang)
		says(t, doc, "h1", "García Téllez, Alejandro")
		count(t, doc, `a#case-csv[href="/lookups/`+v.Case.UID.String()+`/employment.csv"]`, 1)
		// the drawing, its words and its table say the same
		count(t, doc, "svg.chart", 2)
		count(t, doc, "svg.chart rect.chart__job", 4)
		count(t, doc, ".marks__item", 3)
		count(t, doc, ".table--jobs tbody tr", 4)
		count(t, doc, ".table--inner tbody tr", 4)
		says(t, doc, ".table--jobs", "$15,593.29")
		says(t, doc, ".table--jobs", "$512.60")
		// weeks as given; no sum of them anywhere
		weeks := doc.Find("#h-weeks").Closest("section").Find("dd b").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
		if diff := cmp.Diff([]string{"271", "8", "0"}, weeks); diff != "" {
			t.Errorf("weeks (-want +got):\n%s", diff)
		}
		if text := doc.Find("#case").Text(); strings.Contains(text, "279") || strings.Contains(text, "263") {
			t.Error("the weeks were added up")
		}
		count(t, doc, ".chain__link", 2)
		attr(t, doc, ".chain__link code", "title", strings.Repeat("cd", 32))
		count(t, doc, ".inbox__item[data-delivery][data-verdict]", 2)
		count(t, doc, ".inbox details[id][hx-morph-skip]", 2)
		says(t, doc, ".inbox__item pre", `"login.created"`)
		count(t, doc, `.inbox a[href$="/body"]`, 2)
		if text := html(t, Lookup(v)); strings.Contains(text, goodCURP) || strings.Contains(text, "12345674417") {
			t.Error("a full identifier without its reveal")
		}
		if title := doc.Find("title").Text(); strings.Contains(title, "García") {
			t.Errorf("the title names the person: %s", title)
		}
		says(t, doc, "#h-profile", map[string]string{"es-MX": "Perfil", "en": "Profile"}[lang])
	})
}

func TestReveal(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	doc := render(t, Lookup(v))
	attr(t, doc, "#case-curp form", "action", "/lookups/"+v.Case.UID.String()+"/reveal")
	attr(t, doc, "#case-curp input[name=field]", "value", "curp")
	attr(t, doc, "#case-nss input[name=field]", "value", "nss")

	v.Revealed = map[string]string{"nss": "12345674417"}
	doc = render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	says(t, doc, "#case-nss", "12345674417")
	count(t, doc, "#case-nss form", 0)
	count(t, doc, "#case-curp form", 1)

	v.Page = v.as(auth.Auditor)
	v.Revealed = nil
	doc = render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	count(t, doc, ".reveal form, #case-csv", 0)
}

// Outcomes without success answer three questions; a word of the vendor's that nobody here knows is shown as it came.
func TestExplained(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  lookup.Status
		detail  string
		known   bool
		message bool
		again   bool
	}{
		"the person must act":   {lookup.Incomplete, "nss_not_found_in_imss", true, true, false},
		"the curp is odd":       {lookup.Incomplete, "curp_has_inconsistencies", true, true, false},
		"a fault at the source": {lookup.Error, "service_degradation", true, false, true},
		"our own code":          {lookup.Expired, lookup.CodeNoFinalEvent, true, false, true},
		"refused by the vendor": {lookup.Error, lookup.CodeUnauthorized, true, false, true},
		"unknown":               {lookup.Error, "brand_new <b>word</b>", false, false, true},
		"unknown, incomplete":   {lookup.Incomplete, "brand_new", false, false, false},
		"no word at all":        {lookup.Error, "", false, false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothLanguages(t, func(t *testing.T, lang string) {
				v := casePage(lang, tt.status)
				v.Case.State.Detail = tt.detail
				doc := render(t, Lookup(v))
				checkDocument(t, doc, lang)
				count(t, doc, ".ask__col", 3)
				count(t, doc, ".ask b b", 0)
				if tt.detail != "" {
					says(t, doc, ".ask code", tt.detail)
					says(t, doc, "#lookup code", tt.detail)
				}
				if got := v.explain(); got.Known != tt.known || got.Meaning == "" || got.Next == "" || got.Actor == "" {
					t.Errorf("%+v", got)
				}
				count(t, doc, "#h-message", map[bool]int{true: 1}[tt.message])
				count(t, doc, ".ask #case-again", map[bool]int{true: 1}[tt.again])
				count(t, doc, "#case-again", 1)
			})
		})
	}
}

func TestMessageForThePerson(t *testing.T) {
	t.Parallel()
	v := casePage("es-MX", lookup.Incomplete)
	v.Case.State.Detail = "nss_not_found_in_imss"
	if text := v.message(); !strings.Contains(text, "SOL-1873") || !strings.Contains(text, "el IMSS") || strings.Contains(text, goodCURP) {
		t.Error(text)
	}
	v.Case.Reference, v.Case.Platform = "", "workday"
	if text := v.message(); !strings.Contains(text, "la institución") || strings.Contains(text, "⟨") || strings.Contains(text, "  ") {
		t.Error(text)
	}
	v.Case.State.Status = lookup.Success
	if text := v.message(); text != "" {
		t.Error(text)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for code, known := range map[string]bool{"rpci_backup_process": true, "failed_refresh": false, "brand_new": false} {
		v := answered("es-MX")
		v.Case.State.Warning = code
		doc := render(t, Lookup(v))
		checkDocument(t, doc, "es-MX")
		count(t, doc, ".alert--warn", 1)
		says(t, doc, "#lookup", code)
		if d, ok := v.warning(); !ok || known && !d.Known || d.Title == "" {
			t.Errorf("%s: %+v %t", code, d, ok)
		}
	}
}

// A history with nothing in it says why, and an empty one says that it is an answer.
func TestVacantHistory(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status lookup.Status
		emp    lookup.PullState
		says   string
	}{
		{lookup.Success, lookup.PullEmpty, "es una respuesta, no una falla"},
		{lookup.Success, lookup.PullComplete, "es una respuesta, no una falla"},
		{lookup.Success, lookup.PullFetching, "Trayendo la historia"},
		{lookup.Success, lookup.PullNone, "Trayendo la historia"},
		{lookup.Success, lookup.PullFailed, "No se pudo traer"},
		{lookup.Pending, lookup.PullNone, "todavía no llega"},
		{lookup.Queued, "", "todavía no llega"},
		{lookup.Incomplete, lookup.PullNone, "no llegó a la etapa"},
		{lookup.Error, lookup.PullNone, "no llegó a la etapa"},
	}
	for _, tt := range tests {
		v := casePage("es-MX", tt.status)
		v.pulls(lookup.PullComplete, tt.emp)
		v.History = &employment.History{}
		doc := render(t, Lookup(v))
		checkDocument(t, doc, "es-MX")
		says(t, doc, "#history", tt.says)
		count(t, doc, "svg.chart", 0)
	}
}

func TestPartialAndFailedHistoryKeepWhatThereIs(t *testing.T) {
	t.Parallel()
	for emp, want := range map[lookup.PullState]string{lookup.PullPartial: "puede faltar", lookup.PullFailed: "lo último que se pudo traer"} {
		v := answered("es-MX")
		v.pulls(lookup.PullComplete, emp)
		doc := render(t, Lookup(v))
		checkDocument(t, doc, "es-MX")
		count(t, doc, ".table--jobs tbody tr", 4)
		says(t, doc, ".cols__main .alert", want)
	}
}

// Names, words and numbers of a source are shown as text, whatever they hold.
func TestHostileHistory(t *testing.T) {
	t.Parallel()
	evil := `<script>alert("x")</script>' " & ` + "\u202e"
	v := answered("es-MX")
	h := employment.History{Status: evil, EndOfRight: evil, Files: []employment.File{{Type: evil}}, Records: []employment.Record{
		{Employer: evil, Registration: evil, Start: date("2020-01-01"), State: evil, BaseSalary: evil, Monthly: evil, JobTitle: evil, Designation: evil},
		{Employer: evil, End: date("2019-01-01")},
		{Employer: evil, Start: date("2019-01-01"), End: date("2018-01-01")},
		{},
	}, Movements: []employment.Movement{{Type: evil, Employer: evil, Date: date("2020-01-01"), BaseSalary: "100"}, {}, {Date: date("2021-01-01"), BaseSalary: "1"}}}
	v.History = &h
	v.Profile = &profile.Profile{FirstName: evil, Email: evil, Phone: evil, IDs: []profile.ID{{Type: evil, Name: evil, Value: evil}}}
	v.Case.Attempts[0].Story = []lookup.Moment{{Kind: "strange", Text: evil, Actor: evil}, {Kind: lookup.MomentProfile, Text: evil}}
	v.Case.Platform, v.Case.Dialect = lookup.Platform(evil), lookup.Dialect(evil)
	doc := render(t, Lookup(v))
	checkDocument(t, doc, "es-MX")
	count(t, doc, "#case script", 0)
	count(t, doc, ".table--jobs tbody tr", 4)
	says(t, doc, "#case", "3 registros no se dibujan")
	says(t, doc, ".table--jobs", "La baja es anterior al alta")
	if text := doc.Find("#case").Text(); strings.Contains(text, "—") || strings.Contains(text, "0001") {
		t.Error("an absent value is a dash or a zero date")
	}
}

func TestCaseWithoutAttemptsOrConsent(t *testing.T) {
	t.Parallel()
	v := casePage("en", lookup.Queued)
	v.Case.Attempts, v.Case.Consent = nil, lookup.ConsentNote{}
	checkDocument(t, render(t, Lookup(v)), "en")
	expired := casePage("en", lookup.Queued)
	expired.Case.Consent.ExpiresAt = noon.Add(-time.Minute)
	says(t, render(t, Lookup(expired)), "#case", "Expired")
}

func TestYearsBetween(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		birth, today string
		want         int
	}{{"2000-04-08", "2024-03-15", 23}, {"2000-03-15", "2024-03-15", 24}, {"2000-02-29", "2023-02-28", 22}, {"2000-02-29", "2023-03-01", 23}, {"2030-01-01", "2024-01-01", 0}} {
		if got := yearsBetween(date(tt.birth), date(tt.today)); got != tt.want {
			t.Errorf("%s on %s: %d, want %d", tt.birth, tt.today, got, tt.want)
		}
	}
}

func TestAsOfIsTheDayOfTheFetch(t *testing.T) {
	t.Parallel()
	v := answered("es-MX")
	v.EmploymentPull.FetchedAt = time.Date(2026, 3, 15, 3, 0, 0, 0, time.UTC) // still the 14th in Mexico City
	if got := v.asOf(); !got.Equal(date("2026-03-14")) {
		t.Error(got)
	}
	v.EmploymentPull = PullNote{}
	if got := v.asOf(); !got.Equal(date("2026-03-15")) {
		t.Error(got)
	}
}

// Whoever reads it and where: the drawing, its list, the tenures, the paper and the figures have one calendar.
func TestOneCalendarForEveryReader(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		zone    string
		fetched time.Time
		day     string // in Mexico City
		days    int    // since the last job
	}{
		"Tijuana, a day behind": {"America/Tijuana", time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC), "2026-11-23", 22},
		"Cancún, a day ahead":   {"America/Cancun", time.Date(2026, 11, 23, 5, 30, 0, 0, time.UTC), "2026-11-22", 21},
		"Mexico City":           {"America/Mexico_City", time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC), "2026-11-23", 22},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			v := answered("es-MX")
			v.P = locale.For("es-MX", zone)
			v.Now, v.EmploymentPull.FetchedAt = test.fetched, test.fetched
			v.History.Records = []employment.Record{job("ALFA SA DE CV", "2020-01-01", "2026-11-01", "300", "")}
			v.History.Movements = nil
			r, _ := v.seen().Figures()
			since := r.Figure(figures.SinceLast)
			drawn := v.timeline().Bands
			if len(drawn) != 1 || drawn[0].days() != test.days || since.Days != test.days || !drawn[0].end().Equal(since.To) || since.To.Format(time.DateOnly) != test.day {
				t.Fatalf("drawn %+v, computed %d days to %s; want %d days to %s", drawn, since.Days, since.To.Format(time.DateOnly), test.days, test.day)
			}
			says(t, render(t, Lookup(v)), ".marks__item b", v.T("ui.count.days", "Count", test.days))
			if all := strings.Join(onPaper(t, v), " "); !strings.Contains(all, v.T("ui.count.days", "Count", test.days)) || strings.Contains(all, v.T("ui.count.days", "Count", test.days-1)) {
				t.Error("the report counts otherwise")
			}
			v.History.Records[0].End = time.Time{}
			if got, want := v.tenure(v.History.Records[0]), v.P.Months(date("2020-01-01"), date(test.day)); got != want {
				t.Errorf("tenure %s, want %s", got, want)
			}
			row := v.Case.Row
			row.State.Status, row.Employment, row.StatusAt = lookup.Success, lookup.PullComplete, test.fetched
			row.Gist = lookup.Gist{Records: 1, Employers: 1, CurrentName: "ALFA SA DE CV", Since: date("2026-11-10")}
			if got, want := gistOf(v.Page, row).Sub, v.P.Months(date("2026-11-10"), date(test.day)); !strings.Contains(got, want) {
				t.Errorf("the list says %s, want %s", got, want)
			}
		})
	}
}

func TestDeliveryPathOfNone(t *testing.T) {
	t.Parallel()
	if deliveryPath(uuid.Nil) != "" || lookupPath(uuid.Nil) != "" {
		t.Error("a link to nothing")
	}
}
