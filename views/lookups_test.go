package views

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

const (
	goodCURP     = "GATA000408HTLRLLA7"
	doubtfulCURP = "GATA000408HTLRLLB7"
	badCURP      = "GATA000431HTLRLLA7"
)

func testID(n byte) uuid.UUID {
	id := uuid.MustParse("018e4001-7c1d-7b02-9a55-3f0c6e1d4b00")
	id[15] = n
	return id
}

// testRow is a lookup two minutes old.
func testRow(status lookup.Status) lookup.Row {
	return lookup.Row{
		UID: testID(7), Environment: lookup.Sandbox, Dialect: lookup.Palenca, Platform: lookup.IMSS, CURP: goodCURP,
		Reference: "SOL-1873", Source: lookup.SourceForm, RequestedBy: "Mariana Ortega",
		RequestedAt: noon.Add(-2 * time.Minute), StatusAt: noon.Add(-time.Minute), State: lookup.State{Status: status},
	}
}

func listPage(lang string, rows ...lookup.Row) LookupsPage {
	p := testPage(lang)
	p.Path = "/lookups?status=error&after=k1"
	return LookupsPage{Page: p, Rows: rows, Form: NewLookupForm{Notice: "3.2", Env: lookup.Sandbox}}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		var rows []lookup.Row
		for i, status := range lookup.Statuses {
			row := testRow(status)
			row.UID = testID(byte(i))
			rows = append(rows, row)
		}
		v := listPage(lang, rows...)
		v.ActorCounts = map[lookup.Actor]int{lookup.ActorAnalyst: 2, lookup.ActorPerson: 99, lookup.ActorNobody: -1}
		v.Values = FilterValues{Actor: "analyst", Status: "error", Records: "empty", Platform: "imss", From: "2024-03-14", To: "2024-03-15", Analyst: testID(3).String(),
			Owner: v.User.UID.String(), Tag: testID(4).String(), Source: "retry", Dialect: "buro", Detail: "curp_not_found", Overdue: true}
		v.Analysts = []auth.User{{UID: testID(3), Name: "Inés Sandoval"}}
		v.Tags = []lookup.Tag{{UID: testID(4), Name: "revisión"}}
		v.Rows[0].Owner, v.Rows[0].Tags = "Inés Sandoval Ruiz", []string{"revisión", "urgente"}
		v.After, v.Before = "k2", "k0"
		doc := render(t, Lookups(v))
		checkDocument(t, doc, lang)
		count(t, doc, "tr[data-lookup]", len(lookup.Statuses))
		for _, row := range rows {
			attr(t, doc, "#"+RowID(row.UID), "data-status", string(row.State.Status))
			attr(t, doc, "#"+RowID(row.UID), "data-lookup", row.UID.String())
		}
		count(t, doc, ".tabs__tab", 1+len(lookup.Actors))
		count(t, doc, ".tabs__n", 2)
		says(t, doc, `.tabs__tab[href*="actor=person"]`, "99+")
		attr(t, doc, ".tabs__tab[aria-current]", "href", v.tab(lookup.ActorAnalyst))
		count(t, doc, ".chip", 11)
		says(t, doc, ".filters__n", "6")
		count(t, doc, ".filters__more[open]", 1)
		attr(t, doc, "form.filters input[type=hidden][name=detail]", "value", "curp_not_found")
		count(t, doc, ".work__tag", 2)
		says(t, doc, ".work__owner [aria-hidden]", "IS")
		doc2 := doc.Find(`.chip[href]`)
		for i := range doc2.Nodes {
			if href := doc2.Eq(i).AttrOr("href", ""); !strings.Contains(href, "actor=analyst") {
				t.Errorf("taking a filter away leaves the tab: %s", href)
			}
		}
		count(t, doc, `form.filters[method=get][action="/lookups"] [data-filter]`, 1)
		attr(t, doc, "form.filters input[type=hidden][name=actor]", "value", "analyst")
		attr(t, doc, "#f-analyst option[selected]", "value", testID(3).String())
		attr(t, doc, "a[rel=next]", "href", v.Values.url("after", "k2"))
		attr(t, doc, "a[rel=prev]", "href", v.Values.url("before", "k0"))
		count(t, doc, `[hx-sse\:connect]`, 1)
		count(t, doc, "[data-live] [data-live-text]", 1)
		count(t, doc, "[data-live] button[data-live-pause]", 1)
		count(t, doc, "#lookups-new", 1)
		count(t, doc, "form#new-lookup", 1)
		if text := html(t, Lookups(v)); strings.Contains(text, goodCURP) {
			t.Error("a full CURP on the list")
		}
	})
}

