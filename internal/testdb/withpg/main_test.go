package main

import (
	"os"
	"testing"

	"cotejo/internal/localpg"
)

func TestRun(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no shell")
	}
	tests := []struct {
		name, given, script string
		want                int
	}{
		{"exit code is passed on", "postgres:///given", `exit 7`, 7},
		{"a given server is left alone", "postgres:///given", `test "$COTEJO_TEST_DATABASE_URL" = postgres:///given`, 0},
		{"ended by a signal", "postgres:///given", `kill -9 $$`, 1},
		{"server of its own", "", `case "$COTEJO_TEST_DATABASE_URL" in postgres:///cotejo*) exit 0;; esac; exit 1`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(envURL, tt.given)
			if tt.given == "" {
				end, _, err := cluster()
				if err != nil {
					if os.Getenv("CI") == "true" {
						t.Fatal(err)
					}
					t.Skip(localpg.ErrNoBinaries, err)
				}
				end()
			}
			if got := run([]string{"/bin/sh", "-c", tt.script}); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
		})
	}
	t.Setenv(envURL, "postgres:///given")
	if got := run([]string{"/nowhere/at/all"}); got != 127 {
		t.Errorf("a missing command: exit code %d, want 127", got)
	}
}
