package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree is a repository of the smallest kind that can be bundled.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "node_modules/htmx.org/package.json", `{"name":"htmx.org","version":"4.0.1","license":"0BSD","main":"x.js"}`)
	write(t, root, "node_modules/htmx.org/LICENSE", "Permission to use\n")
	write(t, root, "node_modules/htmx.org/x.js", "window.htmx = 1;\n")
	write(t, root, "static/js/app.js", "import 'htmx.org';\nimport './one.js';\n")
	write(t, root, "static/js/one.js", "document.title = 'one';\n")
	write(t, root, "static/css/app.css", "@layer base;\n@import './base.css';\n")
	write(t, root, "static/css/base.css", "@layer base { a { color: light-dark(#000, #fff); } }\n")
	write(t, root, "static/favicon.svg", "<svg/>")
	write(t, root, "static/dist/README", "kept")
	return root
}

func TestBuild(t *testing.T) {
	t.Parallel()
	bundler, err := esbuild("../..")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, ", err)
	}
	root := tree(t)
	if err := build(root, bundler); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"app.js": "window.htmx", "app.css": "light-dark(", "favicon.svg": "<svg/>", "LEGAL.txt": "htmx.org 4.0.1 (0BSD)\n\nPermission to use", "README": "kept",
	} {
		text, err := os.ReadFile(filepath.Join(root, "static", "dist", name))
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q: %s", name, want, text)
		}
	}
}

func TestBuildSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	root := tree(t)
	if err := os.RemoveAll(filepath.Join(root, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := build(root, "esbuild"); err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("without packages: %v", err)
	}
	if _, err := esbuild(root); err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("without the bundler: %v", err)
	}
	write(t, root, "static/js/app.js", "import 'nothing.here';\n")
	write(t, root, "node_modules/htmx.org/package.json", `{"name":"htmx.org"}`)
	write(t, root, "node_modules/htmx.org/LICENSE", "")
	if bundler, err := esbuild("../.."); err == nil && build(root, bundler) == nil {
		t.Error("a script that imports what is not there was bundled")
	}
}
