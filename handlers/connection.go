package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"cotejo/db"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

func (c *Console) connection(w http.ResponseWriter, r *http.Request) error {
	page, err := c.connectionPage(w, r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.Connection(page))
}

// connectionPage shows the connection of the console's environment as stored, or an empty form.
func (c *Console) connectionPage(w http.ResponseWriter, r *http.Request) (views.ConnectionPage, error) {
	v := visitOf(r)
	page := views.ConnectionPage{Page: c.page(w, r, "connection", "admin.connection.title"), Errors: map[string]views.Note{}}
	page.Values = connection.Form{Dialect: lookup.Palenca, CallsPerMinute: strconv.Itoa(connection.MaxCallsPerMinute)}
	stored, err := c.DB.Connection(r.Context(), v.env, lookup.Palenca)
	if errors.Is(err, db.ErrNotFound) {
		return page, nil
	} else if err != nil {
		return page, failed(err)
	}
	page.Connection = stored
	page.Values = connection.Form{Name: stored.Name, Dialect: stored.Dialect, BaseURL: stored.BaseURL,
		WidgetID: stored.WidgetID, CallsPerMinute: strconv.Itoa(stored.CallsPerMinute)}
	if stored.Subscription.TokenTail != "" {
		page.HookURL = c.HooksURL + "/hooks/••••••••" + stored.Subscription.TokenTail
	}
	return page, nil
}

// saveConnection stores what an administrator typed. It takes effect with the next call; nothing has to restart.
func (c *Console) saveConnection(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	page, err := c.connectionPage(w, r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	typed := connection.Form{Name: form.Get("name"), Dialect: lookup.Palenca, BaseURL: strings.TrimRight(form.Get("base_url"), "/"),
		Key: form.Get("key"), WidgetID: form.Get("widget_id"), CallsPerMinute: form.Get("calls_per_minute")}
	page.Values = typed
	page.Values.Key = "" // never sent back
	for _, p := range typed.Check(v.env, page.Exists()) {
		page.Errors[p.Field] = views.Note{ID: p.ID, Args: p.Args}
	}
	if len(page.Errors) > 0 {
		return web.Invalid(w, r, views.Connection(page))
	}
	calls, _ := strconv.Atoi(typed.CallsPerMinute) // Check has read it
	fresh := connection.Connection{Name: typed.Name, Dialect: lookup.Palenca, Environment: v.env, BaseURL: typed.BaseURL,
		WidgetID: typed.WidgetID, CallsPerMinute: calls}
	saved, err := c.DB.SaveConnection(r.Context(), fresh, typed.Key, v.actor)
	if err != nil {
		return failed(err)
	}
	// Without a registered hook every lookup would wait for ever, so saving registers it.
	if err := c.Vendor.Register(r.Context(), saved); err != nil {
		c.Log.WarnContext(r.Context(), "register the hook with the vendor", "error", err, "connection", saved.ID)
		if err := c.sessions.AddFlash(w, r, web.Flash{Kind: web.FlashError, ID: "admin.flash.hook_unregistered"}); err != nil {
			return unavailable(err)
		}
		return web.Redirect303(w, r, "/connection")
	}
	return c.done(w, r, "/connection", "admin.flash.connection_saved")
}

// testConnection makes one harmless call with the stored key and shows what came back.
func (c *Console) testConnection(w http.ResponseWriter, r *http.Request) error {
	page, err := c.connectionPage(w, r)
	if err != nil {
		return err
	}
	if !page.Exists() {
		return web.NotFound(errors.New("no connection to test"))
	}
	v := visitOf(r)
	key, err := c.DB.ConnectionKey(r.Context(), page.Connection.ID)
	if err != nil {
		return failed(err)
	}
	code, status, took := c.Vendor.Test(r.Context(), page.Connection, key)
	outcome := code
	if outcome == "" {
		outcome = "ok"
	}
	if err := c.DB.ConnectionTested(r.Context(), page.Connection, outcome, v.actor); err != nil {
		return failed(err)
	}
	page.Test = &views.TestResult{OK: code == "", Status: status, Took: took}
	if code != "" {
		page.Test.Note = testNote(code, status)
	}
	return web.Render(w, r, http.StatusOK, views.Connection(page))
}

// testNote says what a failed test means to the administrator.
func testNote(code string, status int) views.Note {
	switch {
	case status == http.StatusUnauthorized:
		return views.Note{ID: "admin.connection.test_unauthorized"}
	case status == http.StatusForbidden:
		return views.Note{ID: "admin.connection.test_forbidden"}
	case status == http.StatusTooManyRequests:
		return views.Note{ID: "admin.connection.test_limited"}
	case status >= 500:
		return views.Note{ID: "admin.connection.test_broken"}
	case status == 0:
		return views.Note{ID: "admin.connection.test_unreachable"}
	}
	return views.Note{ID: "admin.connection.test_other", Args: []any{"Code", code}}
}

func (c *Console) resumeConnection(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	stored, err := c.DB.Connection(r.Context(), v.env, lookup.Palenca)
	if err != nil {
		return failed(err)
	}
	if err := c.DB.ResumeConnection(r.Context(), stored, v.actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/connection", "admin.flash.connection_resumed")
}

// setEnvironment switches the whole console between test data and real data.
func (c *Console) setEnvironment(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	env := lookup.Environment(form.Get("env"))
	if env != lookup.Sandbox && env != lookup.Production {
		return web.BadRequest("errors.bad.environment")
	}
	// Going live is no slip of the hand: it takes a tick, with or without script.
	if env == lookup.Production && !form.Bool("confirm") {
		if err := c.sessions.AddFlash(w, r, web.Flash{Kind: web.FlashError, ID: "admin.flash.environment_unsure"}); err != nil {
			return unavailable(err)
		}
		return web.RedirectFull(w, r, "/connection#environment")
	}
	if err := c.DB.SetEnvironment(r.Context(), env, visitOf(r).actor); err != nil {
		return failed(err)
	}
	id := "admin.flash.environment_" + string(env)
	if err := c.sessions.AddFlash(w, r, web.Flash{Kind: web.FlashSuccess, ID: id}); err != nil {
		return unavailable(err)
	}
	return web.RedirectFull(w, r, "/connection")
}
