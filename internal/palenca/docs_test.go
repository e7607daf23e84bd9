package palenca

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCitationsLead checks that each anchor of docs/vendor.md that is cited in the project's sources is on that page.
func TestCitationsLead(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "vendor.md"))
	if err != nil {
		t.Fatal(err)
	}
	citation := regexp.MustCompile(`docs/vendor\.md#([a-z0-9-]+)`)
	cited := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a generator's passing file
		}
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); d.IsDir() || ext != ".go" && ext != ".templ" && ext != ".sql" {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, m := range citation.FindAllStringSubmatch(string(source), -1) {
			cited++
			if !strings.Contains(string(page), `<a id="`+m[1]+`">`) {
				t.Errorf("%s cites docs/vendor.md#%s, which is not there", path, m[1])
			}
		}
		return nil
	})
	if err != nil || cited == 0 {
		t.Fatalf("%d citations, %v", cited, err)
	}
}
