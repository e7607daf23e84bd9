package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/auth"
	"cotejo/internal/config"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// What the documentation says of the program is held against the program.

var update = flag.Bool("update", false, "write the generated parts of the documentation anew")

// docPages gives every page of the documentation, by its path.
func docPages(t *testing.T) map[string]string {
	t.Helper()
	return filesWhere(t, func(name string) bool { return strings.HasSuffix(name, ".md") })
}

// filesWhere reads what belongs to the repository and nothing that was built or fetched.
func filesWhere(t *testing.T, want func(name string) bool) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (slices.Contains([]string{"node_modules", "bin", "test-results"}, name) || name != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if !d.IsDir() && want(name) {
			all[filepath.ToSlash(name)] = read(t, name)
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("no files: %v", err)
	}
	return all
}

// generated compares the lines between two marks of a page with what they are made from, or writes them.
func generated(t *testing.T, page, mark, want string) {
	t.Helper()
	whole := read(t, page)
	begin, end := strings.Index(whole, "<!-- "+mark+":"), strings.Index(whole, "<!-- /"+mark+" -->")
	if begin < 0 || end < begin {
		t.Fatalf("%s has no marks for %s", page, mark)
	}
	begin += strings.Index(whole[begin:], "-->\n") + len("-->\n")
	if *update {
		if err := os.WriteFile(page, []byte(whole[:begin]+want+whole[end:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, whole[begin:end]); diff != "" {
		t.Errorf("%s is behind the program, run `go test -run '%s$' -update .` (-program +page):\n%s", page, t.Name(), diff)
	}
}

func TestSettingsTable(t *testing.T) { // not parallel: with -update the three tables are written in turn
	var table strings.Builder
	table.WriteString("| setting | default | meaning | example |\n|---|---|---|---|\n")
	for _, s := range config.Reference() {
		fmt.Fprintf(&table, "| `%s` | %s | %s | `%s` |\n", s.Name, asCode(s.Default), s.Meaning, s.Example)
	}
	generated(t, "README.md", "settings", table.String())
}

func asCode(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func TestRolesTable(t *testing.T) {
	powers := []struct {
		power auth.Power
		means string
	}{
		{auth.PowerRead, "see lookups and their histories, CURP and NSS masked"},
		{auth.PowerRequest, "ask the vendor, with the person's consent"},
		{auth.PowerReveal, "show a full CURP or NSS, or a body unmasked; recorded"},
		{auth.PowerExport, "export one person or a filtered list; recorded, each file with a receipt"},
		{auth.PowerOversee, "see the receipts of what others exported"},
		{auth.PowerReceive, "see deliveries, bodies masked"},
		{auth.PowerBody, "download a delivery's exact bytes; recorded"},
		{auth.PowerReplay, "have stored deliveries processed again; recorded"},
		{auth.PowerAdminister, "users, connection, environment"},
	}
	var table strings.Builder
	table.WriteString("| may |")
	for _, role := range auth.Roles {
		fmt.Fprintf(&table, " %s |", role)
	}
	table.WriteString("\n|---|" + strings.Repeat(":-:|", len(auth.Roles)) + "\n")
	for _, p := range powers {
		fmt.Fprintf(&table, "| %s |", p.means)
		for _, role := range auth.Roles {
			word := " "
			if role.May(p.power) {
				word = " yes "
			}
			table.WriteString(word + "|")
		}
		table.WriteString("\n")
	}
	generated(t, "README.md", "roles", table.String())
}

// The table in ARCHITECTURE.md is the one that arch_test.go holds.
func TestImportsTable(t *testing.T) {
	places := slices.Sorted(maps.Keys(mayImport))
	var table strings.Builder
	table.WriteString("| package | may import of ours |\n|---|---|\n")
	for _, place := range places {
		if slices.Contains(pure, place) {
			continue
		}
		allowed := mayImport[place]
		var names []string
		switch {
		case slices.Equal(allowed, []string{"*"}):
			names = append(names, "everything")
		case len(allowed) == 0:
			names = append(names, "nothing")
		case len(allowed) >= len(pure) && slices.Equal(allowed[:len(pure)], pure):
			names = append(names, "the pure packages")
			allowed = allowed[len(pure):]
			fallthrough
		default:
			for _, name := range allowed {
				names = append(names, "`"+name+"`")
			}
		}
		if place == "" {
			place = "main"
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", place, strings.Join(names, ", "))
	}
	generated(t, "ARCHITECTURE.md", "imports", table.String())
}

// The notes on design print measured contrast, so they are measured here: WCAG 2.2, "contrast ratio".
func TestContrastTable(t *testing.T) {
	faces := map[string][2]string{}
	colour := regexp.MustCompile(`--([a-z0-9-]+):\s*(?:light-dark\(#([0-9a-f]{6}),\s*#([0-9a-f]{6})\)|#([0-9a-f]{6}));`)
	for _, m := range colour.FindAllStringSubmatch(read(t, "static/css/tokens.css"), -1) {
		faces[m[1]] = [2]string{m[2] + m[4], m[3] + m[4]}
	}
	var table strings.Builder
	table.WriteString("| words | on | light | dark |\n|---|---|--:|--:|\n")
	for _, pair := range [][2]string{
		{"ink", "surface"}, {"ink-2", "surface"}, {"ink-3", "surface"}, {"ink-3", "paper"}, {"ink-3", "well"},
		{"accent", "surface"}, {"on-accent", "accent"}, {"on-sandbox", "sandbox"},
		{"queued", "queued-soft"}, {"pending", "pending-soft"}, {"success", "success-soft"},
		{"incomplete", "incomplete-soft"}, {"error", "error-soft"}, {"expired", "expired-soft"},
	} {
		ink, ground := faces[pair[0]], faces[pair[1]]
		if ink[0] == "" || ground[0] == "" {
			t.Fatalf("%s on %s: one of them is no token", pair[0], pair[1])
		}
		ratios := [2]float64{contrastOf(t, ink[0], ground[0]), contrastOf(t, ink[1], ground[1])}
		if min(ratios[0], ratios[1]) < 4.5 {
			t.Errorf("%s on %s is %.2f and %.2f; words need 4.5", pair[0], pair[1], ratios[0], ratios[1])
		}
		fmt.Fprintf(&table, "| `%s` | `%s` | %.1f | %.1f |\n", pair[0], pair[1], floor1(ratios[0]), floor1(ratios[1]))
	}
	generated(t, "docs/design-notes.md", "contrast", table.String())
}

// floor1 rounds down: a ratio is never printed better than it is.
func floor1(x float64) float64 { return math.Floor(x*10) / 10 }

func contrastOf(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(hex string) (sum float64) {
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

var (
	docFence   = regexp.MustCompile("(?ms)^```.*?^```\n?")
	docSpan    = regexp.MustCompile("`([^`\n]+)`")
	docLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	docHeading = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	docNamed   = regexp.MustCompile(`<a id="([^"]+)">`)
)

// docAnchors gives what a link may point at within a page: its headings as GitHub turns them into ids, and docNamed anchors.
func docAnchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, m := range docNamed.FindAllStringSubmatch(page, -1) {
		found[m[1]] = true
	}
	for _, m := range docHeading.FindAllStringSubmatch(docFence.ReplaceAllString(page, ""), -1) {
		id := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		found[id] = true
	}
	return found
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := docPages(t)
	for name, page := range all {
		for _, m := range docLink.FindAllStringSubmatch(docFence.ReplaceAllString(page, ""), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			target := name
			if to != "" {
				target = path.Join(path.Dir(name), to)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			} else if anchor != "" && !docAnchors(all[target])[anchor] {
				t.Errorf("%s links to %s, which has no such place", name, m[1])
			}
		}
	}
}

// Comments cite a page where a vendor or a rule of ours demands something; the place has to be there.
func TestCitationsLeadSomewhere(t *testing.T) {
	t.Parallel()
	all := docPages(t)
	cited := regexp.MustCompile(`\bdocs/[a-z-]+\.md(?:#([a-z0-9-]+))?`)
	code := filesWhere(t, func(name string) bool {
		return strings.HasSuffix(name, ".go") && name != "docs_test.go" || strings.HasSuffix(name, ".sql") || strings.HasSuffix(name, ".templ")
	})
	for name, source := range code {
		for _, m := range cited.FindAllStringSubmatch(source, -1) {
			page, _, _ := strings.Cut(m[0], "#")
			if all[page] == "" {
				t.Errorf("%s cites %s, which does not exist", name, page)
			} else if m[1] != "" && !docAnchors(all[page])[m[1]] {
				t.Errorf("%s cites %s, which has no such place", name, m[0])
			}
		}
	}
}

// docWords gives what a page sets as code: its spans, and the lines of its blocks.
func docWords(page string) []string {
	var out []string
	for _, block := range docFence.FindAllString(page, -1) {
		for line := range strings.Lines(block) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	for _, m := range docSpan.FindAllStringSubmatch(docFence.ReplaceAllString(page, ""), -1) {
		out = append(out, m[1])
	}
	return out
}

func TestNamesExist(t *testing.T) {
	t.Parallel()
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	known := map[string]bool{"help": true}
	for _, c := range commands {
		known[c.name] = true
	}
	settings := map[string]bool{}
	for _, s := range config.Reference() {
		settings[s.Name] = true
	}
	make_ := regexp.MustCompile(`^make ([a-z-]+)`)
	command := regexp.MustCompile(`^(?:bin/)?cotejo ([a-z]+)`)
	setting := regexp.MustCompile(`\bCOTEJO_[A-Z_]*[A-Z]\b`)
	file := regexp.MustCompile(`^(?:[a-z][\w.-]*/)+[\w.*-]*$`)
	top := regexp.MustCompile(`^(?:handlers|web|views|static|db|migrations|internal|docs|tools|\.ci)/`)
	for name, page := range docPages(t) {
		for _, m := range setting.FindAllString(page, -1) {
			if !settings[m] && !strings.HasPrefix(m, "COTEJO_TEST_") {
				t.Errorf("%s names the setting %s, which does not exist", name, m)
			}
		}
		for _, word := range docWords(page) {
			if m := make_.FindStringSubmatch(word); m != nil && !targets[m[1]] {
				t.Errorf("%s names `make %s`, which does not exist", name, m[1])
			}
			if m := command.FindStringSubmatch(word); m != nil && !known[m[1]] {
				t.Errorf("%s names `cotejo %s`, which does not exist", name, m[1])
			}
			if file.MatchString(word) && top.MatchString(word) {
				_, kept := mayImport[word] // perhaps for a package to come
				if found, err := filepath.Glob(word); !kept && (err != nil || len(found) == 0) {
					t.Errorf("%s names %s, which does not exist", name, word)
				}
			}
		}
	}
}

// What README promises to scripts is named there in full and answered by a route.
func TestPromisesToScripts(t *testing.T) {
	t.Parallel()
	_, section, _ := strings.Cut(read(t, "README.md"), "\n## What outside scripts may rely on\n")
	section, _, found := strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("README.md has no such section")
	}
	var closed []string
	for _, s := range lookup.Statuses {
		closed = append(closed, string(s))
	}
	for _, s := range lookup.PullStates {
		closed = append(closed, string(s))
	}
	for _, v := range webhook.Verdicts {
		closed = append(closed, string(v))
	}
	for _, word := range closed {
		if !strings.Contains(section, "`"+word+"`") {
			t.Errorf("README.md does not name %s, which a page may carry", word)
		}
	}
	// Beside the table of routes (handlers/console.go, serve.go).
	answered := []string{"GET /healthz", "GET /readyz", "GET /metrics", "POST /hooks/{}", "POST /oauth/token"}
	parameter := regexp.MustCompile(`\{[a-z]+\}`)
	for line := range strings.Lines(read(t, "handlers/testdata/routes.golden")) { // held by a test of handlers
		if words := strings.Fields(line); len(words) > 1 {
			answered = append(answered, words[0]+" "+parameter.ReplaceAllString(words[1], "{}"))
		}
	}
	for _, m := range docSpan.FindAllStringSubmatch(section, -1) {
		pattern, _, _ := strings.Cut(parameter.ReplaceAllString(m[1], "{}"), "?")
		if method, _, _ := strings.Cut(pattern, " "); (method == "GET" || method == "POST") && !slices.Contains(answered, pattern) {
			t.Errorf("README.md promises %s, which nothing answers", m[1])
		}
	}
}

var importLine = regexp.MustCompile(`(?m)^\s*(?:\w+ )?"([\w./~-]+)"$`)

// Each direct dependency has one line of reason, and nothing else pretends to be one.
func TestEveryDependencyHasItsReason(t *testing.T) {
	t.Parallel()
	var direct []string
	imported := map[string]bool{}
	for _, source := range filesWhere(t, func(name string) bool { return strings.HasSuffix(name, ".go") && name != "docs_test.go" }) {
		for _, m := range importLine.FindAllStringSubmatch(source, -1) {
			imported[m[1]] = true
		}
	}
	modules := read(t, "go.mod")
	isImported := func(module string) bool {
		for path := range imported {
			below, is := strings.CutPrefix(path, module)
			// A path below may belong to a module of its own.
			if is && (below == "" || below[0] == '/' && !strings.Contains(modules, "\t"+path+" ")) {
				return true
			}
		}
		return false
	}
	// A mark "// indirect" only tells that nobody has tidied since; what is imported is direct.
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+( // indirect)?$`).FindAllStringSubmatch(modules, -1) {
		if m[2] == "" || isImported(m[1]) {
			direct = append(direct, m[1])
		}
	}
	_, tools, _ := strings.Cut(read(t, "go.mod"), "\ntool (\n")
	for _, line := range strings.Fields(strings.TrimSuffix(strings.TrimSpace(tools), ")")) {
		if !slices.ContainsFunc(direct, func(d string) bool { return strings.HasPrefix(line+"/", d+"/") }) {
			direct = append(direct, line)
		}
	}
	for _, m := range regexp.MustCompile(`"([a-z.-]+)": "\d`).FindAllStringSubmatch(read(t, "package.json"), -1) {
		direct = append(direct, m[1])
	}
	var told []string
	_, section, _ := strings.Cut(read(t, "docs/decisions.md"), "\n## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		told = append(told, m[1])
	}
	slices.Sort(direct)
	slices.Sort(told)
	if diff := cmp.Diff(direct, told); diff != "" {
		t.Errorf("docs/decisions.md and what is depended on (-go.mod, package.json +page):\n%s", diff)
	}
}

// A metric that was renamed would leave an alert silent for ever.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	code := filesWhere(t, func(name string) bool { return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") })
	source := strings.Builder{}
	for _, one := range code {
		source.WriteString(one)
	}
	for _, m := range regexp.MustCompile(`\bcotejo_([a-z_]+[a-z])\b`).FindAllStringSubmatch(read(t, "docs/operations.md"), -1) {
		name := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(m[1], "")
		if all := source.String(); !strings.Contains(all, `"cotejo_`+name+`"`) && !strings.Contains(all, `Name: "`+name+`"`) {
			t.Errorf("docs/operations.md names the metric %s, which does not exist", m[0])
		}
	}
}
