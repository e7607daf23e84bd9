package bench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/lookup"
)

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var hundred samples
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	for p, want := range map[int]float64{1: 1, 50: 50, 99: 99, 100: 100} {
		if got := hundred.percentile(p); got != want {
			t.Errorf("p%d is %v", p, got)
		}
	}
	for _, test := range []struct {
		of   samples
		want float64
	}{{nil, 0}, {samples{3}, 3}, {samples{9, 1}, 5}, {samples{9, 1, 2}, 2}} {
		if got := test.of.median(); got != test.want {
			t.Errorf("median of %v is %v", test.of, got)
		}
	}
	if (samples{}).percentile(99) != 0 || (samples{7}).percentile(50) != 7 {
		t.Error("a percentile of none or one")
	}
	if hundred[0] != 100 {
		t.Error("the measurements were put in another order")
	}
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0.123: "0.12", 12.34: "12.3", 123.4: "123", 1234.5: "1,235", 1234567: "1,234,567", 0: "0.00"} {
		if got := amount(v); got != want {
			t.Errorf("%v reads %s, want %s", v, got, want)
		}
	}
	if got := millis(1500 * time.Microsecond); got != 1.5 {
		t.Errorf("1.5 ms reads %v", got)
	}
}

func TestBodiesDiffer(t *testing.T) {
	t.Parallel()
	a := account{ID: "a", Attempt: "b", User: "c"}
	if a.body("x", "y", 1) == a.body("x", "y", 2) {
		t.Error("two bodies have the same bytes and would count as one delivery")
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := newReport(Options{Version: "v9"})
	r.add(Figure{What: "Thing", Value: 50, Unit: "/s", Limit: 200, LimitIs: "the wall"})
	r.add(Figure{What: "Other", Value: 7, Unit: "ms"})
	r.Pages = []PageTime{{What: "Page", Small: samples{2, 2}, Large: samples{3, 3}}}
	r.Sweeps = []Sweep{{What: "Lists", Small: samples{1, 1, 1}, Large: samples{60, 9, 1}, Questions: []string{"more there", "as many", "alike"}, Alike: []bool{false, true, true},
		Slower: []PageTime{{What: "more there", Small: samples{5}, Large: samples{9}}, {What: "as many", Small: samples{2}, Large: samples{5}}}}}
	r.Seeds = []Seeded{{Lookups: 10, Deliveries: 50, Took: time.Second}}
	r.finish()
	var text strings.Builder
	r.Markdown(&text)
	for _, want := range []string{"version v9", "| Thing | 50.0 /s | 200 /s, the wall | 0.25 |", "| Other | 7.00 ms |  |  |",
		"| Page | 2.00 | 2.00 | 3.00 | 3.00 | 1.50 |",
		"| Lists | 3 | 9.00 | 60.0 | 50 | 1 | more there |", "| Lists | 1.00 | 9.00 | 2 | 2 | 2 | 1 | 1 | 9.0: as many, 9.00 ms |", "| Lists | 2 | 3.50 | 7.00 | 2 | 1 | 2.50: as many, 5.00 ms |", "Loading 10 invented lookups with 50 deliveries took 1s."} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("nothing to fill in"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteInto(path); err == nil {
		t.Error("figures went into a document without a place for them")
	}
}

// What is asked of package db has the page's own address, where one spells it.
func TestAddresses(t *testing.T) {
	t.Parallel()
	paths := map[string]string{}
	k := known{Analysts: []uuid.UUID{{1}}, Lookups: lookup.Cursor{At: time.UnixMicro(1), ID: 2}, Account: "a 1"}
	for _, q := range slices.Concat(lookupQuestions(nil, k), deliveryQuestions(nil, k)) {
		paths[q.what] = q.path
	}
	for what, want := range map[string]string{"status error and overdue true": "/lookups?overdue=1&status=error", "analyst 1": "/lookups?analyst=01000000-0000-0000-0000-000000000000",
		"source bulk, 22 months back": "/lookups?after=AAAAAAAAAAEAAAAAAAAAAg&source=bulk", "event login.error and account a 1": "/deliveries?account=a+1&action=login.error",
		"state failing and answered 200": "", "answered 200": "/deliveries?status=200"} {
		if got, there := paths[what]; !there || got != want {
			t.Errorf("%s is at %q (%v), want %q", what, got, there, want)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "os")
	if err := os.WriteFile(path, []byte("ID=x\nPRETTY_NAME=\"A System\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lineOf(path, "PRETTY_NAME", "="); got != "A System" {
		t.Errorf("read %q", got)
	}
	if lineOf(path, "none", "=") != "not known" || lineOf(path+"x", "ID", "=") != "not known" {
		t.Error("what is not there was read")
	}
}
