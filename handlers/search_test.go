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

// look searches as the box does and gives the page that it leads to.
func (b *browser) look(text string) (page *reply, path string) {
	b.t.Helper()
	r := b.post("/search", url.Values{"text": {text}}).want(http.StatusSeeOther)
	path = r.header.Get("Location")
	if strings.Contains(strings.ToLower(path), strings.ToLower(text)) || !strings.HasPrefix(path, "/search/") {
		b.t.Errorf("leads to %s", path)
	}
	return b.get(path), path
}

func TestSearch(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	uid, _ := c.request(alejandro)
	c.exec(`update people set name = 'Alejandro García Tello', nss = '02189216878'`)
	c.exec(`update lookups set reference = 'EXP-7'`)
	person := one[uuid.UUID](c, `select uid from people`).String()

	// The box stands on every page of those who may read, and only there.
	b.get("/").want(http.StatusOK).count(`form[role=search][action="/search"][method=post] input[name=text][autocomplete=off]`, 1)
	developer := c.as(auth.Developer)
	developer.get("/").want(http.StatusOK).count("form[role=search]", 0)

	for text, kind := range map[string]string{alejandro: "curp", "02189216878": "nss", "GATA000408": "curp", "garcia": "name", "tello alej": "name"} {
		r, _ := b.look(text)
		r.want(http.StatusOK).count(`[data-reading="`+kind+`"]`, 1).count(`[data-person="`+person+`"]`, 1).lacks(alejandro, "02189216878")
	}
	r, path := b.look("exp-7")
	r.want(http.StatusOK).count(`[data-reading="reference"]`, 1).count(`[data-lookup="`+uid.String()+`"]`, 1)
	b.get(path+"?as=employer").want(http.StatusOK).count(`[data-reading="employer"]`, 1).count("[data-lookup]", 0)
	b.get(path+"?as=nonsense&after=x").want(http.StatusOK).count("[data-lookup]", 1)
	r, _ = b.look("nadie <b>")
	r.want(http.StatusOK).count("[data-person], [data-lookup]", 0).lacks("<b>nadie", "nadie <b>")

	// What cannot be searched for is asked back, as typed.
	for _, text := range []string{"", "x", "--", strings.Repeat("a", 121)} {
		r := b.post("/search", url.Values{"text": {text}}).want(http.StatusUnprocessableEntity).count(`[role=alert] a[href="#seek"]`, 1)
		if got := r.attr("#seek", "value"); got != text {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
	if n := c.trail(audit.Searched, b.user); n < 8 {
		t.Errorf("%d searches on the trail", n)
	}
	// It opens for nobody else, and not in the other environment.
	c.as(auth.Supervisor).get(path).want(http.StatusNotFound).count("form[role=search]", 1).count("[data-lookup]", 0)
	b.get("/search/" + uuid.NewString()).want(http.StatusNotFound)
	b.get("/search").want(http.StatusOK).count("form[role=search]", 1)
	developer.post("/search", url.Values{"text": {"garcia"}}).want(http.StatusForbidden)
	c.exec(`update console set environment = 'production'`)
	b.get(path).want(http.StatusNotFound)
}
