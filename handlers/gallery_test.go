package handlers_test

import (
	"net/http"
	"testing"

	"cotejo/handlers"
	"cotejo/internal/auth"
)

// The gallery is there for those who ask for it, and otherwise nowhere.
func TestGallery(t *testing.T) {
	t.Parallel()
	open(t).as(auth.Administrator).get("/gallery").want(http.StatusNotFound)
	c := open(t, func(o *handlers.Options) { o.Dev = true })
	c.stranger().get("/gallery").to("/login?next=%2Fgallery")
	c.as(auth.Developer).get("/gallery").want(http.StatusOK).count("h1", 1).count("#gallery-badges", 1)
}
