package browsertest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// finished waits on a lookup's own page for its outcome, which comes by itself.
func (b *tab) finished(status, records string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelector('#lookup[data-status="%s"][data-records="%s"]')`, status, records))
}

// TestAnswerWithHistory reads the page of somebody with a history against what is stored, and downloads it.
func TestAnswerWithHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	id := b.request("GATA000408HTLRLLA7", "SOL-2026-0001")
	b.finished("success", "complete")
	b.until(`document.querySelector("#h-jobs") && document.querySelector("#h-profile")`)
	s.until(`profile_state = 'complete' and employment_state = 'complete' from lookups where uid = $1`, id)
	b.open("/lookups/" + id)

	b.says("h1", value[string](s, `select p.name from people p join lookups l on l.person_id = p.id where l.uid = $1`, id))
	b.says(".person__ids", "SOL-2026-0001", "IMSS")
	employers := list(s, `select r.employer from employment_records r join pulls p on p.id = r.pull_id join lookups l on l.id = p.lookup_id
		where l.uid = $1 order by r.position`, id)
	if n := b.count("table.table--jobs tbody tr"); n != len(employers) || n == 0 {
		t.Errorf("%d rows for %d records", n, len(employers))
	}
	for _, employer := range employers {
		b.says("table.table--jobs", employer)
		b.says("svg[aria-labelledby^=line]", employer)
	}
	b.says(`section[aria-labelledby="h-weeks"]`, list(s, `select e.quoted_weeks::text from employments e join pulls p on p.id = e.pull_id
		join lookups l on l.id = p.lookup_id where l.uid = $1`, id)...)
	movements := value[int](s, `select count(*)::int from employment_movements m join pulls p on p.id = m.pull_id
		join lookups l on l.id = p.lookup_id where l.uid = $1`, id)
	if n := b.count(`section[aria-labelledby="h-salary"] tbody tr`); n != movements || n == 0 {
		t.Errorf("%d rows for %d movements of the salary", n, movements)
	}
	if n := b.count("svg[role=img] .chart__job, svg[role=img] .chart__job--now"); n < len(employers) {
		t.Errorf("%d bars for %d records", n, len(employers))
	}
	b.says(`section[aria-labelledby="h-story"]`, "Enviada al proveedor", "Perfil: completo", "Empleo: completo")
	b.says(`section[aria-labelledby="h-consent"]`, "Otorgado", "Vence")
	if n := b.count(`section[aria-labelledby="h-received"] [data-delivery][data-verdict="accepted"]`); n != 2 {
		t.Errorf("%d accepted deliveries, not login.created and login.success", n)
	}
	b.do(click(".inbox__item details summary"))
	b.says(".inbox__item details[open]", "login.", `"account_id"`)
	b.printedCase(t, append(employers, b.text("h1"), "GATA••••••••••LLA7", "SOL-2026-0001", "Con resultado", "Fuente: IMSS por Palenca", id,
		value[string](s, `select encode(p.sha256, 'hex') from pulls p join lookups l on l.id = p.lookup_id where l.uid = $1 and p.kind = 'employment'`, id))...)
	if strings.Contains(b.text("main"), "GATA000408HTLRLLA7") {
		t.Error("the page shows the whole CURP without being asked")
	}

	b.fileOf(s, people[0], id)
}

// TestAnswers opens what became of the other eight people: two more have a history, an empty one is an answer, and a failure
// says what it means, who acts and what comes next.
func TestAnswers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := admin(t, s.serve())
	for _, p := range people[1:] {
		id := b.request(p.curp, "")
		b.finished(p.status, p.records)
		if p.records == "complete" {
			b.until(`document.querySelector("#case-csv")`)
			b.fileOf(s, p, id)
			continue
		}
		if p.status == "success" {
			b.says("#history", "Sin empleo registrado: es una respuesta, no una falla")
			rows := readCSV(t, b.download(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.assign('/lookups/%s/employment.csv')", id))).bytes)
			if len(rows) != 1 {
				t.Errorf("%s: the file has %d rows below the header", p.curp, len(rows)-1)
			}
			continue
		}
		b.says("#lookup", p.detail)
		if n := b.count(".ask__col"); n != 3 {
			t.Errorf("%s: %d of three explanations", p.curp, n)
		}
		for i := 1; i <= 3; i++ {
			if said := b.text(fmt.Sprintf(".ask__col:nth-child(%d) p", i)); len(said) < 15 {
				t.Errorf("%s: explanation %d is %q", p.curp, i, said)
			}
		}
		b.says(".ask", p.detail)
		if p.status == "error" {
			b.says(".ask", "Usted o un colega") // as the lists say of a fault at the source
		}
		if p.status == "incomplete" {
			b.says(".ask", "La persona.")
			b.says(`section[aria-labelledby="h-message"]`, "Buen día.")
		}
	}
}

// fileOf downloads the file of an open case and reads it against what is stored.
func (b *tab) fileOf(s *site, p person, id string) {
	b.t.Helper()
	const of = ` from employment_records r join pulls p on p.id = r.pull_id join lookups l on l.id = p.lookup_id where l.uid = $1 order by r.position`
	employers, salaries := list(s, `select r.employer`+of, id), list(s, `select r.base_salary`+of, id)
	file := b.download(click("#case-csv"))
	if strings.Contains(file.name, p.curp[:4]) || !strings.HasSuffix(file.name, ".csv") {
		b.t.Errorf("the file is called %s", file.name)
	}
	rows := readCSV(b.t, file.bytes)
	if got := column(rows, "employer"); !cmp.Equal(got, employers) || len(got) == 0 {
		b.t.Errorf("%s: employers in the file: %s", p.curp, cmp.Diff(employers, got))
	}
	if got := column(rows, "base_salary"); !cmp.Equal(got, salaries) {
		b.t.Errorf("%s: salaries are not the text received: %s", p.curp, cmp.Diff(salaries, got))
	}
	for _, got := range column(rows, "curp") {
		if got != p.curp {
			b.t.Errorf("the file of %s says CURP %s", p.curp, got)
		}
	}
}

// list reads one column of text.
func list(s *site, query string, args ...any) []string {
	s.t.Helper()
	return value[[]string](s, "select array("+query+")", args...)
}

// readCSV checks the form that docs/csv.md promises and returns the header and the rows.
func readCSV(t testing.TB, text []byte) [][]string {
	t.Helper()
	body, found := bytes.CutPrefix(text, []byte("\ufeff"))
	if !found {
		t.Error("the file has no byte order mark")
	}
	if lines := bytes.Count(body, []byte("\n")); lines == 0 || lines != bytes.Count(body, []byte("\r\n")) {
		t.Error("the lines do not all end in CRLF")
	}
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	const promised = "lookup_id,external_id,curp,nss,first_name,last_name,platform,employer,employer_registration,start_date,end_date,federal_entity,base_salary,monthly_salary,"
	if header := strings.Join(rows[0], ","); !strings.HasPrefix(header, promised) {
		t.Errorf("the header is %s", header)
	}
	return rows
}

// column is what the rows say below a name of the header.
func column(rows [][]string, name string) (values []string) {
	at := slices.Index(rows[0], name)
	for _, row := range rows[1:] {
		values = append(values, row[at])
	}
	return values
}
