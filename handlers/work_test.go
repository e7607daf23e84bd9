package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

func TestCaseWork(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	uid, _ := c.request(alejandro)
	path := "/lookups/" + uid.String()
	b := c.as(auth.Analyst)
	mine := b.user.UID.String()

	b.get(path).want(http.StatusOK).count("#work-take", 1).count("#work form", 5).count("[data-note]", 0)
	good := []struct{ to, field, value string }{
		{"/owner", "owner", mine}, {"/tags", "tag", "  Revisión  Manual"}, {"/reference", "reference", " EXP-99 "}, {"/notes", "note", "Llamó.\r\nDice <b>que</b> sí."},
	}
	for _, g := range good {
		b.post(path+g.to, url.Values{g.field: {g.value}}).to(path + "#work")
	}
	r := b.get(path).want(http.StatusOK).count("#work-take", 0).count(`[data-tag="revisión manual"]`, 1).count("[data-note]", 1).has("EXP-99").lacks("<b>que</b>")
	if got := strings.TrimSpace(r.doc().Find("#work-owner").Text()); got != b.user.Name {
		t.Errorf("the case is %q's", got)
	}
	if got := r.doc().Find("#work .jot__text").Text(); got != "Llamó.\nDice <b>que</b> sí." {
		t.Errorf("the note says %q", got)
	}
	// The list shows it, and its filters find it.
	tag := one[uuid.UUID](c, `select uid from tags`).String()
	b.get("/lookups?owner="+mine+"&tag="+tag).want(http.StatusOK).count("tr[data-lookup]", 1).count(".work__tag", 1).count(".work__owner", 1).count(".chip", 2)
	b.get("/lookups?owner="+one[string](c, `select uid::text from users where email = 'requester@example.mx'`)).want(http.StatusOK).count("tr[data-lookup]", 0)

	// What is wrong is said at its field, with what was typed.
	for _, bad := range []struct{ to, field, value string }{
		{"/owner", "owner", "x"}, {"/owner", "owner", uuid.NewString()}, {"/tags", "tag", "NSS 02189216878"}, {"/tags", "tag", " "}, {"/tags", "tag", "я"},
		{"/reference", "reference", strings.Repeat("é", 81)}, {"/notes", "note", " \r\n "}, {"/notes", "note", strings.Repeat("é", 4001)},
	} {
		r := b.post(path+bad.to, url.Values{bad.field: {bad.value}}).want(http.StatusUnprocessableEntity).count("#"+bad.field+"-error", 1)
		if bad.field != "owner" && bad.field != "note" && strings.TrimSpace(r.attr("#"+bad.field, "value")) != strings.TrimSpace(bad.value) {
			t.Errorf("%s: what was typed is gone", bad.field)
		}
	}
	// Who never opened the case has seen it then.
	other := c.as(auth.Supervisor)
	other.post(path+"/notes", url.Values{"note": {""}}).want(http.StatusUnprocessableEntity).count("#case", 1)
	if n := c.trail(audit.LookupViewed, other.user); n != 1 {
		t.Errorf("%d views on the trail of a case shown below a form's fault, want 1", n)
	}
	b.post(path+"/tags/remove", url.Values{"tag": {"x"}}).want(http.StatusNotFound)
	b.post(path+"/tags/remove", url.Values{"tag": {tag}}).to(path + "#work")
	if n := one[int](c, `select count(*) from lookup_tags`); n != 0 {
		t.Errorf("%d tags left", n)
	}
	auditor := c.as(auth.Auditor)
	auditor.get(path).want(http.StatusOK).count("#work form", 0).count("[data-note]", 1)
	for _, g := range good {
		auditor.post(path+g.to, url.Values{g.field: {g.value}}).want(http.StatusForbidden)
		b.post("/lookups/"+uuid.NewString()+g.to, url.Values{g.field: {g.value}}).want(http.StatusNotFound)
	}
}

func TestManageTags(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	uid, _ := c.request(alejandro)
	b := c.as(auth.Administrator)
	b.get("/tags").want(http.StatusOK).count("tr[data-tag]", 0)
	for _, name := range []string{"uno", "dos"} {
		b.post("/lookups/"+uid.String()+"/tags", url.Values{"tag": {name}}).want(http.StatusSeeOther)
	}
	id := one[uuid.UUID](c, `select uid from tags where folded = 'uno'`).String()
	b.get("/tags").want(http.StatusOK).count("tr[data-tag]", 2).count(`a[href="/lookups?tag=`+id+`"]`, 1)
	b.post("/tags/"+id, url.Values{"name": {"<b>"}}).want(http.StatusUnprocessableEntity).count("#name-"+id+"-error", 1)
	b.post("/tags/"+id, url.Values{"name": {"Primera"}}).to("/tags")
	b.post("/tags/"+id, url.Values{"name": {"dos"}}).to("/tags")
	b.get("/tags").want(http.StatusOK).count("tr[data-tag]", 1)
	b.post("/tags/"+id+"/delete", nil).want(http.StatusNotFound)
	left := one[uuid.UUID](c, `select uid from tags`).String()
	b.post("/tags/"+left+"/delete", nil).to("/tags")
	b.get("/tags").want(http.StatusOK).count("tr[data-tag]", 0)
	analyst := c.as(auth.Analyst)
	analyst.get("/tags").want(http.StatusForbidden)
	analyst.post("/tags/"+id, url.Values{"name": {"x"}}).want(http.StatusForbidden)
}
