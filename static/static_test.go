package static

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDistAlwaysOpens(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(Dist(), ".")
	if err != nil || len(entries) == 0 {
		t.Fatalf("dist holds %d files: %v", len(entries), err)
	}
}

// Scripts run under a policy that allows no evaluation and no other host, and keep nothing about a person in the
// browser (OWASP ASVS 5.0, 14.3.3).
func TestScriptsKeepToThePolicy(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("js/*.js")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	forbidden := regexp.MustCompile(`\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|https?://|sessionStorage|indexedDB|\.style\b`)
	entry, err := os.ReadFile("js/app.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.FindString(string(text)); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
		base := filepath.Base(name)
		if strings.Contains(string(text), "localStorage") && base != "keys.js" {
			t.Errorf("%s keeps something in the browser", name)
		}
		if base != "app.js" && base != "say.js" && !strings.Contains(string(entry), `"./`+base+`"`) {
			t.Errorf("%s is never loaded", name)
		}
		if n := strings.Count(string(text), "\n"); n > 150 {
			t.Errorf("%s has %d lines: more than one subject", name, n)
		}
	}
}

// Packages are pinned to the last digit, by hash, and say nothing of where this was built.
func TestLockIsPinned(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		if name == "" {
			continue
		}
		if p.Resolved != "" || !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s: resolved %q, integrity %q", name, p.Resolved, p.Integrity)
		}
	}
	manifest, err := os.ReadFile("../package.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(manifest), "^~*") {
		t.Error("package.json leaves a version open")
	}
}
