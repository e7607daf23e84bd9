package browsertest

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cotejo/internal/receipt"
)

// TestExportStory takes a filtered list out, finds its receipt, and has the file checked: as it left, altered, and by its
// hash alone.
func TestExportStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	for _, p := range []person{people[0], people[5]} {
		b.request(p.curp, "SOL-"+p.curp[:4])
	}
	s.until(settled)
	chosen := value[int](s, `select count(*) from lookups where status = 'success'`)

	b.open("/lookups?status=success")
	b.leads(click("#export-these"))
	b.says("#export-count", "Con resultado")
	if n := ask[string](b, `document.querySelector("#export-count").dataset.items`); n != fmt.Sprint(chosen) {
		t.Errorf("the form counts %s lookups, the list has %d", n, chosen)
	}
	b.look("export form", b.address(), 200)
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "Revisión de cartera de noviembre"))
	f := b.download(click("#export-form .btn--primary"))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(f.bytes), "\xef\xbb\xbf"))).ReadAll()
	if err != nil || len(rows) != chosen+1 || strings.Contains(f.name, people[0].curp) {
		t.Fatalf("%s has %d rows for %d lookups, %v", f.name, len(rows)-1, chosen, err)
	}
	id := value[string](s, `select uid::text from receipts where reason = 'Revisión de cartera de noviembre'`)
	if !strings.HasSuffix(f.name, id+".csv") {
		t.Errorf("the file is called %s, its receipt %s", f.name, id)
	}
	b.open("/exports")
	b.says(`[data-receipt="`+id+`"]`, "Con resultado")
	b.look("exports", "/exports", 200)
	exportsMade(s, b)
	b.open("/exports")
	b.leads(click(`[data-receipt="` + id + `"] a`))
	b.says("#export", "Revisión de cartera de noviembre")

	b.checks(f.name, f.bytes, "same")
	altered := append([]byte(nil), f.bytes...)
	altered[len(altered)-3] ^= 1
	b.shown("check of a file, altered", 200, func() int64 {
		b.checks(f.name, altered, "altered")
		return 200
	})
	b.checks("nomina.csv", altered, "unknown")
	b.open("/exports/check")
	b.do(fill("#sha256", value[string](s, `select encode(sha256, 'hex') from receipts where uid = $1`, id)))
	b.leads(click("#check-form .btn--primary"))
	b.says("#check-result", "sin cambios")
	b.look("receipt", "/exports/"+id, 200)
}

// TestLongExportStory asks for the records of a list of thousands, follows their file while it is made, takes it out, and has it
// checked against its receipt.
func TestLongExportStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	s.seed(3000)
	b.open("/lookups?status=success")
	b.leads(click("#export-these"))
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "traspaso de cartera"), chromedp.SendKeys(chromedp.CSS("#password"), adminPassword))
	b.leads(click(`#export-form input[value="records"]`), click("#export-form .btn--primary"))
	id, found := strings.CutPrefix(b.path(), "/exports/")
	if !found {
		t.Fatalf("a file of thousands led to %s", b.path())
	}
	b.until(`document.querySelector("#export[data-state=ready] #export-file")`)
	f := b.download(click("#export-file"))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(f.bytes), "\xef\xbb\xbf"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	stored := value[int](s, `select count(*) from employment_records r join pulls p on p.id = r.pull_id
		join lookups l on l.id = p.lookup_id where l.status = 'success'`)
	if len(rows)-1 != stored || stored <= receipt.AtOnce || len(rows)-1 != value[int](s, `select rows from receipts where uid = $1`, id) {
		t.Errorf("the file has %d rows for %d records", len(rows)-1, stored)
	}
	b.checks(f.name, f.bytes, "same")
	b.look("export ready", "/exports/"+id, 200)
}

// checks has a file checked, and expects a verdict.
func (b *tab) checks(name string, bytes []byte, verdict string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.open("/exports/check")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}))
	b.leads(click("#check-form .btn--primary"))
	if got := ask[string](b, `document.querySelector("#check-result").dataset.verdict`); got != verdict {
		b.t.Errorf("%s: the verdict is %q, want %q", name, got, verdict)
	}
}

// exportsMade looks at an export that is made in the background.
func exportsMade(s *site, b *tab) {
	s.change(`insert into exports (environment, kind, criteria, zone, people, asked_by, asked_name, state, goal, done, rows)
		select 'sandbox', 'lookups', 'x', 'UTC', 0, id, name, 'making', 50000, 20000, 20000 from users order by id limit 1`)
	path := "/exports/" + value[string](s, "select uid::text from exports")
	b.look("export under way", path, 200)
	s.change(`delete from exports`)
}
