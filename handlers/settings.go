package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"cotejo/db"
	"cotejo/views"
	"cotejo/web"
)

// Limits of the console's settings.
const (
	maxInstitution = 80
	maxNotice      = 40
	maxConsentDays = 3650
)

func (c *Console) settings(w http.ResponseWriter, r *http.Request) error {
	page, err := c.settingsPage(w, r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.ConsoleSettings(page))
}

// settingsPage is the page with all its forms as they are stored.
func (c *Console) settingsPage(w http.ResponseWriter, r *http.Request) (views.ConsoleSettingsPage, error) {
	now := visitOf(r).Console
	waits, err := c.waitsForm(r)
	if err != nil {
		return views.ConsoleSettingsPage{}, failed(err)
	}
	values := views.ConsoleValues{Institution: now.Institution, NoticeVersion: now.NoticeVersion, NoticeURL: now.NoticeURL, ConsentDays: strconv.Itoa(now.ConsentDays)}
	return views.ConsoleSettingsPage{Page: c.page(w, r, "settings", "console.title"), Values: values, Waits: waits}, nil
}

// saveSettings stores what the console says of itself. Consents already recorded keep the version and life they had.
func (c *Console) saveSettings(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v := views.ConsoleValues{Institution: form.Get("institution"), NoticeVersion: form.Get("notice_version"), NoticeURL: form.Get("notice_url"), ConsentDays: form.Get("consent_days")}
	days, problems := checkSettings(v)
	if len(problems) > 0 {
		page, err := c.settingsPage(w, r)
		if err != nil {
			return err
		}
		page.Values, page.Errors = v, problems
		return web.Invalid(w, r, views.ConsoleSettings(page))
	}
	visit := visitOf(r)
	stored := db.Console{Environment: visit.env, Institution: v.Institution, NoticeVersion: v.NoticeVersion, NoticeURL: v.NoticeURL, ConsentDays: days}
	if err := c.DB.SetConsole(r.Context(), stored, visit.actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/settings", "console.saved")
}

func checkSettings(v views.ConsoleValues) (days int, problems map[string]views.Note) {
	problems = map[string]views.Note{}
	if utf8.RuneCountInString(v.Institution) > maxInstitution {
		problems["institution"] = views.Note{ID: "console.institution_long", Args: []any{"Max", maxInstitution}}
	}
	switch {
	case v.NoticeVersion == "":
		problems["notice_version"] = views.Note{ID: "console.notice_missing"}
	case utf8.RuneCountInString(v.NoticeVersion) > maxNotice:
		problems["notice_version"] = views.Note{ID: "console.notice_long", Args: []any{"Max", maxNotice}}
	}
	if v.NoticeURL != "" {
		if u, err := url.Parse(v.NoticeURL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			problems["notice_url"] = views.Note{ID: "console.notice_url_bad"}
		}
	}
	days, err := strconv.Atoi(v.ConsentDays)
	if err != nil || days < 1 || days > maxConsentDays {
		problems["consent_days"] = views.Note{ID: "console.days_bad", Args: []any{"Max", maxConsentDays}}
	}
	return days, problems
}
