package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// describedBy is what a screen reader adds to the name of the CURP's field.
const describedBy = `document.getElementById("curp").getAttribute("aria-describedby").split(" ")
	.map(id => document.getElementById(id).textContent).join(" ")`

// TestCURPField follows the check of a CURP while it is typed and when it is sent.
func TestCURPField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	stillTyping(b)
	b.open("/lookups/new")
	b.do(chromedp.SendKeys(chromedp.CSS("#curp"), "OICE940722"))
	b.until(`document.querySelector("#curp-says")?.textContent.includes("Faltan 8 caracteres")`)
	b.do(chromedp.SendKeys(chromedp.CSS("#curp"), "HGFRST08"))
	b.until(`document.querySelector("#curp-says")?.textContent.includes("«GF»")`)
	b.says("#curp-says", "«GF» no es la clave de ninguna entidad federativa (posiciones 12 y 13).")
	if focus := ask[string](b, "document.activeElement.id"); focus != "curp" {
		t.Errorf("the check took the focus to %q", focus)
	}

	b.expects(422)
	b.do(click("#consent"))
	if status := b.leads(click("#new-lookup .form__acts button")); status != 422 {
		t.Errorf("a CURP that cannot be one is answered %d", status)
	}
	const reason = "«GF» no es la clave de ninguna entidad federativa"
	if said := ask[string](b, describedBy); !strings.Contains(said, reason) {
		t.Errorf("the field is described by %q", said)
	}
	if invalid := ask[string](b, `document.getElementById("curp").ariaInvalid ?? ""`); invalid != "true" {
		t.Errorf("the field's aria-invalid is %q", invalid)
	}
	if n := b.count("[data-confirm]"); n != 0 {
		t.Error("what cannot be a CURP can be confirmed")
	}

	// A wrong check digit alone asks once more and then goes through.
	b.do(fill("#curp", "GATA000408HTLRLLA8"))
	b.until(`document.querySelector("#curp-says")?.textContent.includes("El dígito debería ser 7 y es 8")`)
	if status := b.leads(press("\r")); status != 422 {
		t.Errorf("a wrong check digit is answered %d", status)
	}
	b.says(`[data-confirm="check_digit"]`, "El dígito debería ser 7 y es 8")
	if status := b.leads(click(`[data-confirm="check_digit"] button[name=confirm][value=check_digit]`)); status != 200 || !strings.HasPrefix(b.path(), "/lookups/") {
		t.Errorf("confirming led to %s, %d", b.path(), status)
	}
	b.finished("incomplete", "none")
	b.says("#lookup", "curp_not_found_in_renapo")
}

// stillTyping types what makes the check say its longest sentences and the most of them, at the widths and places the form
// has: what is below must not move by a pixel, whatever is said.
func stillTyping(b *tab) {
	b.t.Helper()
	texts := []string{"G", "GATA000230HVZ", "GATA000408HVZRLLA7", "GATA300408HVZRLLA7", "GATA0004Á8HTLRLLA7"}
	for _, place := range []struct {
		path  string
		width int64
	}{{"/lookups/new", 1440}, {"/lookups", 1440}, {"/lookups/new", 380}} {
		b.size(place.width, 900)
		b.open(place.path)
		still := b.steady("#new-lookup .form__acts button")
		for _, text := range texts {
			b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("curp").select()`), chromedp.SendKeys(chromedp.CSS("#curp"), text))
			b.until(fmt.Sprintf(`%q.slice(0, 18) === [...document.querySelectorAll(".curp__part:not(.curp__part--ahead) > code")].map(c => c.textContent).join("")`, text))
			still(fmt.Sprintf("%q at %d px on %s", text, place.width, place.path))
		}
	}
	b.size(1440, 900)
}

// TestConsentMissing keeps what was typed when the one thing is missing without which nothing may be asked.
func TestConsentMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	b.expects(422)
	b.open("/lookups/new")
	b.do(fill("#curp", "LALE870908HDFRPD02"), fill("#external_id", "SOL-77"), click(`input[name=platform][value=issste]`))
	// The browser itself would not send the form; another client would.
	status := b.leads(chromedp.Evaluate[chromedp.Void](`const form = document.getElementById("new-lookup"); form.noValidate = true; form.requestSubmit()`))
	if status != 422 {
		t.Errorf("answered %d", status)
	}
	b.says("#consent-error", "Sin consentimiento expreso no se puede consultar")
	kept := ask[string](b, `(f => [f.curp.value, f.external_id.value, f.platform.value, f.consent.checked].join(" "))(document.getElementById("new-lookup"))`)
	if want := "LALE870908HDFRPD02 SOL-77 issste false"; kept != want {
		t.Errorf("the form came back with %s, not %s", kept, want)
	}
	if n := value[int](s, "select count(*)::int from lookups"); n != 0 {
		t.Errorf("%d lookups without consent", n)
	}
}

// TestWithoutScript does the whole round with scripts switched off.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := visitor(t, p.url)
	b.scripts(false)
	b.signIn(adminEmail, adminPassword)
	b.open("/lookups")
	b.open("/lookups/new")
	b.leads(fill("#curp", "JITM910411HASMMR08"), fill("#external_id", "SOL-5"), click("#consent"), click("#new-lookup .form__acts button"))
	path := b.path()
	id := strings.TrimPrefix(path, "/lookups/")
	s.until(`status = 'success' and employment_state = 'complete' and profile_state = 'complete' from lookups where uid = $1`, id)
	b.open("/lookups")
	b.leads(click(fmt.Sprintf(`[data-lookup="%s"] a.table__main`, id)))
	if at := b.path(); at != path {
		t.Fatalf("the row led to %s", at)
	}
	if n := b.count(`#lookup[data-status="success"][data-records="complete"]`); n != 1 {
		t.Error("the page does not show the outcome")
	}
	if rows := readCSV(t, b.download(click("#case-csv")).bytes); len(rows) < 2 {
		t.Error("the file has no rows")
	}
	b.leads(click("#case-curp form button"))
	b.says("#case-curp", "JITM910411HASMMR08", "Se muestra una vez")
	b.open(path)
	b.leads(click("#work-take"))
	b.leads(fill("#tag", "Revisión"), click("#work-tag-form button"))
	// The session ends while a note is written. It waits for its author to sign in, and to say so.
	b.do(click("#note"), press("Llamó para preguntar."))
	s.change(`update sessions set expires_at = now() - interval '1 minute'`)
	b.expects(401)
	b.leads(click("#note-save"))
	b.leads(fill("#email", adminEmail), fill("#password", adminPassword), press("\r"))
	b.says("#typed", "una nota")
	b.leads(click("#typed button"))
	b.says("#work", "Llamó para preguntar.", "revisión")
	b.leads(click("#reason"), press("Sin historial suficiente."), click("#decide-save"))
	b.says("#decisions [data-decision]", "Sin historial suficiente.")
	if n := value[int](s, "select count(*)::int from decisions d join lookups l on l.id = d.lookup_id where l.uid = $1", id); n != 1 {
		t.Errorf("%d decisions were kept", n)
	}
	b.leads(fill("#seek", "sol-5"), press("\r"))
	b.leads(click(fmt.Sprintf(`[data-lookup="%s"] a.table__main`, id)))
	if at := b.path(); at != path {
		t.Errorf("what was searched for led to %s", at)
	}
	b.leads(click(".nav__last form button"))
	if at := b.path(); at != "/login" {
		t.Errorf("signing out led to %s", at)
	}
}
