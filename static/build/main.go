// Command build bundles the browser's half of the console into static/dist. Run it from the root of the repository,
// after `npm ci --ignore-scripts`.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := build("."); err != nil {
		fmt.Fprintln(os.Stderr, "static/build:", err)
		os.Exit(1)
	}
}

// bundled names the packages whose code ends up in app.js.
var bundled = []string{"htmx.org"}

// build writes root/static/dist from root/static and root/node_modules.
func build(root string) error {
	legal, err := notice(root)
	if err != nil {
		return err
	}
	dist := filepath.Join(root, "static", "dist")
	options := api.BuildOptions{
		AbsWorkingDir:     absolute(root),
		EntryPoints:       []string{"static/js/app.js", "static/css/app.css"},
		Outdir:            "static/dist",
		Bundle:            true,
		Write:             true,
		MinifySyntax:      true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		Format:            api.FormatESModule,
		// What browsers of 2026 read is left as written: lowering light-dark() would freeze the theme.
		Target:        api.ESNext,
		LegalComments: api.LegalCommentsNone, // LEGAL.txt holds the notices
		EntryNames:    "[name]",
		LogLevel:      api.LogLevelWarning,
	}
	if result := api.Build(options); len(result.Errors) > 0 {
		return fmt.Errorf("%d errors; is node_modules there? (npm ci --ignore-scripts)", len(result.Errors))
	}
	icon, err := os.ReadFile(filepath.Join(root, "static", "favicon.svg"))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dist, "favicon.svg"), icon, 0o644),
		os.WriteFile(filepath.Join(dist, "LEGAL.txt"), []byte(legal), 0o644),
	)
}

// notice gathers name, version and licence text of every bundled package, as their licences ask.
func notice(root string) (string, error) {
	var text strings.Builder
	for _, name := range bundled {
		dir := filepath.Join(root, "node_modules", filepath.FromSlash(name))
		raw, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is not installed: npm ci --ignore-scripts", name)
		}
		if err != nil {
			return "", err
		}
		var about struct{ Name, Version, License string }
		if err := json.Unmarshal(raw, &about); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		licence, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s %s (%s)\n\n%s\n", about.Name, about.Version, about.License, licence)
	}
	return text.String(), nil
}

// absolute is what esbuild wants of a working directory.
func absolute(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	return abs
}
