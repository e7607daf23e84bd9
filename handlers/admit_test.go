package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// A page that was made in the sandbox does nothing in production, however the console was changed over in between.
func TestFormsKnowTheirEnvironment(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.connect(lookup.Production, "https://api.example/v1", "private_live_key_0123456789", "")
	b := c.as(auth.Administrator)
	at := map[string]string{}
	for path, form := range map[string]string{"/lookups/new": "#new-lookup", "/sandbox": "[data-person] form", "/bulk": "#bulk-upload",
		"/connection": "form[action^='/connection?']", "/subscriptions/new": "form[action^='/subscriptions?']", "/exports/new?of=lookups": "#export-form"} {
		action := b.get(path).want(http.StatusOK).doc().Find(form).First().AttrOr("action", "")
		if !strings.HasSuffix(action, "?environment=sandbox") {
			t.Errorf("%s: the form goes to %q", path, action)
			continue
		}
		at[path] = action
	}
	asked := url.Values{"curp": {alejandro}, "platform": {"imss"}, "consent": {"on"}, "means": {"branch"}}
	c.exec(`update console set environment = 'production'`)
	for _, action := range at {
		b.post(action, asked).want(http.StatusConflict).has(spanish.T("errors.changed_over")).lacks(alejandro)
	}
	if n := one[int](c, `select count(*) from lookups`); n != 0 {
		t.Errorf("%d lookups were made", n)
	}
	c.exec(`update console set environment = 'sandbox'`)
	b.post(at["/lookups/new"], asked).want(http.StatusSeeOther)
}

// What stood in an address that a stranger asked for comes back after the sign-in, unless it is personal.
func TestTurnedAwayWithoutPersonalData(t *testing.T) {
	t.Parallel()
	b := open(t).stranger()
	b.get("/lookups?status=error").to("/login?next=" + url.QueryEscape("/lookups?status=error"))
	for _, text := range []string{alejandro, "COTE850612V21", "12345678901", "Garc%C3%ADa"} {
		b.get("/deliveries?verdict=refused&text=" + text).to("/login?next=" + url.QueryEscape("/deliveries?verdict=refused"))
	}
}

// A stream shows what a role may see, so it ends when the role changes. The other one is asked for again and refused.
func TestStreamsEndWithTheRole(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	id, _ := c.request(alejandro)
	s := b.watch("ids=" + id.String())
	s.until(id.String())
	c.must(c.ChangeUser(t.Context(), b.user.UID, b.user.Name, auth.Developer, audit.Actor{Name: "test"}))
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		t.Error("the stream went on under the old role")
	}
	b.get("/lookups/live?ids=" + id.String()).want(http.StatusForbidden)
}

// The address of a stream is as good as a page, so it leaves a trace where no page did.
func TestStreamsOfCasesAreOnTheTrail(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	id, _ := c.request(alejandro)
	for range 2 {
		s := b.watch("view=case&ids=" + id.String() + "," + uuid.NewString())
		s.until(id.String())
		s.close()
		<-s.ended
	}
	if n := c.trail(audit.LookupViewed, b.user); n != 1 {
		t.Errorf("%d views on the trail, want 1", n)
	}
	b.get("/lookups/" + id.String()).want(http.StatusOK)
	b.watch("view=case&ids=" + id.String()).until(id.String())
	if n := c.trail(audit.LookupViewed, b.user); n != 2 {
		t.Errorf("%d views on the trail, want 2", n)
	}
}

// Bodies hold personal data in plain: whoever may not see it may not search them either, and who does is on the trail.
func TestBodiesAreSearchedOnTheTrail(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.deliver(`{"webhook_action":"login.created","data":{"account_id":"needle"}}`)
	today := c.Now().In(mexico).Format(time.DateOnly)
	query := "text=needle&from=" + today + "&to=" + today
	form, err := url.ParseQuery(query)
	c.must(err)
	analyst, developer := c.as(auth.Analyst), c.as(auth.Developer)
	path := analyst.sift(query)
	analyst.get(path).want(http.StatusOK).count(".filters [name=text]", 1).count("#filter-errors", 0).count("[data-delivery]", 1)
	developer.get("/deliveries").want(http.StatusOK).count(".filters [name=text]", 0)
	developer.post("/deliveries", form).want(http.StatusUnprocessableEntity).count("[data-delivery]", 1).has(spanish.T("deliveries.filter.text_role"))
	// A search of their own from before they had this role.
	kept, err := c.KeepSearch(t.Context(), lookup.Sandbox, "needle", developer.user.ID)
	c.must(err)
	own := "/deliveries?search=" + kept.String() + "&from=" + today + "&to=" + today
	developer.get(own).want(http.StatusOK).has(spanish.T("deliveries.filter.text_role"))
	developer.get(strings.Replace(own, "?", "/live?", 1)).want(http.StatusNotFound)
	if n, m := c.trail(audit.Searched, analyst.user), c.trail(audit.Searched, developer.user); n != 1 || m != 0 {
		t.Errorf("%d searches of an analyst and %d of a developer on the trail, want 1 and 0", n, m)
	}
}

// A method is any word that a stranger likes; in a command that people copy it is data.
func TestMethodsAreQuoted(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.stranger().do("X&reboot&", "/hooks/"+c.token, nil).want(http.StatusMethodNotAllowed)
	copied := c.as(auth.Administrator).get("/deliveries/"+c.last("uid")).doc().Find("[data-copy^='curl']").AttrOr("data-copy", "")
	if !strings.HasPrefix(copied, `curl -i -X 'X&reboot&' 'http`) {
		t.Errorf("the command is %q", copied)
	}
}
