package views

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
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
	Name, Email, Role, Language string
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

// ConnectionPage is the vendor accounts of the environment being shown, one card for each dialect.
type ConnectionPage struct {
	Page
	Cards []ConnectionCard // in the order of lookup.Dialects
}

// ConnectionCard is the account at one vendor: as stored, and as typed.
type ConnectionCard struct {
	Dialect    lookup.Dialect
	Connection connection.Connection // zero ID: none was set up in this environment
	Values     connection.Form
	Errors     map[string]Note // name, base_url, key, widget_id, sandbox_header, calls_per_minute, price, currency; "" for the whole
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
func (c ConnectionCard) Exists() bool { return c.Connection.ID != 0 }

// id tells the fields of two forms on one page apart. The first dialect's are the bare names, which outside scripts know.
func (c ConnectionCard) id(field string) string {
	if c.Dialect == lookup.Palenca {
		return field
	}
	return string(c.Dialect) + "_" + field
}

// mistakes lists what is wrong in the order of the form, each leading to its field.
func (c ConnectionCard) mistakes() []FieldError {
	list := InOrder(c.Errors, "name", "calls_per_minute", "base_url", "sandbox_header", "key", "widget_id", "price", "currency")
	for i := range list {
		if list[i].Field != "" {
			list[i].Field = c.id(list[i].Field)
		}
	}
	return list
}

// folded tells whether a card shows only the offer to add a connection: one vendor is enough to work with.
func (v ConnectionPage) folded(c ConnectionCard) bool {
	return !c.Exists() && len(c.Errors) == 0 && slices.ContainsFunc(v.Cards, ConnectionCard.Exists)
}

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
func keyPlaceholder(c ConnectionCard) string {
	if c.Connection.KeyTail == "" {
		return ""
	}
	return "••••••••" + c.Connection.KeyTail
}

func keyHelp(p Page, c ConnectionCard) string {
	if !c.Exists() {
		return p.T("admin.connection.key_help_new")
	}
	return p.T("admin.connection.key_help")
}

func urlHelp(p Page, c ConnectionCard) string {
	return p.T("admin.connection.url_help." + string(c.Dialect) + "_" + string(p.Env))
}

// money is an amount in the currency of a price.
func money(p Page, amount string, of connection.Price) string {
	return p.P.Money(amount) + " " + of.Currency
}

// priceWords says what a lookup costs and since when that is known, "" when nobody said.
func priceWords(p Page, price connection.Price) string {
	if !price.Known() {
		return ""
	}
	return p.T("admin.connection.price_since", "Price", money(p, price.Amount, price), "Date", p.P.Date(price.SetAt.In(p.P.Zone())))
}
