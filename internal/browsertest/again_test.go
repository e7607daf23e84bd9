package browsertest

import "testing"

// TestAskAgain asks about somebody again although there is a fresh result: the warning first, then the new attempt, and
// what changed between the two answers.
func TestAskAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := admin(t, p)
	id := b.request("GATA000408HTLRLLA7", "SOL-1")
	b.finished("success", "complete")
	s.until(`profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, id)
	b.open("/lookups/" + id)
	if n := b.count("#difference"); n != 0 {
		t.Error("one answer differs from nothing")
	}
	b.leads(click("#case-again"))
	b.says(`[data-limit="recent_success"]`, "Hay un resultado de hace menos de 12 horas.")
	b.look("ask again", b.path(), 200)

	// The second answer comes in the vendor's newer schema, without salaries.
	s.tell(p, "/settings", map[string]any{"without_salaries": true})
	b.leads(click(`form[action$="/again"] button`))
	if at := b.path(); at != "/lookups/"+id {
		t.Fatalf("the new attempt leads to %s", at)
	}
	b.says(".flash", "Se abrió un nuevo intento.")
	s.until(`status = 'success' and profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, id)
	b.open("/lookups/" + id)
	b.says(`section[aria-labelledby="h-story"]`, "Intento 2", "Nueva verificación")
	if n := b.count(`#difference [data-change="base_salary"]`); n == 0 {
		t.Error("salaries that are gone are no difference")
	}
	b.says("#difference", "SBC diario", "sin informar")
	s.change(`update attempts set settled_by = 'asking', final_event_at = null`)
	b.look("case without a notice, asked twice", "/lookups/"+id, 200)
	b.look("missing notices", "/missing", 200)
	b.look("source health", "/sources", 200)
	if n := b.count("[data-source=imss] svg[role=img]"); n != 1 {
		t.Error("the health of IMSS is not drawn")
	}
}
