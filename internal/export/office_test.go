package export

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cotejo/internal/employment"
	"cotejo/internal/profile"
	"cotejo/internal/receipt"
)

// TestSpreadsheetRunsNothing lets a real spreadsheet program open a file full of hostile names, and looks at what it
// made of it: no formula, accents and ñ intact, zeros kept in the column that docs/csv.md says to mark as text, and each cell in its column.
func TestSpreadsheetRunsNothing(t *testing.T) {
	t.Parallel()
	office := ""
	for _, name := range []string{"soffice", "libreoffice"} {
		if path, err := exec.LookPath(name); err == nil {
			office = path
			break
		}
	}
	if office == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no LibreOffice in CI: install libreoffice-calc-nogui")
		}
		t.Skip("NOT TESTED: no LibreOffice here (apt install libreoffice-calc-nogui), so no spreadsheet has opened the CSV")
	}
	l := sample()
	l.Reference = "0077"
	l.History.Records = append(l.History.Records, employment.Record{Employer: "MUÑOZ Y COMPAÑÍA"})
	l.Person = profile.Profile{FirstName: "=1+1", LastName: "GARCÍA TÉLLEZ", IDs: l.Person.IDs}
	for _, name := range []string{"=40+2", "+40+2", "-40+2", "@SUM(40;2)", " =40+2", "\t=40+2", "\r=40+2", `"=40+2"`, "\uff1d40+2", `=HYPERLINK("http://x")`} {
		l.History.Records = append(l.History.Records, employment.Record{Employer: name, BaseSalary: "1044.97"})
	}
	dir := t.TempDir()
	files := map[string][]byte{"employment": []byte(write(t, l.Rows()))}
	for kind, row := range map[receipt.Kind]func(string, int) [][]byte{
		receipt.Lookups:    func(text string, n int) [][]byte { return cells(fill[LookupRow](text, n)) },
		receipt.Deliveries: func(text string, n int) [][]byte { return cells(fill[DeliveryRow](text, n)) },
	} {
		raw := [][][]byte{row("GARCÍA TÉLLEZ", 1), row("IBÁÑEZ ÑANDÚ", 1), row("0042", 1)}
		for n, name := range hostile {
			if len(name) < 100 {
				raw = append(raw, row(name, n))
			}
		}
		var file bytes.Buffer
		if _, err := Write(&file, kind, Columns(kind), each(raw)); err != nil {
			t.Fatal(err)
		}
		files[string(kind)] = file.Bytes()
	}
	result := []BulkRow{fill[BulkRow]("GARCÍA TÉLLEZ", 1), fill[BulkRow]("IBÁÑEZ ÑANDÚ", 1), fill[BulkRow]("0042", 1)}
	for n, name := range hostile {
		if len(name) < 100 {
			result = append(result, fill[BulkRow](name, n))
		}
	}
	bulk, err := WriteBulk(result)
	if err != nil {
		t.Fatal(err)
	}
	files["bulk"] = bulk
	var paths []string
	for name, text := range files {
		paths = append(paths, filepath.Join(dir, name+".csv"))
		if err := os.WriteFile(paths[len(paths)-1], text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// Field separator 44 (comma), quote 34, character set 76 (UTF-8), from line 1, column 4 as text (4/2: nss, and in a
	// bulk's result the own reference), numbers as in en-US (1033) whatever the machine's locale; the flat format can be read as text.
	cmd := exec.CommandContext(ctx, office, append([]string{"-env:UserInstallation=file://" + filepath.Join(dir, "settings"), "--headless",
		"--infilter=CSV:44,34,76,1,4/2,1033", "--convert-to", "fods", "--outdir", dir}, paths...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, wanted := range map[string][]string{
		"employment": {"GARCÍA TÉLLEZ", "=40+2", `office:value="1044.97"`, "response_sha256", "<text:p>lookup_id</text:p>", "<text:p>MUÑOZ Y COMPAÑÍA</text:p>",
			"<text:p>02189216878</text:p>", `office:value="77"`}, // marked as text; and what becomes of zeros in a column that is not
		"lookups":    {"GARCÍA TÉLLEZ", "<text:p>IBÁÑEZ ÑANDÚ</text:p>", "=1+1", "<text:p>lookup_id</text:p>", "person_name"},
		"deliveries": {"GARCÍA TÉLLEZ", "<text:p>IBÁÑEZ ÑANDÚ</text:p>", "=1+1", "<text:p>delivery_id</text:p>", "body_sha256"},
		"bulk":       {"GARCÍA TÉLLEZ", "<text:p>IBÁÑEZ ÑANDÚ</text:p>", "=1+1", "<text:p>same_as_line</text:p>", "<text:p>0042</text:p>"},
	} {
		b, err := os.ReadFile(filepath.Join(dir, name+".fods"))
		if err != nil {
			t.Fatal(err)
		}
		sheet := string(b)
		if strings.Contains(sheet, "table:formula") {
			t.Errorf("%s: a cell became a formula", name)
		}
		for _, want := range wanted {
			if !strings.Contains(sheet, want) {
				t.Errorf("the sheet of %s lacks %q", name, want)
			}
		}
	}
}
