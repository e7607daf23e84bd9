package handlers

import (
	"bytes"
	"context"
	"net/http"

	"cotejo/internal/locale"
	"cotejo/views"
	"cotejo/web"
)

// errorPage shows a failure in the reader's language, with the console around it when it is known who reads.
func (c *Console) errorPage(w http.ResponseWriter, r *http.Request, f web.Failure) {
	page := views.Page{P: locale.For(preferredLanguage(r), nil), Asset: c.Assets.URL, Now: c.Now(), Theme: preferredTheme(r), Path: "/"}
	// What failed may have known the reader, or failed before anybody asked: an address that no route has. Whoever may
	// do one thing only gets the plain page, and so does everybody when the database may be what failed.
	if session := c.sessions.Current(r); session.UserID != 0 && f.Status < http.StatusInternalServerError {
		if v, err := c.visit(r, session.UserID); err == nil && !v.User.MustChange {
			r = v.on(r)
			page = c.page(w, r, "", "")
			page.Path = "/" // what was asked for may hold anything, a CURP too; no page of ours repeats it
		}
	}
	page.Title = views.ProblemTitle(page, f.Status)
	r = r.WithContext(context.WithoutCancel(r.Context())) // what failed may be that the time was up; no component renders after that
	shown := views.ErrorPage{Page: page, Status: f.Status, RequestID: f.RequestID, Detail: views.Note{ID: f.MessageID}}
	if err := web.Render(w, r, f.Status, views.Problem(shown)); err != nil {
		c.Log.ErrorContext(r.Context(), "render an error page", "status", f.Status, "error", err)
	}
}

// internalPages renders the page for our own faults at start-up, once per language: it must not depend on anything
// that may just have failed.
func internalPages(asset func(string) string) func(*http.Request) []byte {
	pages := map[string][]byte{}
	for _, lang := range locale.Languages {
		page := views.Page{P: locale.For(lang, nil), Asset: asset, Path: "/"}
		page.Title = views.ProblemTitle(page, http.StatusInternalServerError)
		var out bytes.Buffer
		problem := views.Problem(views.ErrorPage{Page: page, Status: http.StatusInternalServerError, RequestID: web.RequestIDPlaceholder})
		if err := problem.Render(context.Background(), &out); err != nil {
			panic(err) // a template that cannot be rendered is a fault of the build
		}
		pages[lang] = out.Bytes()
	}
	return func(r *http.Request) []byte { return pages[preferredLanguage(r)] }
}
