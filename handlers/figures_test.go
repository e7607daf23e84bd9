package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/decision"
)

func TestFiguresAndNotes(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	path := "/lookups/" + uid.String()
	b := c.as(auth.Analyst)

	// The date is the reader's: in the address, and in what is frozen.
	r := b.get(path+"?as_of=2021-06-30").want(http.StatusOK).count("#figures", 1)
	if got := r.attr("#as_of", "value") + " " + r.attr(`#decide [name="as_of"]`, "value"); got != "2021-06-30 2021-06-30" {
		t.Errorf("dates %s", got)
	}
	for _, bad := range []string{"2999-01-01", "x", "1800-01-01"} {
		b.get(path+"?as_of="+bad).want(http.StatusOK).count("#as_of-error", 1)
	}
	b.get("/figures").want(http.StatusOK).count(".defs__item[id]", 17)
	c.as(auth.Developer).get("/figures").want(http.StatusForbidden)

	form := func(reason string) url.Values {
		return url.Values{"reason": {reason}, "as_of": {r.attr(`#decide [name="as_of"]`, "value")}, "shown": {r.attr(`#decide [name="shown"]`, "value")}}
	}
	notes := path + "/decisions"
	b.post(notes, form(" \r\n")).want(http.StatusUnprocessableEntity).count("#reason-error", 1)
	b.post(notes, form(strings.Repeat("x", 4001))).want(http.StatusUnprocessableEntity)
	auditor := c.as(auth.Auditor)
	auditor.post(notes, form("x")).want(http.StatusForbidden)
	stale := form("Mi texto")
	stale.Set("as_of", "2021-07-01")
	if again := b.post(notes, stale).want(http.StatusUnprocessableEntity); again.attr("#as_of", "value") != "2021-07-01" || !strings.Contains(again.doc().Find("#reason").Text(), "Mi texto") {
		t.Error("a refused note lost its date or its text")
	}
	stale.Set("as_of", "2999-01-01")
	b.post(notes, stale).want(http.StatusBadRequest)
	if n := one[int](c, `select count(*) from decisions`); n != 0 {
		t.Fatalf("%d notes of those refused", n)
	}

	done := b.post(notes, form("Aprobado.\r\nAntigüedad de un año.")).want(http.StatusSeeOther)
	if to := done.header.Get("Location"); to != path+"?as_of=2021-06-30#decisions" {
		t.Errorf("leads to %s", to)
	}
	page := b.get(path).want(http.StatusOK).count("[data-decision]", 1).has("Antigüedad de un año.", b.user.Name)
	if got, want := page.doc().Find(".noted__hash").Text(), r.attr(`#decide [name="shown"]`, "value"); got != want {
		t.Errorf("frozen %s, seen %s", got, want)
	}
	if text := one[string](c, `select reason from decisions`); text != "Aprobado.\nAntigüedad de un año." {
		t.Errorf("the note became %q", text)
	}
	if n := c.trail(audit.DecisionNoted, b.user); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
	auditor.get(path).want(http.StatusOK).count("[data-decision]", 1).count("#decide", 0)
}

// At the second vendor the page shows more than profile and employment, and all of it is what a note is about.
func TestNotesOnEverythingShown(t *testing.T) {
	t.Parallel()
	c, _, _, uid := throughBoth(t)
	path := "/lookups/" + uid.String()
	b := c.as(auth.Analyst)
	page := b.get(path).want(http.StatusOK)
	if page.doc().Find("[data-entity]").Length() == 0 || page.doc().Find("[data-document]").Length() == 0 {
		t.Fatal("the page shows neither other data nor documents")
	}
	form := url.Values{"reason": {"Por sus facturas."}, "as_of": {page.attr(`#decide [name="as_of"]`, "value")}, "shown": {page.attr(`#decide [name="shown"]`, "value")}}
	// Another answer comes between the page and the note.
	c.exec(`insert into pulls (lookup_id, attempt_id, kind, state, http_status, took_ms, body, sha256)
	        select lookup_id, attempt_id, kind, state, http_status, took_ms, body, sha256 from pulls where kind = 'invoices' and state <> 'failed' limit 1`)
	again := b.post(path+"/decisions", form).want(http.StatusUnprocessableEntity).has(spanish.T("decisions.changed"))
	form.Set("shown", again.attr(`#decide [name="shown"]`, "value"))
	b.post(path+"/decisions", form).want(http.StatusSeeOther)
	facts, ok := decision.Note{Frozen: one[[]byte](c, `select frozen from decisions`)}.Facts()
	if !ok || len(facts.Others) == 0 || len(facts.Documents) != again.doc().Find("[data-document]").Length() {
		t.Fatalf("frozen: %+v", facts)
	}
	noted := b.get(path).want(http.StatusOK).count(`[data-decision] [data-frozen="document"]`, len(facts.Documents))
	for _, a := range facts.Others {
		if a.ID != "" {
			noted.count(`[data-frozen="`+string(a.Entity)+`"] a[href="/pulls/`+a.ID+`"]`, 1)
			b.get("/pulls/" + a.ID).want(http.StatusOK)
		}
	}
}
