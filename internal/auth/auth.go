// Package auth holds who may use the console: users, roles and what each may do, and the rules for passwords.
package auth

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Role decides what a user may do.
type Role string

const (
	Administrator Role = "administrator"
	Supervisor    Role = "supervisor"
	Analyst       Role = "analyst"
	Auditor       Role = "auditor"
	Developer     Role = "developer"
)

// Roles lists them from the widest to the narrowest.
var Roles = []Role{Administrator, Supervisor, Analyst, Auditor, Developer}

// Known tells whether r is one of Roles.
func (r Role) Known() bool {
	for _, k := range Roles {
		if k == r {
			return true
		}
	}
	return false
}

// Power is one thing that a route may require.
type Power string

const (
	PowerNone       Power = "signed-in"       // any signed-in user
	PowerRead       Power = "read-lookups"    // see lookups and people, masked
	PowerRequest    Power = "request-lookups" // ask the vendor
	PowerReveal     Power = "reveal"          // see a full CURP or NSS; audited
	PowerExport     Power = "export"
	PowerOversee    Power = "oversee"         // see what others took out
	PowerReceive    Power = "read-deliveries" // see deliveries, bodies masked
	PowerBody       Power = "read-bodies"     // see a delivery's exact bytes; audited
	PowerReplay     Power = "replay"          // have stored deliveries processed again
	PowerAdminister Power = "administer"
)

// May tells whether role r has power p. An auditor reads and changes nothing; a developer sees deliveries but no
// personal data.
func (r Role) May(p Power) bool {
	switch p {
	case PowerNone:
		return r.Known()
	case PowerRead:
		return r == Administrator || r == Supervisor || r == Analyst || r == Auditor
	case PowerRequest, PowerExport, PowerReveal:
		return r == Administrator || r == Supervisor || r == Analyst
	case PowerOversee:
		return r == Administrator || r == Supervisor || r == Auditor
	case PowerReceive:
		return r.Known()
	case PowerReplay:
		return r == Administrator || r == Supervisor
	case PowerBody:
		// The exact bytes hold the address of our own hook, and whoever has that may speak as the vendor.
		return r == Administrator || r == Supervisor
	case PowerAdminister:
		return r == Administrator
	}
	return false
}

// User is a person who may sign in.
type User struct {
	ID           int64
	UID          uuid.UUID
	Email        string
	Name         string
	Role         Role
	Language     string // "es-MX" or "en"
	Zone         string // IANA name
	Theme        string // "", "light" or "dark"
	MustChange   bool   // the password was set by somebody else
	DisabledAt   time.Time
	LastSignInAt time.Time
	CreatedAt    time.Time
}

// Active tells whether the user may sign in.
func (u User) Active() bool { return u.DisabledAt.IsZero() }

// Limits on passwords, after NIST SP 800-63B-4 and OWASP ASVS 5.0 6.2: length over composition, long ones allowed.
const (
	MinPassword = 12
	MaxPassword = 128
)

// PasswordProblem gives the message id of what is wrong with a new password, "" when nothing is.
func PasswordProblem(password, email string) string {
	n := utf8.RuneCountInString(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	low := strings.ToLower(password)
	switch {
	case n < MinPassword:
		return "admin.password.short"
	case n > MaxPassword:
		return "admin.password.long"
	case strings.Trim(low, string([]rune(low)[:1])) == "":
		return "admin.password.obvious"
	case len(local) >= 4 && strings.Contains(low, local):
		return "admin.password.has_email"
	case obvious[low]:
		return "admin.password.obvious"
	}
	return ""
}

// obvious holds what people type when a form asks for twelve characters. It is no dictionary: throttling is what
// keeps guessing slow.
var obvious = map[string]bool{
	"123456789012": true, "contraseña12": true, "contraseña123": true, "password1234": true, "passwordpassword": true,
	"qwertyuiop12": true, "qwertyuiopas": true, "administrador": true, "cotejocotejo": true, "mexico123456": true,
}
