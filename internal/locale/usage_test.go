package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// sources calls visit with every Go and templ file of the project but tests.
func sources(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "node_modules" || name == "locale" || strings.HasPrefix(name, ".") && name != ".." {
				return fs.SkipDir
			}
			return nil
		}
		ending := filepath.Ext(name)
		if ending != ".go" && ending != ".templ" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		visit(path, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var (
	called  = regexp.MustCompile(`\.T\("([^"]*)"`)
	literal = regexp.MustCompile(`"([a-z]+\.[a-z0-9_]+(?:\.[a-z0-9_]+)*\.?)"`)
	file    = regexp.MustCompile(`\.(go|templ|csv|json|sql|html|js|css|svg|pdf|com|mx)$`)
)

// TestEveryUsedIDExists reads the sources: an id in a call of T, or any literal
// that begins with the name of a message file, has to be a message. An id cut
// after a dot, to be completed at run time, has to begin one.
func TestEveryUsedIDExists(t *testing.T) {
	t.Parallel()
	messages := speeches()[Languages[0]].messages
	subject := map[string]bool{}
	for _, name := range subjects(t) {
		subject[name] = true
	}
	used, audited := map[string]string{}, map[string]bool{}
	sources(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_templ.go") {
			return // its .templ file was read
		}
		for _, match := range called.FindAllStringSubmatch(string(text), -1) {
			used[match[1]] = path
		}
		for _, match := range literal.FindAllStringSubmatch(string(text), -1) {
			// The names of audited actions have the shape of ids.
			if filepath.Base(filepath.Dir(path)) == "audit" {
				audited[match[1]] = true
				continue
			}
			word, _, _ := strings.Cut(match[1], ".")
			if subject[word] && !file.MatchString(match[1]) {
				used[match[1]] = path
			}
		}
	})
	begun := func(id string) bool {
		for known := range messages {
			if strings.HasPrefix(known, id) {
				return true
			}
		}
		return false
	}
	for id, path := range used {
		open := strings.HasSuffix(id, ".") || strings.HasSuffix(id, "_")
		if messages[id] != nil || audited[id] || open && begun(id) {
			continue
		}
		t.Errorf("%s uses %q, which is in no message file", strings.TrimPrefix(path, root+"/"), id)
	}
	unused := slices.DeleteFunc(slices.Sorted(maps.Keys(messages)), func(id string) bool {
		for known := range used {
			if id == known || strings.HasPrefix(id, known) && strings.HasSuffix(known, ".") {
				return true
			}
		}
		return strings.HasPrefix(id, "format.") || strings.HasPrefix(id, "details.") // used by this package
	})
	t.Logf("%d of %d ids are not used: %s", len(unused), len(messages), strings.Join(unused, " "))
}

// TestEveryBlankIsFilled reads the calls of T whose pairs are all literal names
// and holds them against the blanks of the message.
func TestEveryBlankIsFilled(t *testing.T) {
	t.Parallel()
	sources(t, func(path string, text []byte) {
		if filepath.Ext(path) != ".go" {
			return // generated Go says the same in a form that can be parsed
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Logf("not read: %v", err)
			return
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				for _, flaw := range callFlaws(call) {
					t.Errorf("%s: %s", strings.TrimPrefix(path, root+"/"), flaw)
				}
			}
			return true
		})
	})
}

// callFlaws compares one call p.T("id", "Name", value, …) with its message.
func callFlaws(call *ast.CallExpr) []string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "T" || len(call.Args) == 0 || call.Ellipsis.IsValid() {
		return nil
	}
	id, ok := text(call.Args[0])
	message := speeches()[Languages[0]].messages[id]
	if !ok || message == nil {
		return nil
	}
	var flaws, given []string
	for i := 1; i < len(call.Args); i += 2 {
		name, ok := text(call.Args[i])
		if !ok {
			return nil
		}
		given = append(given, name)
	}
	if len(call.Args)%2 == 0 {
		flaws = append(flaws, id+": a name without a value")
	}
	for _, name := range blanks(message) {
		if !slices.Contains(given, name) {
			flaws = append(flaws, id+": no value for "+name)
		}
	}
	if message.One != "" && !slices.Contains(given, "Count") {
		flaws = append(flaws, id+": no Count for a plural")
	}
	return flaws
}

// text is the value of a string literal.
func text(expr ast.Expr) (string, bool) {
	basic, ok := expr.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(basic.Value)
	return value, err == nil
}

func TestCallFlaws(t *testing.T) {
	t.Parallel()
	tests := map[string]int{
		`p.T("format.month.m1")`:              0,
		`p.T("format.percent", "Value", "7")`: 0,
		`p.T("format.percent")`:               1,
		`p.T("format.percent", "Value")`:      1,
		`p.T("format.percent", "Other", 1)`:   1,
		`p.T("format.tenure.days")`:           2, // a blank and a plural
		`p.T("format.percent", pairs...)`:     0,
		`p.T("format.percent", name, 1)`:      0,
		`p.T(id)`:                             0,
		`p.Has("format.percent")`:             0,
	}
	for source, want := range tests {
		expr, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := callFlaws(expr.(*ast.CallExpr)); len(got) != want {
			t.Errorf("%s: flaws %q, want %d", source, got, want)
		}
	}
}
