package views

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/connection"
)

// UsersPage lists who may sign in.
type UsersPage struct {
	Page
	Users []auth.User
	Once  OneTime
}

// OneTime is a password just made for somebody. It is shown on the answer to the act that made it, and nowhere else.
type OneTime struct {
	Name, Email, Password string
}

// UserFormPage adds a user or changes one.
type UserFormPage struct {
	Page
	Subject auth.User // as stored; the zero value when adding
	Values  UserValues
	Errors  map[string]Note // name, email, role, language, zone; "" for the whole
	Once    OneTime
}

// UserValues is what an administrator typed, kept as typed.
type UserValues struct {
	Name, Email, Role, Language, Zone string
}

// Adding tells whether the form is for a new user.
func (v UserFormPage) Adding() bool { return v.Subject.UID == uuid.Nil }

// Self tells whether the administrator is looking at the own account, which has no way out of the console here.
func (v UserFormPage) Self() bool { return v.Subject.UID == v.User.UID }

func (v UserFormPage) action() string {
	if v.Adding() {
		return "/users"
	}
	return v.path("")
}

func (v UserFormPage) path(act string) string {
	path := "/users/" + v.Subject.UID.String()
	if act != "" {
		path += "/" + act
	}
	return path
}

// AccountPage is a user's own data.
type AccountPage struct {
	Page
	Values         AccountValues
	Errors         map[string]Note // name, language, zone, theme
	PasswordErrors map[string]Note // current, new, again
}

// AccountValues is what the user typed, kept as typed.
type AccountValues struct {
	Name, Language, Zone, Theme string
}

// ConnectionPage is the vendor account of the environment being shown.
type ConnectionPage struct {
	Page
	Connection connection.Connection // zero ID: none was set up in this environment
	Values     connection.Form
	Errors     map[string]Note // name, base_url, key, widget_id, calls_per_minute; "" for the whole
	HookURL    string          // where the vendor sends, its token masked; "" before the registration
	Test       *TestResult     // of the test just made, nil otherwise
}

// TestResult is what the vendor answered to one harmless call with the stored key.
type TestResult struct {
	OK     bool
	Status int // HTTP status, 0 when none came
	Took   time.Duration
	Note   Note // what it means, in a sentence; used when not OK
}

// Exists tells whether there is a connection yet.
func (v ConnectionPage) Exists() bool { return v.Connection.ID != 0 }

// zones are the IANA zones of Mexico, from east to west, and UTC for those who read logs beside the console.
var zones = []string{
	"America/Cancun", "America/Merida", "America/Mexico_City", "America/Monterrey", "America/Bahia_Banderas",
	"America/Matamoros", "America/Chihuahua", "America/Ojinaga", "America/Ciudad_Juarez", "America/Mazatlan",
	"America/Hermosillo", "America/Tijuana", "UTC",
}

// zoneOptions offers the zones with their words; one that is in use but not among them is offered as it is.
func zoneOptions(p Page, inUse string) []Option {
	var options []Option
	known := inUse == ""
	for _, zone := range zones {
		options = append(options, Option{Value: zone, Word: p.T("admin.zone." + zoneWord(zone))})
		known = known || zone == inUse
	}
	if !known {
		options = append(options, Option{Value: inUse, Word: inUse})
	}
	return options
}

// zoneWord is the last part of a zone's name as message ids are spelled.
func zoneWord(zone string) string {
	return strings.ToLower(zone[strings.LastIndexByte(zone, '/')+1:])
}

func languageOptions(p Page) []Option {
	return []Option{{Value: "es-MX", Word: p.languageName("es-MX")}, {Value: "en", Word: p.languageName("en")}}
}

func themeOptions(p Page) []Option {
	options := make([]Option, 0, len(themes))
	for _, theme := range themes {
		options = append(options, Option{Value: theme, Word: p.T("layout.theme." + themeWord(theme))})
	}
	return options
}

func roleOptions(p Page) []Option {
	options := make([]Option, 0, len(auth.Roles))
	for _, role := range auth.Roles {
		options = append(options, Option{
			Value: string(role), Word: p.T("ui.role." + string(role)), Help: p.T("ui.role_meaning." + string(role)),
		})
	}
	return options
}

// keyPlaceholder stands for a key that is kept sealed; it is never sent back to a page, not even as dots in a value.
func keyPlaceholder(v ConnectionPage) string {
	if v.Connection.KeyTail == "" {
		return ""
	}
	return "••••••••" + v.Connection.KeyTail
}

func keyHelp(v ConnectionPage) string {
	if v.Connection.KeyTail == "" {
		return v.T("admin.connection.key_help_new")
	}
	return v.T("admin.connection.key_help")
}
