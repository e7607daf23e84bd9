package views

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
)

// noon is the clock of every test page: 15 March 2026, 11:41:23 in Mexico City.
var noon = time.Date(2026, time.March, 15, 17, 41, 23, 0, time.UTC)

// testPage is a page as an administrator of the sandbox sees it.
func testPage(lang string) Page {
	return Page{
		P:           locale.For(lang, nil),
		User:        auth.User{ID: 1, UID: uuid.MustParse("018e4001-7c1d-7b02-9a55-3f0c6e1d4b01"), Name: "Mariana Ortega", Email: "mariana@malintzi.example", Role: auth.Administrator, Language: lang},
		Env:         lookup.Sandbox,
		Institution: "Financiera Malintzi",
		Now:         noon,
		Title:       "Prueba",
		Path:        "/somewhere?a=b",
		Asset:       func(name string) string { return "/static/" + name + "?v=0" },
	}
}

// as gives the page another role.
func (p Page) as(role auth.Role) Page {
	p.User.Role = role
	return p
}

// in gives the page another environment.
func (p Page) in(env lookup.Environment) Page {
	p.Env = env
	return p
}

func html(t *testing.T, component templ.Component) string {
	t.Helper()
	var out strings.Builder
	if err := component.Render(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func render(t *testing.T, component templ.Component) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html(t, component)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// bothLanguages runs a test once per language.
func bothLanguages(t *testing.T, test func(t *testing.T, lang string)) {
	t.Helper()
	for _, lang := range locale.Languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			test(t, lang)
		})
	}
}

func count(t *testing.T, doc *goquery.Document, selector string, want int) {
	t.Helper()
	if got := doc.Find(selector).Length(); got != want {
		t.Errorf("%s: %d elements, want %d", selector, got, want)
	}
}

func attr(t *testing.T, doc *goquery.Document, selector, name, want string) {
	t.Helper()
	got, ok := doc.Find(selector).First().Attr(name)
	if !ok || got != want {
		t.Errorf("%s: %s = %q (%v), want %q", selector, name, got, ok, want)
	}
}

func says(t *testing.T, doc *goquery.Document, selector, want string) {
	t.Helper()
	if got := strings.Join(strings.Fields(doc.Find(selector).First().Text()), " "); !strings.Contains(got, want) {
		t.Errorf("%s says %q, want %q in it", selector, got, want)
	}
}

// inlineAttributes are what the content security policy would refuse, or htmx would evaluate.
var inlineAttributes = []string{"style", "hx-on", "hx-vars"}

// checkDocument holds what is true of every whole page.
func checkDocument(t *testing.T, doc *goquery.Document, lang string) {
	t.Helper()
	attr(t, doc, "html", "lang", lang)
	for _, selector := range []string{"h1", "main#main", "head title", `a.skip[href="#main"]`, "#says[role=status]"} {
		count(t, doc, selector, 1)
	}
	checkMarkup(t, doc)
}

// checkMarkup holds what is true of any stretch of markup, whole pages and fragments alike.
func checkMarkup(t *testing.T, doc *goquery.Document) {
	t.Helper()
	if text := doc.Text(); strings.Contains(text, "⟨") {
		t.Errorf("a message is missing: %s", text[strings.Index(text, "⟨"):min(len(text), strings.Index(text, "⟨")+80)])
	}
	ids := map[string]bool{}
	doc.Find("*").Each(func(_ int, element *goquery.Selection) {
		for _, a := range element.Get(0).Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
				t.Errorf("<%s> has the handler %s", goquery.NodeName(element), a.Key)
			}
			for _, inline := range inlineAttributes {
				if a.Key == inline {
					t.Errorf("<%s> has the attribute %s", goquery.NodeName(element), a.Key)
				}
			}
			if strings.Contains(a.Val, "⟨") {
				t.Errorf("<%s %s> misses a message: %s", goquery.NodeName(element), a.Key, a.Val)
			}
			if a.Key == "id" && ids[a.Val] {
				t.Errorf("the id %q twice", a.Val)
			}
			if a.Key == "id" {
				ids[a.Val] = true
			}
		}
	})
	doc.Find("script").Each(func(_ int, script *goquery.Selection) {
		if _, ok := script.Attr("src"); !ok {
			t.Error("an inline script")
		}
	})
	count(t, doc, "style", 0)
	checkForms(t, doc, ids)
	checkIcons(t, doc)
}

// checkForms: every control a person fills has a label, every description it names is there, every button says what
// kind it is.
func checkForms(t *testing.T, doc *goquery.Document, ids map[string]bool) {
	t.Helper()
	doc.Find("input:not([type=hidden]):not([aria-hidden]), select, textarea").Each(func(_ int, control *goquery.Selection) {
		id, _ := control.Attr("id")
		labelled := control.Closest("label").Length() > 0 || id != "" && doc.Find(`label[for="`+id+`"]`).Length() == 1
		if _, ok := control.Attr("aria-label"); !ok && !labelled {
			t.Errorf("the control %q has no label", id)
		}
	})
	doc.Find("[aria-describedby], [aria-labelledby]").Each(func(_ int, element *goquery.Selection) {
		for _, id := range strings.Fields(element.AttrOr("aria-describedby", "") + " " + element.AttrOr("aria-labelledby", "")) {
			if !ids[id] {
				t.Errorf("<%s> is described by %q, which is not there", goquery.NodeName(element), id)
			}
		}
	})
	doc.Find("button").Each(func(_ int, button *goquery.Selection) {
		if _, ok := button.Attr("type"); !ok {
			t.Errorf("a button without a type: %s", button.Text())
		}
		name := strings.TrimSpace(button.Text()) + button.AttrOr("aria-label", "")
		if name == "" {
			t.Error("a button without a name")
		}
	})
	doc.Find("form").Each(func(_ int, form *goquery.Selection) {
		if method := form.AttrOr("method", "get"); method != "get" && method != "post" {
			t.Errorf("a form with the method %q", method)
		}
		if action := form.AttrOr("action", ""); !strings.HasPrefix(action, "/") {
			t.Errorf("a form that leaves for %q", action)
		}
	})
}

func checkIcons(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("use").Each(func(_ int, use *goquery.Selection) {
		name := strings.TrimPrefix(use.AttrOr("href", ""), "#i-")
		if !drawn(name) {
			t.Errorf("no icon is called %q", name)
		}
	})
}
