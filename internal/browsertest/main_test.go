package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// repository is the root, seen from here.
const repository = "../.."

// shared is what all tests use: one folder, one binary and one browser per run. The last two come into being when first
// asked for, so that a run without a browser builds nothing.
var shared struct {
	dir     string
	binary  func() (string, error)
	browser func() (context.Context, error)
	close   func()
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cotejo-browsertest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared.dir = dir
	shared.binary = sync.OnceValues(build)
	shared.browser = sync.OnceValues(launch)
	shared.close = func() {}
	defer func() { shared.close() }()
	code := m.Run()
	if code != 0 {
		return code
	}
	pages, err := unseen()
	if err != nil || len(pages) > 0 {
		fmt.Fprintf(os.Stderr, "pages that axe-core never met: %s %v\n", strings.Join(pages, ", "), err)
		return 1
	}
	return 0
}

// build makes the program as `make build` does, so that what that compiled is used again. The race detector watches the
// same program where the tests beside main.go run it.
func build() (string, error) {
	path := filepath.Join(shared.dir, "cotejo")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, bytes.TrimSpace(out))
	}
	return path, nil
}

// launch starts Chromium under a context without a limit: the browser lives as long as the context of its first use.
func launch() (context.Context, error) {
	path := chromium()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// Spanish is the product's first language, and what it answers to a browser that asks for nothing else.
		chromedp.Flag("accept-lang", "es-MX"),
		chromedp.UserDataDir(filepath.Join(shared.dir, "profile")))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	shared.close = func() {
		_ = chromedp.Cancel(ctx)
		endAllocator()
	}
	return ctx, chromedp.Do(ctx)
}

// chromium is where the browser is, or "": the one without windows first, which does the same with less work.
func chromium() string {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	for _, path := range []string{"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// needs skips a test aloud where a program or file is missing, and fails it where CI=true.
func needs(t testing.TB) {
	t.Helper()
	missing := ""
	if chromium() == "" {
		missing = "Chromium"
	}
	for _, path := range []string{"static/dist/app.js", axePath} {
		if _, err := os.Stat(filepath.Join(repository, path)); err != nil {
			missing = path + ", made by `make assets`"
		}
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatal("needs " + missing)
	default:
		t.Skip("SKIPPED, needs " + missing)
	}
}
