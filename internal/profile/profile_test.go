package profile_test

import (
	"testing"

	"cotejo/internal/profile"
)

func TestFullName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ first, last, want string }{
		{"Alejandro", "García Téllez", "García Téllez, Alejandro"},
		{"Alejandro", "", "Alejandro"},
		{"", "García", "García"},
		{"", "", ""},
	} {
		if got := (profile.Profile{FirstName: test.first, LastName: test.last}).FullName(); got != test.want {
			t.Errorf("%q %q: %q, want %q", test.first, test.last, got, test.want)
		}
	}
}

// The name of an identifier says more than its type: a source files an INFONAVIT number under social security too.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		ids      []profile.ID
		nss, rfc string
	}{
		{"none", nil, "", ""},
		{"by name", []profile.ID{{Type: "x", Name: "rfc", Value: "R"}, {Type: "x", Name: "nss", Value: "N"}}, "N", "R"},
		{"by type", []profile.ID{{Type: "tax", Value: "R"}, {Type: "social_security_number", Value: "N"}}, "N", "R"},
		{"name before type", []profile.ID{{Type: "social_security_number", Name: "infonavit", Value: "I"}, {Type: "x", Name: "nss", Value: "N"}}, "N", ""},
		{"first of two", []profile.ID{{Name: "nss", Value: "1"}, {Name: "nss", Value: "2"}}, "1", ""},
		{"others", []profile.ID{{Type: "population_registry", Name: "curp", Value: "C"}}, "", ""},
	} {
		p := profile.Profile{IDs: test.ids}
		if p.NSS() != test.nss || p.RFC() != test.rfc {
			t.Errorf("%s: NSS %q, RFC %q; want %q, %q", test.name, p.NSS(), p.RFC(), test.nss, test.rfc)
		}
	}
}