// The stream names the rows on the page, and nothing that identifies a person.
func TestListStream(t *testing.T) {
	t.Parallel()
	a, b := testRow(lookup.Pending), testRow(lookup.Queued)
	b.UID = testID(8)
	got := listPage("en", a, b).stream()
	if !strings.HasPrefix(got, "/lookups/live?ids="+a.UID.String()+"%2C"+b.UID.String()+"&since=") || !strings.HasSuffix(got, "&view=list") {
		t.Error(got)
	}
	// Of a filtered list it says where its first page ends.
	v := listPage("en", a, b)
	v.Values.Status = "error"
	for page, want := range map[[2]string]string{{"", ""}: "all", {"", "k2"}: b.UID.String(), {"k0", "k2"}: "", {"k0", ""}: ""} {
		v.Before, v.After = page[0], page[1]
		_, query, _ := strings.Cut(v.stream(), "?")
		values, err := url.ParseQuery(query)
		if err != nil || values.Get("last") != want || values.Get("status") != "error" {
			t.Errorf("page %q ends at %q: %v", page, values.Get("last"), err)
		}
	}
}

func TestEmptyLists(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*LookupsPage)
		links  []string
	}{
		"first day in the sandbox": {func(*LookupsPage) {}, []string{"/lookups/new", "/sandbox"}},
		"first day, live":          {func(v *LookupsPage) { v.Page = v.in(lookup.Production) }, []string{"/lookups/new"}},
		"an auditor's first day":   {func(v *LookupsPage) { v.Page = v.as(auth.Auditor) }, nil},
		"filtered":                 {func(v *LookupsPage) { v.Values.Status = "error" }, []string{"/lookups"}},
		"a tab":                    {func(v *LookupsPage) { v.Values.Actor = "person" }, []string{"/lookups"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := listPage("es-MX")
			tt.change(&v)
			doc := render(t, Lookups(v))
			checkDocument(t, doc, "es-MX")
			count(t, doc, ".empty", 1)
			count(t, doc, ".empty a", len(tt.links))
			for _, link := range tt.links {
				count(t, doc, `.empty a[href="`+link+`"]`, 1)
			}
			count(t, doc, "table", 0)
			count(t, doc, `[hx-sse\:connect]`, 1) // the first lookup is announced here too
		})
	}
}

func TestLookupsWithoutTheFormForAuditors(t *testing.T) {
	t.Parallel()
	v := listPage("es-MX", testRow(lookup.Success))
	v.Page = v.as(auth.Auditor)
	doc := render(t, Lookups(v))
	checkDocument(t, doc, "es-MX")
	count(t, doc, "form#new-lookup", 0)
}

// A tab drops a status that belongs to another actor: the list would be empty without saying why.
func TestTabs(t *testing.T) {
	t.Parallel()
	v := LookupsPage{Values: FilterValues{Actor: "analyst", Status: "error", Platform: "imss"}}
	for actor, want := range map[lookup.Actor]string{
		"":                  "/lookups?platform=imss&status=error",
		lookup.ActorAnalyst: "/lookups?actor=analyst&platform=imss&status=error",
		lookup.ActorPerson:  "/lookups?actor=person&platform=imss",
	} {
		if got := v.tab(actor); got != want {
			t.Errorf("tab %q is %s, want %s", actor, got, want)
		}
	}
}

func TestLookupRow(t *testing.T) {
	t.Parallel()
	row := testRow(lookup.Success)
	row.PersonName = `García <script>alert(1)</script>`
	row.Employment = lookup.PullComplete
	row.Gist = lookup.Gist{Records: 4, Employers: 3, CurrentName: `TEXTILES "HUAMANTLA" & <b>CÍA</b>`, Since: date("2023-01-15"), MonthlySalary: "15593.29"}
	for _, fresh := range []bool{false, true} {
		doc := render(t, wrapRow(LookupRow(testPage("es-MX"), row, fresh)))
		checkMarkup(t, doc)
		count(t, doc, "tr.table__fresh", map[bool]int{true: 1, false: 0}[fresh])
		attr(t, doc, "tr", "id", "lookup-"+row.UID.String())
		attr(t, doc, "tr", "data-records", "complete")
		attr(t, doc, "a.table__main", "href", "/lookups/"+row.UID.String())
		says(t, doc, "a.table__main", row.PersonName)
		says(t, doc, ".table__wide", row.Gist.CurrentName)
		says(t, doc, ".table__wide", "desde 15 ene 2023 · $15,593.29 al mes · 3 patrones")
		says(t, doc, "time", "hace 2 min")
		attr(t, doc, "time", "title", "15 mar 2026, 11:39:23")
		count(t, doc, "script, td b", 0)
	}
}

