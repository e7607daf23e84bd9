package static

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func sheet(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("css", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sheets(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("css/*.css")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sheets: %v", err)
	}
	all := map[string]string{}
	for _, name := range names {
		all[filepath.Base(name)] = sheet(t, filepath.Base(name))
	}
	return all
}

var colour = regexp.MustCompile(`--([a-z0-9-]+):\s*(?:light-dark\(#([0-9a-f]{6}),\s*#([0-9a-f]{6})\)|#([0-9a-f]{6}));`)

// tokens reads both faces of every colour: [0] light, [1] dark.
func tokens(t *testing.T) map[string][2]string {
	t.Helper()
	found := map[string][2]string{}
	for _, m := range colour.FindAllStringSubmatch(sheet(t, "tokens.css"), -1) {
		found[m[1]] = [2]string{m[2] + m[4], m[3] + m[4]}
	}
	return found
}

// luminance and contrast follow WCAG 2.2, "relative luminance" and "contrast ratio".
func luminance(hex string) float64 {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		panic(err)
	}
	channel := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(n>>16) + 0.7152*channel(n>>8) + 0.0722*channel(n)
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	t.Parallel()
	if got := contrast("000000", "ffffff"); math.Abs(got-21) > 0.001 {
		t.Fatalf("black on white is %f", got)
	}
	// WCAG 2.2, 1.4.3: 4.5 for words; 1.4.11: 3 for edges of controls and for bars.
	const words, shapes = 4.5, 3.0
	type pair struct {
		ink, ground string
		least       float64
	}
	pairs := []pair{
		{"on-accent", "accent", words}, {"on-accent", "accent-2", words}, {"accent", "surface", words}, {"accent", "paper", words},
		{"accent", "accent-soft", words}, {"on-sandbox", "sandbox", words}, {"on-sandbox", "sandbox-2", words},
		{"edge", "surface", shapes}, {"accent-mid", "surface", shapes},
	}
	for _, ink := range []string{"ink", "ink-2", "ink-3"} {
		for _, ground := range []string{"paper", "surface", "surface-2", "well"} {
			pairs = append(pairs, pair{ink, ground, words})
		}
	}
	for _, status := range []string{"queued", "pending", "success", "incomplete", "error", "expired"} {
		pairs = append(pairs, pair{status, status + "-soft", words}, pair{status, "surface", words}, pair{"ink", status + "-soft", words})
	}
	all := tokens(t)
	for _, p := range pairs {
		ink, ground := all[p.ink], all[p.ground]
		if ink[0] == "" || ground[0] == "" {
			t.Errorf("%s on %s: one of them is no token", p.ink, p.ground)
			continue
		}
		for i, theme := range []string{"light", "dark"} {
			if got := contrast(ink[i], ground[i]); got < p.least {
				t.Errorf("%s on %s is %.2f in the %s theme, at least %.1f", p.ink, p.ground, got, theme, p.least)
			}
		}
	}
}

// The colour of the sandbox says "this is not real" and nothing else, so no other piece may wear it.
func TestSandboxColourIsReserved(t *testing.T) {
	t.Parallel()
	for name, text := range sheets(t) {
		if name == "tokens.css" {
			continue // where it is made
		}
		for i, line := range strings.Split(text, "\n") {
			if !strings.Contains(line, "var(--sandbox") && !strings.Contains(line, "#b0125b") {
				continue
			}
			if !strings.Contains(line, "ribbon") && !strings.Contains(line, "data-env") && !strings.Contains(line, "@page pruebas") &&
				!strings.HasPrefix(strings.TrimSpace(line), "background: var(--sandbox)") {
				t.Errorf("%s:%d wears the sandbox's colour: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}

func TestSheetsKeepTheirPlace(t *testing.T) {
	t.Parallel()
	layer := regexp.MustCompile(`(?m)^@layer (\w+) \{`)
	imports := sheet(t, "app.css")
	token := regexp.MustCompile(`var\((--[a-z0-9-]+)`)
	defined := regexp.MustCompile(`(--[a-z0-9-]+):`)
	known := map[string]bool{}
	for _, text := range sheets(t) {
		for _, m := range defined.FindAllStringSubmatch(text, -1) {
			known[m[1]] = true
		}
	}
	for name, text := range sheets(t) {
		if name == "app.css" {
			continue
		}
		if !strings.Contains(imports, fmt.Sprintf("@import \"./%s\";", name)) {
			t.Errorf("%s is not part of app.css", name)
		}
		if n := len(layer.FindAllString(text, -1)); n != 1 {
			t.Errorf("%s opens %d layers", name, n)
		}
		if n := strings.Count(text, "\n"); n > 400 {
			t.Errorf("%s has %d lines", name, n)
		}
		if strings.Contains(strings.ReplaceAll(text, `url("#`, ""), "url(") || strings.Contains(text, "!important") {
			t.Errorf("%s asks for a file or shouts", name)
		}
		if open, closed := strings.Count(text, "{"), strings.Count(text, "}"); open != closed {
			t.Errorf("%s opens %d braces and closes %d", name, open, closed)
		}
		for _, m := range token.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s uses %s, which nobody defines", name, m[1])
			}
		}
	}
}

// TestClassesMeet holds the sheet against the markup: a class in a template has a rule, and a rule has somebody who
// wears it, whole or put together from its beginning ("badge--" and a status).
func TestClassesMeet(t *testing.T) {
	t.Parallel()
	var markup strings.Builder
	for _, pattern := range []string{"../views/*.templ", "../views/*.go", "js/*.js"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			markup.Write(text)
		}
	}
	used := markup.String()
	words := map[string]bool{}
	for _, word := range regexp.MustCompile(`[a-z][a-z0-9_-]*`).FindAllString(used, -1) {
		words[word] = true
	}
	defined := map[string]bool{}
	comment := regexp.MustCompile(`(?s)/\*.*?\*/`)
	for _, text := range sheets(t) {
		for _, m := range regexp.MustCompile(`\.([a-z][a-z0-9_-]*)`).FindAllStringSubmatch(comment.ReplaceAllString(text, ""), -1) {
			defined[m[1]] = true
		}
	}
	begun := regexp.MustCompile(`^[a-z-]+(__[a-z]+)?(--|__)`)
	for class := range defined {
		if !words[class] && !words[begun.FindString(class)] && !strings.HasPrefix(class, "brand__") && class != "css" {
			t.Errorf("nobody wears .%s", class)
		}
	}
	for _, m := range regexp.MustCompile(`class="([^"{}]*)"`).FindAllStringSubmatch(used, -1) {
		for _, class := range strings.Fields(m[1]) {
			if !defined[class] && regexp.MustCompile(`^[a-z0-9_-]+[a-z0-9]$`).MatchString(class) { // else put together in Go
				t.Errorf("no rule for .%s", class)
			}
		}
	}
}
