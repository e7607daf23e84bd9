package handlers_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/handlers"
	"cotejo/internal/auth"
	"cotejo/static"
	"cotejo/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden file is the product's table of contents as a reviewer reads it: a change of who may do what shows there.
func TestRoutesGolden(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	fmt.Fprintf(&table, "%-40s %-16s", "route", "access")
	for _, role := range auth.Roles {
		fmt.Fprintf(&table, " %-13s", role)
	}
	table.WriteString("\n")
	assets, err := web.NewAssets(static.Dist())
	if err != nil {
		t.Fatal(err)
	}
	console := handlers.New(handlers.Options{Assets: assets})
	list := func(routes []handlers.Route) {
		for _, route := range routes {
			fmt.Fprintf(&table, "%-40s %-16s", route.Pattern, route.Access)
			for _, role := range auth.Roles {
				word := "-"
				if route.Access == handlers.Open || role.May(route.Access) {
					word = "yes"
				}
				fmt.Fprintf(&table, " %-13s", word)
			}
			table.WriteString("\n")
		}
	}
	list(console.Routes())
	table.WriteString("\nwith COTEJO_DEV=1 only\n")
	list(console.DevRoutes())
	path := filepath.Join("testdata", "routes.golden")
	got := strings.ReplaceAll(table.String(), " \n", "\n")
	for strings.Contains(got, " \n") {
		got = strings.ReplaceAll(got, " \n", "\n")
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the routes changed; run go test ./handlers -run Golden -update (-want +got):\n%s", diff)
	}
}

// request turns a pattern into a request that names nothing that exists.
func request(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.ReplaceAll(path, "{$}", "")
	return method, regexp.MustCompile(`\{(id|other|secret)\}`).ReplaceAllStringFunc(path, func(string) string { return uuid.NewString() })
}

func TestStrangersGetNothing(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.stranger()
	for _, route := range c.Routes() {
		if route.Access == handlers.Open {
			continue
		}
		method, path := request(route.Pattern)
		r := b.do(method, path, nil)
		switch {
		case route.Stream:
			r.want(http.StatusUnauthorized)
		case method == http.MethodGet && path != "/":
			r.to("/login?next=" + strings.ReplaceAll(path, "/", "%2F"))
		default:
			r.to("/login")
		}
		b.do(method, path, nil, "HX-Request", "true").want(http.StatusUnauthorized)
		if b.cookie() != "" {
			t.Fatalf("%s gave a stranger a session", route.Pattern)
		}
	}
}

// What the table says is what happens, for each role and route, over HTTP.
func TestEachRoleGetsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.add("spare@example.mx", auth.Administrator)
	for _, role := range auth.Roles {
		b := c.as(role)
		for _, route := range c.Routes() {
			if route.Access == handlers.Open || route.Stream {
				continue
			}
			method, path := request(route.Pattern)
			r := b.do(method, path, strings.NewReader("field=curp"), "Content-Type", "application/x-www-form-urlencoded")
			if allowed := r.status != http.StatusForbidden; allowed != role.May(route.Access) {
				t.Errorf("%s as %s: status %d, want allowed=%v", route.Pattern, role, r.status, !allowed)
			}
			if r.status >= 500 || r.status == http.StatusUnauthorized {
				t.Errorf("%s as %s: status %d\n%s", route.Pattern, role, r.status, shorten(r.body))
			}
			if strings.Contains(path, "-") && role.May(route.Access) && r.status != http.StatusNotFound {
				t.Errorf("%s as %s: an unknown id gives %d, want 404", route.Pattern, role, r.status)
			}
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	c := open(t)
	b := c.as(auth.Analyst)
	b.get("/nothing").want(http.StatusNotFound).has("404").count("[data-status-code]", 1)
	b.get("/lookups/not-a-uuid").want(http.StatusNotFound)
	b.get("/deliveries/%00").want(http.StatusNotFound)
	r := b.do(http.MethodDelete, "/lookups", nil).want(http.StatusMethodNotAllowed)
	if allow := r.header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow is %q", allow)
	}
}
