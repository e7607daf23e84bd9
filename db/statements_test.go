package db_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cotejo/db"
)

var (
	named     = regexp.MustCompile(`^-- name: [a-z][a-z -]*\n`)
	statement = regexp.MustCompile(`(?i)^(select|insert|update|delete|with|lock table|truncate|create|drop|alter)\s`)
	star      = regexp.MustCompile(`(?i)select\s+([a-z]+\.)?\*|,\s*[a-z]+\.\*|returning\s+\*`)
	offset    = regexp.MustCompile(`(?i)\boffset\b`)
)

// sources gives every Go file of this package that is no test, parsed.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(fset, name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return fset, files
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// first is the leftmost operand of a concatenation.
func first(e ast.Expr) ast.Expr {
	for {
		b, ok := e.(*ast.BinaryExpr)
		if !ok {
			return e
		}
		e = b.X
	}
}

// Metrics, logs and pg_stat_statements tell statements apart by their names: each has one, and one of its own.
func TestStatementsAreNamed(t *testing.T) {
	t.Parallel()
	fset, files := sources(t)
	texts := map[string]string{}
	var found int
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				s, ok := text(e)
				if !ok {
					return true
				}
				at := fset.Position(e.Pos())
				if statement.MatchString(s) {
					t.Errorf("%s: a statement without a name: %.60q", at, s)
				}
				if star.MatchString(s) || offset.MatchString(s) {
					t.Errorf("%s: spells no columns out, or pages by offset: %.60q", at, s)
				}
				if name := named.FindString(s); name != "" {
					found++
					if before, twice := texts[name]; twice && before != s {
						t.Errorf("%s: the name of another statement: %q", at, name)
					}
					texts[name] = s
				}
			}
			// What is run begins with a literal that names it, or is a constant or variable whose literal was seen above.
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) >= 2 {
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if ok && (sel.Sel.Name == "Exec" || sel.Sel.Name == "Query" || sel.Sel.Name == "QueryRow") {
					if s, ok := text(first(call.Args[1])); ok && !named.MatchString(s) {
						t.Errorf("%s: a statement without a name: %.60q", fset.Position(call.Pos()), s)
					}
				}
			}
			return true
		})
	}
	if found < 80 {
		t.Errorf("only %d statements were found: does this test still see them?", found)
	}
}

func TestTraceTellsNames(t *testing.T) {
	t.Parallel()
	_, url := open(t)
	type told struct {
		name string
		bad  bool
	}
	var list []told
	d, err := db.Open(t.Context(), url, func(name string, took time.Duration, err error) {
		if took < 0 {
			t.Errorf("%s took %v", name, took)
		}
		list = append(list, told{name, err != nil})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if _, err := d.Console(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Pool().Exec(t.Context(), "-- name: wrong\nselect 1/0"); err == nil {
		t.Fatal("1/0 was computed")
	}
	if _, err := d.Pool().Exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeToken(t.Context(), 0); !errors.Is(err, db.ErrNotFound) {
		t.Fatal(err)
	}
	want := []told{{"console", false}, {"wrong", true}, {"other", false}, {"lock bucket", false}, {"take token", false}}
	if !slices.Equal(list, want) {
		t.Errorf("told of %v, want %v", list, want)
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	t.Parallel()
	if _, err := db.Open(t.Context(), "postgres://user:very-secret@host:port/db", nil); err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("Open = %v, want an error without the password", err)
	}
}

func TestDown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, refusal := b.Pool().Exec(b.ctx, `update users set role = 'root'`)
	if refusal == nil || db.Down(refusal) || db.Down(errors.New("x")) || db.Down(nil) || db.Down(db.ErrNotFound) {
		t.Errorf("a refused statement (%v) or another error counts as a database that is down", refusal)
	}
	gone := connect(t, "postgres://cotejo@127.0.0.1:1/none?connect_timeout=2")
	if _, err := gone.Console(b.ctx); !db.Down(err) {
		t.Errorf("nobody listens: %v does not count as down", err)
	}
	other := connect(t, b.url)
	other.Close()
	if _, err := other.Console(b.ctx); !db.Down(err) {
		t.Errorf("a closed pool: %v does not count as down", err)
	}
	// The server ends our connection, as on a restart.
	if _, err := b.Pool().Exec(b.ctx, `select pg_terminate_backend(pg_backend_pid())`); !db.Down(err) {
		t.Errorf("a connection ended by the server: %v does not count as down", err)
	}
}
