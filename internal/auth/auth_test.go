package auth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/auth"
)

// Who may do what, as a page of the manual would show it.
func TestMay(t *testing.T) {
	t.Parallel()
	want := strings.TrimSpace(`
                administrator supervisor analyst auditor developer
signed-in       yes           yes        yes     yes     yes
read-lookups    yes           yes        yes     yes     -
request-lookups yes           yes        yes     -       -
reveal          yes           yes        yes     -       -
export          yes           yes        yes     -       -
oversee         yes           yes        -       yes     -
read-deliveries yes           yes        yes     yes     yes
read-bodies     yes           yes        -       -       -
replay          yes           yes        -       -       -
administer      yes           -          -       -       -
fly             -             -          -       -       -`)
	powers := []auth.Power{auth.PowerNone, auth.PowerRead, auth.PowerRequest, auth.PowerReveal, auth.PowerExport, auth.PowerOversee, auth.PowerReceive,
		auth.PowerBody, auth.PowerReplay, auth.PowerAdminister, "fly"}
	lines := []string{fmt.Sprintf("%-15s", "")}
	for _, r := range auth.Roles {
		lines[0] += " " + string(r)
	}
	for _, p := range powers {
		line := fmt.Sprintf("%-15s", p)
		for _, r := range auth.Roles {
			may := "-"
			if r.May(p) {
				may = "yes"
			}
			line += fmt.Sprintf(" %-*s", len(r), may)
		}
		lines = append(lines, strings.TrimRight(line, " "))
		for _, stranger := range []auth.Role{"", "root", "Administrator"} {
			if stranger.May(p) || stranger.Known() {
				t.Errorf("%q, which is no role, may %s", stranger, p)
			}
		}
	}
	if diff := cmp.Diff(want, strings.TrimSpace(strings.Join(lines, "\n"))); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}

func TestPasswordProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, password, email, want string }{
		{"good", "correct horse battery", "ana@example.mx", ""},
		{"empty", "", "ana@example.mx", "admin.password.short"},
		{"eleven", "abcdefghijk", "ana@example.mx", "admin.password.short"},
		{"twelve", "abcdefghijkl", "ana@example.mx", ""},
		{"twelve letters of two bytes", "ñandúñandúña", "ana@example.mx", ""},
		{"eleven letters of two bytes", "ñandúñandúñ", "ana@example.mx", "admin.password.short"},
		{"longest", strings.Repeat("abcd", 32), "ana@example.mx", ""},
		{"too long", strings.Repeat("abcd", 32) + "e", "ana@example.mx", "admin.password.long"},
		{"one letter", strings.Repeat("a", 12), "ana@example.mx", "admin.password.obvious"},
		{"one letter of two bytes", strings.Repeat("ñ", 12), "ana@example.mx", "admin.password.obvious"},
		{"one letter, big and small", "aAaAaAaAaAaA", "ana@example.mx", "admin.password.obvious"},
		{"obvious", "Contraseña123", "ana@example.mx", "admin.password.obvious"},
		{"the address", "x-Fernanda-2026", "fernanda@example.mx", "admin.password.has_email"},
		{"a short address proves nothing", "banana republic", "ana@example.mx", ""},
		{"no address", "correct horse battery", "", ""},
	} {
		if got := auth.PasswordProblem(test.password, test.email); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestActive(t *testing.T) {
	t.Parallel()
	if (auth.User{DisabledAt: time.Unix(1, 0)}).Active() || !(auth.User{}).Active() {
		t.Error("a user is active until disabled")
	}
}
