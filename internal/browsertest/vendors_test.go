package browsertest

import (
	"fmt"
	"strings"
	"testing"
)

// TestBothVendors asks for one person through each vendor and reads both histories on one page.
func TestBothVendors(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	curp := people[0].curp
	palenca := b.request(curp, "SOL-1")
	b.open("/lookups/new")
	still := b.steady("#new-lookup .form__acts button")
	b.do(click(`input[name=platform][value=all]`), fill("#curp", "TNX9804159P9"))
	b.until(`document.querySelectorAll("#curp-says .curp__part").length === 4 && document.querySelector("#curp-says .curp__says--pass")`)
	still("the check of an RFC")
	b.do(click(`input[name=platform][value=imss]`)) // where an RFC will not do
	b.until(`document.querySelector("#curp-says .curp__says--block")`)
	b.do(click(`input[name=platform][value=all]`))
	b.until(`document.querySelector("#curp-says .curp__says--pass")`)
	still("the choice of a source")
	b.leads(click("#consent"), click("#new-lookup .form__acts button"))
	company := strings.TrimPrefix(b.path(), "/lookups/")
	buro := b.request(curp, "SOL-2") // what was chosen last is chosen again
	for _, id := range []string{palenca, buro} {
		s.until(`status = 'success' and employment_state = 'complete' and profile_state = 'complete' from lookups where uid = $1`, id)
	}
	s.until(`count(*) = 0 from attempt_entities where state = 'fetching'`)

	b.open("/lookups")
	b.leads(click(fmt.Sprintf(`[data-lookup="%s"] a[href^="/people/"]`, palenca)))
	if at := b.path(); !strings.HasPrefix(at, "/people/") {
		t.Fatalf("the row leads to %s", at)
	}
	for source, id := range map[string]string{"palenca-imss": palenca, "buro-all": buro} {
		if n := b.count(fmt.Sprintf(`[data-source="%s"] .spells__item`, source)); n != value[int](s, `select count(*)::int from employment_records r
			join pulls q on q.id = r.pull_id join lookups l on l.id = q.lookup_id where l.uid = $1`, id) || n == 0 {
			t.Errorf("%s shows %d records", source, n)
		}
	}
	b.says("[data-compared]", "Las dos fuentes coinciden")
	b.do(click("#person-curp form button"))
	b.until(fmt.Sprintf(`document.querySelector(".person__ids").textContent.includes(%q)`, curp))
	person := b.path()
	b.look("person", person, 200)
	b.look("lookup of an RFC, with tables", "/lookups/"+company, 200)
	b.open("/lookups/" + buro)
	if got := b.download(click(`#documents a[href^="/documents/"]`)); !strings.HasPrefix(string(got.bytes), "%PDF-") || !strings.HasSuffix(got.name, ".pdf") {
		t.Errorf("the document came as %s with %d bytes", got.name, len(got.bytes))
	}
}
