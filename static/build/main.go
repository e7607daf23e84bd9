// Command build bundles the browser's half of the console into static/dist. Run it from the root of the repository,
// after `npm ci --ignore-scripts`.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	err := func() error {
		bundler, err := esbuild(".")
		if err != nil {
			return err
		}
		return build(".", bundler)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "static/build:", err)
		os.Exit(1)
	}
}

// bundled names the packages whose code ends up in app.js.
var bundled = []string{"htmx.org"}

// esbuild is where npm put the bundler for this machine. Its own start script would need Node, which the image's build
// stage has not.
func esbuild(root string) (string, error) {
	found, err := filepath.Glob(filepath.Join(root, "node_modules", "@esbuild", "*", "bin", "esbuild"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the bundler is not installed (found %d): npm ci --ignore-scripts", len(found))
	}
	return filepath.Abs(found[0])
}

// build writes root/static/dist from root/static and root/node_modules.
func build(root, bundler string) error {
	legal, err := notice(root)
	if err != nil {
		return err
	}
	if err := bundle(root, bundler); err != nil {
		return err
	}
	dist := filepath.Join(root, "static", "dist")
	icon, err := os.ReadFile(filepath.Join(root, "static", "favicon.svg"))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dist, "favicon.svg"), icon, 0o644),
		os.WriteFile(filepath.Join(dist, "LEGAL.txt"), []byte(legal), 0o644),
	)
}

// bundle turns the sources into one script and one style sheet.
func bundle(root, bundler string) error {
	cmd := exec.Command(bundler, "static/js/app.js", "static/css/app.css", "--outdir=static/dist", "--entry-names=[name]",
		"--bundle", "--minify", "--format=esm",
		// What browsers of 2026 read is left as written: lowering light-dark() would freeze the theme.
		"--target=esnext",
		"--legal-comments=none", // LEGAL.txt holds the notices
		"--log-level=warning")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
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
