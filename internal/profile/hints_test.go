package profile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/profile"
)

const alejandro = "GATA000408HTLRLLA7"

func alejandros() profile.Profile {
	return profile.Profile{FirstName: "Alejandro", LastName: "García Téllez", Birthday: time.Date(2000, 4, 8, 0, 0, 0, 0, time.UTC),
		IDs: []profile.ID{{Type: "national", Name: "curp", Value: alejandro}, {Name: "nss", Value: "02189216878"}, {Name: "rfc", Value: "GATA000408AB1"}}}
}

func TestHints(t *testing.T) {
	t.Parallel()
	all := func(results ...profile.Result) map[profile.HintKind]profile.Result {
		m := map[profile.HintKind]profile.Result{}
		for i, kind := range profile.HintKinds {
			m[kind] = results[i]
		}
		return m
	}
	for _, test := range []struct {
		name   string
		asked  string
		change func(*profile.Profile)
		want   map[profile.HintKind]profile.Result
	}{
		{"most agrees", alejandro, func(*profile.Profile) {}, all("agrees", "agrees", "agrees", "absent", "year", "digit", "agrees", "absent")},
		{"an empty profile", alejandro, func(p *profile.Profile) { *p = profile.Profile{} },
			all("absent", "absent", "absent", "absent", "absent", "absent", "absent", "absent")},
		{"an RFC was asked about", "", func(*profile.Profile) {}, all("absent", "agrees", "agrees", "absent", "year", "digit", "agrees", "absent")},
		{"nothing to compare with", "", func(p *profile.Profile) { p.IDs = nil }, all("absent", "absent", "absent", "absent", "absent", "absent", "absent", "absent")},
		{"somebody else", "LALE870908HDFRPD02", func(*profile.Profile) {}, all("differs", "initials", "differs", "absent", "year", "digit", "differs", "absent")},
		{"numbers of no form", alejandro, func(p *profile.Profile) {
			p.IDs = []profile.ID{{Name: "nss", Value: "123"}, {Name: "rfc", Value: "G1"}}
		}, all("absent", "agrees", "agrees", "absent", "form", "form", "absent", "absent")},
		{"an RFC of nobody", alejandro, func(p *profile.Profile) { p.IDs = []profile.ID{{Name: "rfc", Value: "XAXX010101000"}} },
			all("absent", "agrees", "agrees", "absent", "absent", "generic", "absent", "absent")},
		{"a company's RFC", alejandro, func(p *profile.Profile) { p.IDs = []profile.ID{{Name: "rfc", Value: "SAT970701NN3"}} },
			all("absent", "agrees", "agrees", "absent", "absent", "agrees", "absent", "absent")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := alejandros()
			test.change(&p)
			got := map[profile.HintKind]profile.Result{}
			for _, h := range profile.Hints(test.asked, p, nil) {
				got[h.Kind] = h.Result
				if h.Compared() != (h.Result != profile.Absent) {
					t.Errorf("%s: compared %v", h.Kind, h.Compared())
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error("(-want +got)\n", diff)
			}
		})
	}
}

// The letters that a CURP takes from a name, by the rules for compound names, particles, accents and Ñ.
func TestNameHint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		curp, first, last string
		want              profile.Result
	}{
		{alejandro, "ALEJANDRO", "GARCIA TELLEZ", "agrees"},
		{alejandro, "Alejandro", "de la García del Téllez", "agrees"},
		{alejandro, "José Alejandro", "García Téllez", "agrees"},
		{alejandro, "J. Alejandro", "García Téllez", "agrees"},
		{alejandro, "Pedro Alejandro", "García Téllez", "initials"},
		{alejandro, "Alejandro", "Téllez García", "initials"},
		{alejandro, "Alejandro", "García Ponce Téllez", "agrees"}, // García Ponce and Téllez, or García and Ponce Téllez
		{alejandro, "Alejandro", "García", "initials"},
		{alejandro, "Alejandro", "García-Téllez", "agrees"},
		{alejandro, "Andrés", "García Téllez", "consonants"},
		{alejandro, "", "García Téllez", "absent"},
		{alejandro, "Alejandro", "", "absent"},
		{"NUXA000408HTLXXLA2", "Alejandro", "Ñu\u0301ñez", "initials"}, // begins with X, as Ñ does
		{"XUXA000408HTLXXLA2", "Alejandro", "Ñúñez", "agrees"},
		{"GXTA000408HTLRLLA7", "Alejandro", "García Téllez", "agrees"}, // a vowel changed to avoid a word
	} {
		p := profile.Profile{FirstName: test.first, LastName: test.last}
		if got := profile.Hints(test.curp, p, nil)[1].Result; got != test.want {
			t.Errorf("%s, %s %s: %s, want %s", test.curp, test.first, test.last, got, test.want)
		}
	}
}

func TestRegistrationHint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		registrations []string
		want          profile.Hint
	}{
		{[]string{"", ""}, profile.Hint{Kind: profile.HintRegistration, Result: profile.Absent}},
		{[]string{"Y523412908", "", "Y52 34129 08 1"}, profile.Hint{Kind: profile.HintRegistration, Result: profile.Agrees, Of: 2}},
		{[]string{"Y523412908", "ABC", "12345678901"}, profile.Hint{Kind: profile.HintRegistration, Result: profile.Form, Count: 1, Of: 3}},
	} {
		hints := profile.Hints("", profile.Profile{}, test.registrations)
		if diff := cmp.Diff(test.want, hints[len(hints)-1]); diff != "" {
			t.Errorf("%q (-want +got)\n%s", test.registrations, diff)
		}
	}
}
