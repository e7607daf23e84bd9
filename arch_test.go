package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pure are the packages that do no I/O. They may import each other and nothing
// else of ours.
var pure = []string{
	"internal/audit", "internal/auth", "internal/bulk", "internal/connection", "internal/consent", "internal/curp", "internal/decision",
	"internal/employment", "internal/figures", "internal/find", "internal/lineage", "internal/lookup", "internal/profile", "internal/receipt", "internal/seed", "internal/task", "internal/webhook",
}

// mayImport is the direction of imports (ARCHITECTURE.md): what a package, or
// one below it, may import of ours besides what is below itself. The longest
// matching name decides. A package that no line covers fails the test, so that a
// new one gets its place here before it gets its first import.
var mayImport = map[string][]string{
	"":                     {"*"}, // main starts everything
	"handlers":             with(pure, "web", "views", "db", "internal/live", "internal/export", "internal/locale", "internal/report"),
	"web":                  nil, // could be lifted out into a project of its own
	"views":                with(pure, "internal/locale", "internal/report"),
	"static":               nil,
	"static/build":         nil,
	"migrations":           nil,
	"db":                   with(pure, "migrations", "internal/seal"),
	"internal/jobs":        with(pure, "db", "internal/live", "internal/export", "internal/palenca", "internal/buro", "internal/vendors"),
	"internal/vendors":     with(pure, "db", "internal/palenca", "internal/buro"),
	"internal/palenca":     pure,
	"internal/buro":        pure,
	"internal/sandbox":     nil, // the vendor shares no code with its clients
	"internal/live":        pure,
	"internal/export":      with(pure, "internal/locale"),
	"internal/locale":      pure,
	"internal/report":      nil, // it sets words; which ones is none of its business
	"internal/seal":        nil,
	"internal/localpg":     nil,
	"internal/config":      {"internal/localpg", "internal/seal"},
	"internal/testdb":      {"db", "internal/localpg"},
	"internal/browsertest": {"*"}, // drives the whole program
	"internal/bench":       with(pure, "db", "internal/export", "internal/localpg", "internal/palenca", "internal/seal"),
}

func with(base []string, more ...string) []string { return slices.Concat(base, more) }

func init() {
	for _, p := range pure {
		mayImport[p] = pure
	}
}

const module = "cotejo"

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	// Imports only, of the programs and not of their tests: a test may reach
	// across, for instance into testdb.
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, complaint := range breaks(p.ImportPath, p.Imports) {
			t.Error(complaint)
		}
	}
}

// breaks lists the imports that the table does not allow.
func breaks(path string, imports []string) []string {
	name, ours := inModule(path)
	if !ours {
		return nil
	}
	place, known := placeOf(name)
	if !known {
		return []string{path + " has no line in the table of imports: give it one in arch_test.go and ARCHITECTURE.md"}
	}
	var out []string
	for _, imp := range imports {
		target, ours := inModule(imp)
		if !ours || allowed(place, target) {
			continue
		}
		out = append(out, path+" imports "+imp+", which the direction of imports forbids (ARCHITECTURE.md)")
	}
	return out
}

// inModule gives a package's name within the module; main's is "".
func inModule(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

// placeOf finds the longest line that covers a package. "" covers main alone.
func placeOf(name string) (string, bool) {
	best, found := "", name == ""
	for place := range mayImport {
		if place != "" && under(name, place) && len(place) > len(best) {
			best, found = place, true
		}
	}
	return best, found
}

func allowed(place, target string) bool {
	if place != "" && under(target, place) {
		return true
	}
	for _, ok := range mayImport[place] {
		if ok == "*" || under(target, ok) {
			return true
		}
	}
	return false
}

func under(name, place string) bool {
	return name == place || strings.HasPrefix(name, place+"/")
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path, imp string
		want      string // part of the complaint; empty: allowed
	}{
		{"cotejo", "cotejo/internal/palenca", ""},
		{"cotejo/handlers", "cotejo/views", ""},
		{"cotejo/handlers", "cotejo/internal/palenca", "cotejo/handlers imports cotejo/internal/palenca"},
		{"cotejo/handlers", "cotejo/internal/jobs", "forbids"},
		{"cotejo/views", "cotejo/db", "cotejo/views imports cotejo/db"},
		{"cotejo/views", "cotejo/internal/curp", ""},
		{"cotejo/views", "net/http", ""},
		{"cotejo/web", "cotejo/internal/locale", "forbids"},
		{"cotejo/web/metrics", "cotejo/web", ""},
		{"cotejo/db", "cotejo/internal/seal", ""},
		{"cotejo/db", "cotejo/internal/jobs", "forbids"},
		{"cotejo/internal/jobs", "cotejo/internal/buro", ""},
		{"cotejo/internal/sandbox", "cotejo/internal/webhook", "forbids"},
		{"cotejo/internal/sandbox/faults", "cotejo/internal/sandbox", ""},
		{"cotejo/internal/lookup", "cotejo/internal/curp", ""},
		{"cotejo/internal/curp", "cotejo/internal/locale", "forbids"},
		{"cotejo/internal/util", "fmt", "has no line"},
		{"cotejo/internal/curpish", "cotejo/db", "has no line"},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.imp, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(breaks(tt.path, []string{tt.imp}), "\n")
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
