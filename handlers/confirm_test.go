package handlers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"cotejo/handlers"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

// What is sensitive is shown to whoever gave their password a short while ago, and to others after they give it again.
func TestRevealAsksForThePasswordAgain(t *testing.T) {
	t.Parallel()
	c := open(t, func(o *handlers.Options) { o.Confirm = time.Nanosecond })
	c.connect("sandbox", "http://127.0.0.1:1/v1", "private_test_key_0123456789", "")
	id, _ := c.request(alejandro)
	b := c.as(auth.Analyst)
	path := "/lookups/" + id.String() + "/reveal"
	asked := url.Values{"field": {"curp"}}
	b.post(path, asked).want(http.StatusUnprocessableEntity).lacks(alejandro).count(`#confirm[action="`+path+`"] input[name=field][value=curp]`, 1)
	b.post(path, asked, "HX-Request", "true").want(http.StatusUnprocessableEntity).lacks(alejandro).count("input[type=password]", 1).count("nav", 0)
	b.post(path+"?page=3", asked).want(http.StatusUnprocessableEntity).count(`#confirm[action="`+path+`?page=3"]`, 1)
	wrong := url.Values{"field": {"curp"}, "password": {"not this one, surely"}}
	b.post(path, wrong).want(http.StatusUnprocessableEntity).lacks(alejandro, "not this one").count("#confirm-password-error", 1)
	if n := c.trail(audit.CURPRevealed, b.user); n != 0 {
		t.Errorf("%d reveals on the trail before the password", n)
	}
	before := b.cookie()
	right := url.Values{"field": {"curp"}, "password": {password}}
	b.post(path, right, "HX-Request", "true").want(http.StatusOK).has(alejandro)
	if b.cookie() == before {
		t.Error("the session kept its secret")
	}
	b.post(path, right).want(http.StatusOK).has(alejandro)
	if n := c.trail(audit.CURPRevealed, b.user); n != 2 {
		t.Errorf("%d reveals on the trail, want 2", n)
	}
}
