package browsertest

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/ledongthuc/pdf"
)

// paper prints the page as the browser's own dialog does.
func (b *tab) paper() []byte {
	b.t.Helper()
	return run1(b, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		res, err := cdp.Call(ctx, t, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
		return res.Data, err
	})
}

// printedCase prints the case that the tab shows and reads the paper: what a credit file needs is on it, on every page what
// it is, and nothing that can only be pressed.
func (b *tab) printedCase(t *testing.T, facts ...string) {
	t.Helper()
	file := b.paper()
	r, err := pdf.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for i := range r.NumPage() {
		text, err := r.Page(i + 1).GetPlainText(nil)
		if err != nil {
			t.Fatal(err)
		}
		// Chromium breaks words up as the font's spacing asks, so texts are compared without spaces.
		text = strings.Join(strings.Fields(text), "")
		if !strings.Contains(text, "PRUEBAS:datosficticios") {
			t.Errorf("page %d does not say that its data are of the sandbox: %.200s", i+1, text)
		}
		all.WriteString(text)
	}
	on := func(text string) bool { return strings.Contains(all.String(), strings.Join(strings.Fields(text), "")) }
	for _, fact := range facts {
		if !on(fact) {
			t.Errorf("%q is not on paper", fact)
		}
	}
	for _, control := range []string{"Nueva consulta", "Volver a verificar", "Revelar", "Guardar nota", "Exportaciones", "Salir", "Pausar"} {
		if on(control) {
			t.Errorf("the control %q is on paper", control)
		}
	}
	if n := r.NumPage(); n > 12 {
		t.Errorf("one case takes %d pages", n)
	}
	if t.Failed() {
		t.Logf("%.4000s", all.String())
	}
}