func TestLookupsNew(t *testing.T) {
	t.Parallel()
	doc := render(t, LookupsNew(testPage("es-MX"), News{Path: "/lookups", Listed: true}))
	says(t, doc, "#lookups-new", "")
	count(t, doc, "a", 0)
	doc = render(t, LookupsNew(testPage("es-MX"), News{Count: 2, Path: "/lookups?status=error", Listed: true}))
	says(t, doc, "a#lookups-new", "2 consultas más en esta lista")
	attr(t, doc, "#lookups-new", "href", "/lookups?status=error")
	doc = render(t, LookupsNew(testPage("en"), News{Count: 1, Path: "/lookups"}))
	says(t, doc, "a#lookups-new", "1 new lookup")
	attr(t, doc, "#lookups-new", "href", "/lookups")
}

func TestGist(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	with := func(status lookup.Status, change func(*lookup.Row)) lookup.Row {
		row := testRow(status)
		change(&row)
		return row
	}
	done := func(pull lookup.PullState, g lookup.Gist) lookup.Row {
		return with(lookup.Success, func(r *lookup.Row) { r.Employment, r.Gist = pull, g })
	}
	tests := map[string]struct {
		row       lookup.Row
		main, sub string
	}{
		"queued":         {testRow(lookup.Queued), "Espera turno", "Cotejo la envía"},
		"pending":        {testRow(lookup.Pending), "Datos en camino", ""},
		"unknown status": {testRow("half_done"), "Datos en camino", ""},
		"no reason":      {testRow(lookup.Error), "La fuente no dio el motivo", ""},
		"known reason":   {with(lookup.Incomplete, func(r *lookup.Row) { r.State.Detail = "nss_not_found_in_imss" }), "NSS", "NSS"},
		"unknown reason": {with(lookup.Error, func(r *lookup.Row) { r.State.Detail = "brand_new" }), "Motivo que aún no conocemos", "brand_new"},
		"fetching":       {done(lookup.PullFetching, lookup.Gist{}), "se está trayendo", "Aparece aquí"},
		"not begun":      {done("", lookup.Gist{}), "se está trayendo", "Aparece aquí"},
		"failed":         {done(lookup.PullFailed, lookup.Gist{}), "no se pudo traer", "más tarde"},
		"empty":          {done(lookup.PullEmpty, lookup.Gist{}), "Sin empleo registrado", "no una falla"},
		"complete, none": {done(lookup.PullComplete, lookup.Gist{}), "Sin empleo registrado", "no una falla"},
		"ended":          {done(lookup.PullComplete, lookup.Gist{Records: 2, Employers: 1, EndedOn: date("2023-11-30")}), "Sin empleo vigente; el último terminó el 30 nov 2023", "1 patrón"},
		"ends later":     {done(lookup.PullComplete, lookup.Gist{Records: 2, Employers: 1, EndedOn: date("2027-11-30")}), "Con empleo hasta 30 nov 2027", "1 patrón"},
		"begins later":   {done(lookup.PullComplete, lookup.Gist{Records: 1, Employers: 1, CurrentName: "ACME", Since: date("2027-11-30")}), "ACME", "empieza el 30 nov 2027"},
		"ended, no date": {done(lookup.PullComplete, lookup.Gist{Records: 2, Employers: 2}), "Sin empleo vigente", "2 patrones"},
		"no salary":      {done(lookup.PullComplete, lookup.Gist{Records: 1, Employers: 1, CurrentName: "ACME", Since: date("2024-03-15")}), "ACME", "salario mensual sin informar"},
		"no start":       {done(lookup.PullComplete, lookup.Gist{Records: 1, Employers: 1, CurrentName: "ACME"}), "ACME", "fecha de alta sin informar"},
		"no name":        {done(lookup.PullComplete, lookup.Gist{Records: 1, Employers: 1, Since: date("2024-03-15")}), "patrón sin informar", "desde 15 mar 2024"},
		"partial":        {done(lookup.PullPartial, lookup.Gist{Records: 1, Employers: 1, CurrentName: "ACME"}), "ACME", "historia parcial"},
		"odd salary":     {done(lookup.PullComplete, lookup.Gist{Records: 1, Employers: 1, CurrentName: "ACME", MonthlySalary: "1E3"}), "ACME", "1E3 al mes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := gistOf(p, tt.row)
			if !strings.Contains(got.Main, tt.main) || !strings.Contains(got.Sub, tt.sub) || strings.Contains(got.Main+got.Sub, "⟨") {
				t.Errorf("%q, %q; want %q, %q", got.Main, got.Sub, tt.main, tt.sub)
			}
		})
	}
}

func TestFirstSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "Una.": "Una", "Una. Dos.": "Una", "Sin punto": "Sin punto", "Son $1.50 al día. Fin.": "Son $1.50 al día"} {
		if got := firstSentence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func checked(text string) NewLookupForm {
	check := curp.Explain(text, noon)
	return NewLookupForm{Values: lookup.Form{CURP: text, Consent: true, Platform: "issste", Means: "phone", Reference: "SOL-9"}, Check: &check, Notice: "3.2", Env: lookup.Production}
}

func TestNewLookup(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		doc := render(t, NewLookup(NewLookupPage{Page: testPage(lang), Form: checked(goodCURP)}))
		checkDocument(t, doc, lang)
		attr(t, doc, "form#new-lookup", "action", "/lookups?environment=sandbox")
		attr(t, doc, "form#new-lookup", "method", "post")
		attr(t, doc, "#curp", "value", goodCURP)
		attr(t, doc, "#curp", "hx-post", "/lookups/check")
		attr(t, doc, "#curp", "hx-target", "#curp-says")
		attr(t, doc, "input[name=platform][checked]", "value", "issste")
		attr(t, doc, "input[name=external_id]", "value", "SOL-9")
		count(t, doc, "input[name=consent][checked][value=on]", 1)
		attr(t, doc, "select[name=means] option[selected]", "value", "phone")
		count(t, doc, ".curp__part--pass", 6)
		count(t, doc, "[data-confirm], [aria-invalid], [data-warn]", 0)
	})
}

func TestNewLookupStates(t *testing.T) {
	t.Parallel()
	page := func(f NewLookupForm) NewLookupPage { return NewLookupPage{Page: testPage("es-MX"), Form: f} }

	t.Run("untouched", func(t *testing.T) {
		t.Parallel()
		doc := render(t, NewLookup(page(NewLookupForm{Notice: "3.2"})))
		checkDocument(t, doc, "es-MX")
		attr(t, doc, "input[name=platform][checked]", "value", "imss")
		count(t, doc, "input[name=consent][checked]", 0)
		count(t, doc, "#curp-says .curp__says--none", 1)
	})
	t.Run("doubtful", func(t *testing.T) {
		t.Parallel()
		f := checked(doubtfulCURP)
		f.Confirm = true
		doc := render(t, NewLookup(page(f)))
		checkDocument(t, doc, "es-MX")
		count(t, doc, `[data-confirm="check_digit"] button[type=submit][name=confirm][value=check_digit]`, 1)
		count(t, doc, "#curp[data-warn]", 1)
		says(t, doc, "[data-confirm]", "El dígito debería ser 5 y es 7")
		// The Enter key presses the first submit button of a form: that one must not confirm.
		if name, ok := doc.Find("form#new-lookup button[type=submit]").First().Attr("name"); ok {
			t.Errorf("the first button sends %s", name)
		}
	})
	t.Run("impossible", func(t *testing.T) {
		t.Parallel()
		f := checked(badCURP)
		f.Errors = map[string]Note{"curp": {ID: f.Check.Headline.ID, Args: f.Check.Headline.Args}, "consent": {ID: "lookups.form.consent_missing"}, "means": {ID: "lookups.form.means_missing"}}
		doc := render(t, NewLookup(page(f)))
		checkDocument(t, doc, "es-MX")
		attr(t, doc, "#curp", "aria-invalid", "true")
		count(t, doc, ".alert--error li", 3)
		count(t, doc, "#curp-error", 0) // the check below the field says it
		count(t, doc, ".curp__part--block", 1)
		says(t, doc, ".curp__says--block", "Esa fecha no existe")
		says(t, doc, "#consent-error", "Sin consentimiento")
	})
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		f := NewLookupForm{Errors: map[string]Note{
			"curp": {ID: "lookups.form.curp_missing"}, "platform": {ID: "lookups.form.platform_missing"},
			"external_id": {ID: "lookups.form.reference_long", Args: []any{"Max", lookup.MaxReference}},
		}}
		doc := render(t, NewLookup(page(f)))
		checkDocument(t, doc, "es-MX")
		attr(t, doc, "#curp", "aria-describedby", "curp-error curp-line")
		says(t, doc, "#curp-error", "Escriba la CURP")
		says(t, doc, "#external_id-error", "80")
	})
	t.Run("not allowed", func(t *testing.T) {
		t.Parallel()
		v := page(NewLookupForm{})
		v.Page = v.as(auth.Auditor)
		doc := render(t, NewLookup(v))
		checkDocument(t, doc, "es-MX")
		count(t, doc, "form#new-lookup", 0)
	})
}

