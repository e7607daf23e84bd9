package profile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/profile"
)

func TestDifference(t *testing.T) {
	t.Parallel()
	base := profile.Profile{FirstName: "Alejandro", LastName: "García Téllez", Email: "a@example.mx", Phone: "55", Birthday: time.Date(2000, 4, 8, 0, 0, 0, 0, time.UTC),
		IDs: []profile.ID{{Name: "nss", Value: "1"}, {Type: "tax", Value: "R"}}}
	for _, test := range []struct {
		name   string
		change func(*profile.Profile)
		want   []profile.Change
	}{
		{"nothing", func(*profile.Profile) {}, nil},
		{"another account is no difference", func(p *profile.Profile) { p.AccountID = "x" }, nil},
		{"each field", func(p *profile.Profile) {
			p.FirstName, p.LastName, p.Email, p.Phone, p.Birthday = "Alejandra", "García", "", "56", time.Time{}
		}, []profile.Change{
			{Name: "first_name", Before: "Alejandro", After: "Alejandra"}, {Name: "last_name", Before: "García Téllez", After: "García"},
			{Name: "birthday", Before: "2000-04-08"}, {Name: "email", Before: "a@example.mx"}, {Name: "phone", Before: "55", After: "56"}}},
		{"identifiers", func(p *profile.Profile) {
			p.IDs = []profile.ID{{Name: "infonavit", Value: "9"}, {Name: "nss", Value: "2"}}
		}, []profile.Change{{Name: "infonavit", After: "9"}, {Name: "nss", Before: "1", After: "2"}, {Name: "rfc", Before: "R"}}},
		{"name and type are one word", func(p *profile.Profile) {
			p.IDs = []profile.ID{{Type: "social_security_number", Value: "1"}, {Name: "rfc", Value: "R"}}
		}, nil},
		{"the first of two counts", func(p *profile.Profile) { p.IDs = append(p.IDs, profile.ID{Name: "nss", Value: "7"}) }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			after := base
			test.change(&after)
			if diff := cmp.Diff(test.want, profile.Difference(base, after)); diff != "" {
				t.Error("(-want +got):\n", diff)
			}
		})
	}
	for name, want := range map[string]bool{"curp": true, "nss": true, "rfc": false, "email": false} {
		if got := (profile.Change{Name: name}).Sensitive(); got != want {
			t.Errorf("%s is sensitive: %v", name, got)
		}
	}
}
