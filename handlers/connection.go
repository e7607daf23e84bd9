package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

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

// connectionPage shows the connections of the console's environment as stored, or an empty form for a dialect without one.
func (c *Console) connectionPage(w http.ResponseWriter, r *http.Request) (views.ConnectionPage, error) {
	v := visitOf(r)
	page := views.ConnectionPage{Page: c.page(w, r, "connection", "admin.connection.title")}
	stored, err := c.DB.Connections(r.Context(), v.env)
	if err != nil {
		return page, failed(err)
	}
	for _, dialect := range lookup.Dialects {
		card := views.ConnectionCard{Dialect: dialect, Errors: map[string]views.Note{},
			Values: connection.Form{Dialect: dialect, CallsPerMinute: strconv.Itoa(connection.MaxCallsPerMinute)}}
		if i := slices.IndexFunc(stored, func(s connection.Connection) bool { return s.Dialect == dialect }); i >= 0 {
			s := stored[i]
			card.Connection = s
			card.Values = connection.Form{Name: s.Name, Dialect: dialect, BaseURL: s.BaseURL, WidgetID: s.WidgetID,
				SandboxHeader: s.SandboxHeader, CallsPerMinute: strconv.Itoa(s.CallsPerMinute), Price: s.Price.Amount, Currency: s.Price.Currency}
			if s.Subscription.TokenTail != "" {
				card.HookURL = c.HooksURL + "/hooks/••••••••" + s.Subscription.TokenTail
			}
		}
		page.Cards = append(page.Cards, card)
	}
	return page, nil
}

// cardOf gives the card that a form is about. A form without a dialect is Palenca's, the first there was.
func (c *Console) cardOf(w http.ResponseWriter, r *http.Request) (views.ConnectionPage, *views.ConnectionCard, *web.Form, error) {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return views.ConnectionPage{}, nil, form, err
	}
	page, err := c.connectionPage(w, r)
	if err != nil {
		return page, nil, form, err
	}
	dialect := lookup.Dialect(form.Get("dialect"))
	if dialect == "" {
		dialect = lookup.Palenca
	}
	i := slices.IndexFunc(page.Cards, func(card views.ConnectionCard) bool { return card.Dialect == dialect })
	if i < 0 {
		return page, nil, form, web.BadRequest("errors.bad.field")
	}
	return page, &page.Cards[i], form, nil
}

// saveConnection stores what an administrator typed. It takes effect with the next call; nothing has to restart.
func (c *Console) saveConnection(w http.ResponseWriter, r *http.Request) error {
	page, card, form, err := c.cardOf(w, r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	typed := connection.Form{Name: form.Get("name"), Dialect: card.Dialect, BaseURL: strings.TrimRight(form.Get("base_url"), "/"),
		Key: form.Get("key"), WidgetID: form.Get("widget_id"), SandboxHeader: form.Bool("sandbox_header"), CallsPerMinute: form.Get("calls_per_minute"),
		Price: card.Values.Price, Currency: card.Values.Currency}
	// A script from before there were prices leaves the one there is.
	if form.Has("price") {
		typed.Price, typed.Currency = form.Get("price"), form.Get("currency")
	}
	card.Values = typed
	card.Values.Key = "" // never sent back
	for _, p := range typed.Check(v.env, card.Exists()) {
		card.Errors[p.Field] = views.Note{ID: p.ID, Args: p.Args}
	}
	if len(card.Errors) > 0 {
		return web.Invalid(w, r, views.Connection(page))
	}
	calls, _ := strconv.Atoi(typed.CallsPerMinute) // Check has read it
	fresh := connection.Connection{Name: typed.Name, Dialect: card.Dialect, Environment: v.env, BaseURL: typed.BaseURL,
		SandboxHeader: typed.SandboxHeader, CallsPerMinute: calls, Price: typed.Priced()}
	if card.Dialect == lookup.Palenca {
		fresh.WidgetID = typed.WidgetID
	}
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
	page, card, _, err := c.cardOf(w, r)
	if err != nil {
		return err
	}
	if !card.Exists() {
		return web.NotFound(errors.New("no connection to test"))
	}
	v := visitOf(r)
	key, err := c.DB.ConnectionKey(r.Context(), card.Connection.ID)
	if err != nil {
		return failed(err)
	}
	code, status, took := c.Vendor.Test(r.Context(), card.Connection, key)
	outcome := code
	if outcome == "" {
		outcome = "ok"
	}
	if err := c.DB.ConnectionTested(r.Context(), card.Connection, outcome, v.actor); err != nil {
		return failed(err)
	}
	card.Test = &views.TestResult{OK: code == "", Status: status, Took: took}
	if code != "" {
		card.Test.Note = testNote(code, status)
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

// resumeConnection lets what waits in the queue out again.
func (c *Console) resumeConnection(w http.ResponseWriter, r *http.Request) error {
	_, card, _, err := c.cardOf(w, r)
	if err != nil {
		return err
	}
	if !card.Exists() {
		return web.NotFound(errors.New("no connection to resume"))
	}
	if err := c.DB.ResumeConnection(r.Context(), card.Connection, visitOf(r).actor); err != nil {
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