// Through whom a source is asked is said where that is a choice.
func TestNewLookupSources(t *testing.T) {
	t.Parallel()
	palenca := []SourceChoice{{Platform: lookup.IMSS, Dialect: lookup.Palenca, Name: "Palenca"}, {Platform: lookup.ISSSTE, Dialect: lookup.Palenca, Name: "Palenca"}}
	both := append(palenca[:2:2], SourceChoice{Platform: lookup.AllSources, Dialect: lookup.Buro, Name: "Buró central"})
	bothLanguages(t, func(t *testing.T, lang string) {
		doc := render(t, NewLookup(NewLookupPage{Page: testPage(lang), Form: NewLookupForm{Sources: palenca}}))
		count(t, doc, "[name=platform]", 2)
		count(t, doc, ".pick__help", 0)
		doc = render(t, NewLookup(NewLookupPage{Page: testPage(lang), Form: NewLookupForm{Sources: both, Values: lookup.Form{Platform: "all"}}}))
		checkDocument(t, doc, lang)
		count(t, doc, "[name=platform]", 3)
		count(t, doc, ".pick__help", 3)
		attr(t, doc, "[name=platform][checked]", "value", "all")
		says(t, doc, "form#new-lookup", "Buró central")
		doc = render(t, NewLookup(NewLookupPage{Page: testPage(lang), Form: NewLookupForm{Sources: both[2:]}}))
		attr(t, doc, "[name=platform][checked]", "value", "all")
	})
}

func TestCURPCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		typed, verdict string
		parts          int
	}{
		"passes":    {goodCURP, "pass", 6},
		"lower":     {strings.ToLower(goodCURP), "pass", 6},
		"doubtful":  {doubtfulCURP, "warn", 6},
		"blocked":   {badCURP, "block", 6},
		"half":      {"GATA000408", "short", 2},
		"too long":  {goodCURP + "X", "block", 6},
		"a warning": {"OICE940722HGFRST08", "block", 6}, // the vendor's own page holds this one
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothLanguages(t, func(t *testing.T, lang string) {
				doc := render(t, CURPCheck(testPage(lang), curp.Explain(tt.typed, noon)))
				checkMarkup(t, doc)
				count(t, doc, "#curp-says", 1)
				count(t, doc, ".curp__says--"+tt.verdict+"[role=status]", 1)
				count(t, doc, ".curp__part", 6)
				count(t, doc, ".curp__part--ahead", 6-tt.parts)
			})
		})
	}
	doc := render(t, CURPCheck(testPage("en"), curp.Check{}))
	count(t, doc, "#curp-says .curp__says--none", 1)
	count(t, doc, ".curp__part--ahead", 6)
}

func TestLookupTitle(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	if got := LookupTitle(p, ""); got != "Consulta" {
		t.Error(got)
	}
	if got := LookupTitle(p, "SOL-1"); got != "Consulta SOL-1" {
		t.Error(got)
	}
	if got := LookupTitle(p, "SOL-1 GATA000408HTLRLLA7"); got != "Consulta SOL-1 …" {
		t.Error(got)
	}
}

// Of the time after its answer a source has said nothing, so no tenure grows by itself.
func TestTenureEndsWithTheAnswer(t *testing.T) {
	t.Parallel()
	row := testRow(lookup.Success)
	row.Employment, row.StatusAt = lookup.PullComplete, time.Date(2024, 3, 15, 18, 0, 0, 0, time.UTC)
	row.Gist = lookup.Gist{Records: 1, Employers: 1, CurrentName: "ACME", Since: date("2023-01-15")}
	if got := gistOf(testPage("es-MX"), row).Sub; !strings.HasPrefix(got, "1 año 2 meses, desde 15 ene 2023") {
		t.Error(got)
	}
}
