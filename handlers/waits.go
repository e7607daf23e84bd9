package handlers

import (
	"net/http"
	"strconv"
	"time"

	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// waitsForm shows how long vendors are waited for.
func (c *Console) waitsForm(r *http.Request) (views.WaitsForm, error) {
	waits, err := c.DB.Waits(r.Context())
	form := views.WaitsForm{Values: map[lookup.Dialect]views.WaitValues{}}
	for d, w := range waits {
		form.Values[d] = views.WaitValues{Expected: strconv.Itoa(int(w.Expected.Seconds())), Limit: strconv.Itoa(int(w.Limit.Minutes()))}
	}
	return form, err
}

// saveWaits stores how long vendors are waited for. It counts for what is under way too.
func (c *Console) saveWaits(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	typed := views.WaitsForm{Values: map[lookup.Dialect]views.WaitValues{}, Errors: map[string]views.Note{}}
	waits := map[lookup.Dialect]lookup.Wait{}
	for _, d := range lookup.Dialects {
		values := views.WaitValues{Expected: form.Get(string(d) + "_expected"), Limit: form.Get(string(d) + "_limit")}
		typed.Values[d] = values
		expected, errExpected := strconv.Atoi(values.Expected)
		limit, errLimit := strconv.Atoi(values.Limit)
		wait := lookup.Wait{Expected: time.Duration(expected) * time.Second, Limit: time.Duration(limit) * time.Minute}
		if errExpected != nil || errLimit != nil || expected > 1e6 || limit > 1e6 || !wait.Possible() {
			typed.Errors[string(d)] = views.Note{ID: "waits.bad"}
			continue
		}
		waits[d] = wait
	}
	if len(typed.Errors) > 0 {
		page, err := c.settingsPage(w, r)
		if err != nil {
			return err
		}
		page.Waits = typed
		return web.Invalid(w, r, views.ConsoleSettings(page))
	}
	if err := c.DB.SetWaits(r.Context(), waits, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/settings", "waits.saved")
}
