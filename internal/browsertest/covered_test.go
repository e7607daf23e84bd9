package browsertest

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// looked is which addresses axe-core met with a page of their own, over all tests.
var looked = addresses{met: map[string]bool{}}

type addresses struct {
	sync.Mutex
	met map[string]bool // method and path
}

// note takes down what was met. A page about what is missing or forbidden is not that of its address.
func (a *addresses) note(method, path string, status int64) {
	a.Lock()
	defer a.Unlock()
	if status != http.StatusNotFound && status != http.StatusForbidden {
		a.met[method+" "+path] = true
	}
}

// answering are the POSTs whose answer is a page with parts that no GET shows: what is shown once, was refused, or found out.
var answering = []string{
	"POST /login", "POST /account/password", "POST /users", "POST /lookups", "POST /lookups/{id}/reveal", "POST /bulk/{id}/send", "POST /exports",
	"POST /exports/check", "POST /deliveries", "POST /subscriptions", "POST /subscriptions/{id}/address", "POST /subscriptions/{id}/secrets",
	"POST /bench", "POST /connection", "POST /connection/test",
}

// files are the GETs that answer no page; streams are recognised by their name.
var files = []string{
	"GET /lookups/{id}/employment.csv", "GET /lookups/{id}/report.pdf", "GET /pulls/{id}/body", "GET /documents/{id}", "GET /bulk/{id}/result.csv",
	"GET /exports/{id}/file", "GET /deliveries/{id}/body",
}

// routes are the addresses of the console's table, as patterns.
func routes() (patterns []string, err error) {
	table, err := os.ReadFile(filepath.Join(repository, "handlers", "testdata", "routes.golden"))
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 1 && (f[0] == http.MethodGet || f[0] == http.MethodPost) {
			patterns = append(patterns, f[0]+" "+f[1])
		}
	}
	return patterns, err
}

// What of an answer no GET shows, no table can tell, so those addresses are listed by hand. One that is renamed in the table has to
// be here as well, or nothing would ask for its page any more.
func TestListedAddressesAreRoutes(t *testing.T) {
	t.Parallel()
	table, err := routes()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range slices.Concat(answering, files) {
		if !slices.Contains(table, pattern) {
			t.Errorf("%s is no route", pattern)
		}
	}
}

// unseen lists the pages of the console's table of routes that no test looked at. Only a run of everything can tell.
func unseen() ([]string, error) {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return nil, nil
		}
	}
	if len(looked.met) == 0 { // no browser; needs says so
		return nil, nil
	}
	table, err := routes()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	var pages []string
	for _, pattern := range table {
		mux.HandleFunc(pattern, http.NotFound)
		page := strings.HasPrefix(pattern, http.MethodGet) && !strings.HasSuffix(pattern, "/live") && !slices.Contains(files, pattern)
		if page || slices.Contains(answering, pattern) {
			pages = append(pages, pattern)
		}
	}
	seen := map[string]bool{}
	for address := range looked.met {
		method, path, _ := strings.Cut(address, " ")
		r, err := http.NewRequest(method, path, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		_, pattern := mux.Handler(r)
		seen[pattern] = true
	}
	return slices.DeleteFunc(pages, func(pattern string) bool { return seen[pattern] }), nil
}
