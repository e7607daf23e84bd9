package export

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
	"cotejo/internal/receipt"
)

const header = "lookup_id,external_id,curp,nss,first_name,last_name,platform,employer,employer_registration,start_date,end_date," +
	"federal_entity,base_salary,monthly_salary,currency,job_title,designation,modality,payment_frequency,quoted_days,quoted_weeks," +
	"discounted_weeks,reintegrated_weeks,employment_status,history_status,source_status,status_details,warning,environment,dialect," +
	"account_id,requested_at,fetched_at,response_sha256"

var someUID = uuid.MustParse("0199de73-356c-7b56-a1ef-ca91b6bdb778")

func sample() Lookup {
	zone := time.FixedZone("CST", -6*60*60)
	quoted := 214
	return Lookup{
		UID: someUID, Reference: "crédito 77", CURP: "GATA000408HTLRLLA7", Platform: lookup.IMSS, Environment: lookup.Sandbox,
		Dialect: lookup.Palenca, State: lookup.State{Status: lookup.Success, Warning: "rpci_backup_process"},
		AccountID:   "ee64a864-60a7-4a53-bbe6-e08d5d3f3f44",
		RequestedAt: time.Date(2026, 3, 1, 23, 30, 0, 999, zone), FetchedAt: time.Date(2026, 3, 2, 5, 31, 0, 0, time.UTC),
		SHA256: bytes.Repeat([]byte{0xab}, 32),
		Person: profile.Profile{FirstName: "ALEJANDRO", LastName: "GARCÍA TÉLLEZ", IDs: []profile.ID{{Name: "nss", Value: "02189216878"}}},
		History: employment.History{
			Status: "employed", Complete: "complete", Weeks: employment.Weeks{Quoted: &quoted},
			Records: []employment.Record{
				{Employer: `SERVICIOS "ALFA", S.A.`, Registration: "Y523412908", Start: time.Date(2023, 1, 15, 0, 0, 0, 0, time.UTC),
					State: "CIUDAD DE MÉXICO", BaseSalary: "1044.97", Monthly: "31787.990"},
				{Employer: "BETA", Start: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2021, 12, 31, 0, 0, 0, 0, time.UTC)},
			},
		},
	}
}

func none(func(Row, error) bool) {}

func write(t testing.TB, rows iter.Seq2[Row, error]) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := WriteEmployment(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parse reads a file back and gives one map per row.
func parse(t testing.TB, file string) []map[string]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, mark))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestGolden(t *testing.T) {
	t.Parallel()
	hash := hex.EncodeToString(bytes.Repeat([]byte{0xab}, 32))
	tail := "employed,complete,success,,rpci_backup_process,sandbox,palenca,ee64a864-60a7-4a53-bbe6-e08d5d3f3f44,2026-03-02T05:30:00Z,2026-03-02T05:31:00Z," + hash + "\r\n"
	start := someUID.String() + ",crédito 77,GATA000408HTLRLLA7,02189216878,ALEJANDRO,GARCÍA TÉLLEZ,imss,"
	want := mark + header + "\r\n" +
		start + `"SERVICIOS ""ALFA"", S.A.",Y523412908,2023-01-15,,CIUDAD DE MÉXICO,1044.97,31787.990,MXN,,,,,,214,,,` + tail +
		start + `BETA,,2020-01-01,2021-12-31,,,,,,,,,,214,,,` + tail
	if diff := cmp.Diff(want, write(t, sample().Rows())); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

func TestHeaderWithoutRows(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(mark+header+"\r\n", write(t, none)); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(header, "lookup_id,external_id,curp,nss,first_name,last_name,platform,employer,employer_registration,"+
		"start_date,end_date,federal_entity,base_salary,monthly_salary,") {
		t.Error("the start of the header, on which scripts rely, has changed")
	}
}

// The pages' tables list the columns in the order of the files; some lines describe several.
func TestEveryColumnIsDocumented(t *testing.T) {
	t.Parallel()
	section := func(page, from, to string) string {
		text, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(text), "\n## "+from+"\n")
		part, _, ended := strings.Cut(rest, "\n## "+to+"\n")
		if !found || !ended {
			t.Fatalf("%s has no section %q before %q", page, from, to)
		}
		return part
	}
	for kind, file := range map[receipt.Kind]struct {
		text    string
		columns []string
	}{
		receipt.Employment: {section("csv.md", "Employment records", "Lookups"), strings.Split(header, ",")},
		receipt.Records:    {section("csv.md", "Employment records", "Lookups"), Columns(receipt.Records)},
		receipt.Lookups:    {section("csv.md", "Lookups", "Deliveries"), Columns(receipt.Lookups)},
		receipt.Deliveries: {section("csv.md", "Deliveries", "Cells that look like formulas"), Columns(receipt.Deliveries)},
		receipt.Bulk:       {section("bulk.md", "The result", "What is kept"), shapeOf[BulkRow]().columns},
	} {
		var documented []string
		for line := range strings.Lines(file.text) {
			if cells := strings.Split(line, "|"); len(cells) > 2 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
				for _, name := range strings.Split(cells[1], ",") {
					documented = append(documented, strings.Trim(strings.TrimSpace(name), "`"))
				}
			}
		}
		if diff := cmp.Diff(file.columns, documented); diff != "" {
			t.Errorf("columns of %s (-file +page):\n%s", kind, diff)
		}
	}
}

func TestHostileNamesRoundTrip(t *testing.T) {
	t.Parallel()
	tests := []struct{ given, want string }{
		{"ACME", "ACME"}, {"", ""}, {"Ñandú & Cía", "Ñandú & Cía"}, {"3M", "3M"}, {"O'Brien", "O'Brien"}, {"a=b", "a=b"}, {"(-)", "(-)"},
		{"=1+1", "'=1+1"}, {"+52 55", "'+52 55"}, {"-", "'-"}, {"@SUM(A1)", "'@SUM(A1)"},
		{`=HYPERLINK("http://x","y")`, `'=HYPERLINK("http://x","y")`}, {`=cmd|' /C calc'!A0`, `'=cmd|' /C calc'!A0`},
		{"\t=1", "'\t=1"}, {"\tACME", "'\tACME"}, {"\rACME", "'\nACME"}, {"\nACME", "'\nACME"}, {"\r\n=1", "'\n=1"},
		{" =1", "' =1"}, {"\u00a0=1", "'\u00a0=1"}, {"\ufeff=1", "'\ufeff=1"}, {"\u200b@x", "'\u200b@x"}, {"\x00=1", "'=1"}, {"\x7f+1", "'+1"},
		{`"=1"`, `'"=1"`}, {`'=1`, `''=1`}, {`"`, `"`}, {`","=1`, `","=1`}, {`x","=1`, `x","=1`}, {"\u201c=1\u201d", "'\u201c=1\u201d"},
		{"\uff1d1", "'\uff1d1"}, {"\uff0b1", "'\uff0b1"}, {"\uff0d1", "'\uff0d1"}, {"\uff20x", "'\uff20x"},
		{"two\nlines", "two\nlines"}, {"two\r\nlines", "two\nlines"}, {"a,b;c\td", "a,b;c\td"}, {"bad \xff byte", "bad \ufffd byte"},
		{"a\x00b\x1bc", "abc"}, {`\.`, `\.`},
	}
	var rows []Row
	for _, tt := range tests {
		l := sample()
		l.History.Records = []employment.Record{{Employer: tt.given}}
		for row := range l.Rows() {
			rows = append(rows, row)
		}
	}
	file := write(t, func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	})
	if strings.Contains(strings.ReplaceAll(file, "\r\n", ""), "\n") {
		t.Error("a line end is not CRLF")
	}
	got := parse(t, file)
	if len(got) != len(tests) {
		t.Fatalf("%d rows, want %d", len(got), len(tests))
	}
	for i, tt := range tests {
		if e := got[i]["employer"]; e != tt.want {
			t.Errorf("%q: cell %q, want %q", tt.given, e, tt.want)
		}
		if got[i]["last_name"] != "GARCÍA TÉLLEZ" || got[i]["nss"] != "02189216878" {
			t.Errorf("%q moved other cells: %v", tt.given, got[i])
		}
	}
}

func TestEveryTextColumnIsGuarded(t *testing.T) {
	t.Parallel()
	const evil = "=1+1"
	l := sample()
	l.Reference, l.CURP, l.AccountID, l.Platform = evil, evil, evil, evil
	l.State = lookup.State{Status: lookup.Success, Detail: evil, Warning: evil}
	l.Person = profile.Profile{FirstName: evil, LastName: evil, IDs: []profile.ID{{Name: "nss", Value: evil}}}
	l.History.Status, l.History.Complete = evil, evil
	l.History.Records = []employment.Record{{Employer: evil, Registration: evil, State: evil, BaseSalary: evil, Monthly: evil,
		JobTitle: evil, Designation: evil, Modality: evil, PayFrequency: evil, QuotedDays: evil}}
	guarded := 0
	for name, cell := range parse(t, write(t, l.Rows()))[0] {
		if strings.HasPrefix(cell, "=") {
			t.Errorf("%s is a formula", name)
		}
		if cell == "'"+evil {
			guarded++
		}
	}
	if guarded != 21 {
		t.Errorf("%d cells guarded, want all 21", guarded)
	}
}

func TestNumbersAndDatesStayThemselves(t *testing.T) {
	t.Parallel()
	l := sample()
	minus := -3
	l.History.Weeks.Discounted = &minus
	l.History.Records = []employment.Record{{Employer: "A", BaseSalary: "-12.50", Monthly: "0.00", QuotedDays: "007",
		Start: time.Date(1985, 2, 3, 0, 0, 0, 0, time.UTC)}}
	row := parse(t, write(t, l.Rows()))[0]
	for name, want := range map[string]string{
		"base_salary": "-12.50", "monthly_salary": "0.00", "quoted_days": "007", "discounted_weeks": "-3", "reintegrated_weeks": "",
		"start_date": "1985-02-03", "end_date": "", "nss": "02189216878", "currency": "MXN",
	} {
		if row[name] != want {
			t.Errorf("%s = %q, want %q", name, row[name], want)
		}
	}
}

// counting yields n rows and reports each before it does.
func counting(n int, before func(i int)) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for i := range n {
			before(i)
			if !yield(Row{Employer: "ACME"}, nil) {
				return
			}
		}
	}
}

type limited struct {
	n    int
	fail bool
}

var errGone = errors.New("client gone")

func (l *limited) Write(p []byte) (int, error) {
	if l.fail {
		return 0, errGone
	}
	l.n += len(p)
	return len(p), nil
}

func TestStreaming(t *testing.T) {
	t.Parallel()
	var w limited
	line := len(strings.Repeat(",", strings.Count(header, ",")) + "ACME\r\n")
	n, err := WriteEmployment(&w, counting(5000, func(i int) {
		if behind := i*line - w.n; behind > batch*line {
			t.Fatalf("row %d: %d bytes are held back", i, behind)
		}
	}))
	if err != nil || n != 5000 || w.n != len(mark+header+"\r\n")+5000*line {
		t.Errorf("n = %d, %d bytes, err %v", n, w.n, err)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	broken := errors.New("database gone")
	failing := func(after int) iter.Seq2[Row, error] {
		return func(yield func(Row, error) bool) {
			for range after {
				if !yield(Row{}, nil) {
					return
				}
			}
			yield(Row{}, broken)
		}
	}
	var w limited
	if n, err := WriteEmployment(&w, failing(10)); !errors.Is(err, broken) || n != 0 || w.n != 0 {
		t.Errorf("early failure: n = %d, %d bytes written, %v", n, w.n, err)
	}
	if n, err := WriteEmployment(&w, failing(batch+10)); !errors.Is(err, broken) || n != batch || w.n == 0 {
		t.Errorf("late failure: n = %d, %d bytes written, %v", n, w.n, err)
	}
	asked := 0
	if n, err := WriteEmployment(&limited{fail: true}, counting(100*batch, func(int) { asked++ })); !errors.Is(err, errGone) || n != 0 || asked != batch {
		t.Errorf("dead client: n = %d, %d rows read for nothing, %v", n, asked, err)
	}
	if _, err := WriteEmployment(&limited{fail: true}, none); !errors.Is(err, errGone) {
		t.Errorf("dead client, no rows: %v", err)
	}
}

func FuzzNeutral(f *testing.F) {
	for _, s := range []string{"=1", " '\"=1", "\r\n", "ACME, S.A.", "\ufeff+", "a\x00b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := neutral(s)
		if active(got) && !strings.HasPrefix(got, "'") {
			t.Fatalf("%q is still active: %q", s, got)
		}
		// Taking off one apostrophe gives the original back, control characters aside.
		if back, ok := strings.CutPrefix(got, "'"); ok && active(back) {
			got = back
		}
		if want := clean(s); got != want {
			t.Fatalf("%q came back as %q", want, got)
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = true
		if err := w.Write([]string{neutral(s), "next"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		line, err := csv.NewReader(&b).Read()
		if err != nil || line[0] != neutral(s) {
			t.Fatalf("%q read back as %q: %v", neutral(s), line, err)
		}
	})
}

func BenchmarkWriteEmployment(b *testing.B) {
	for b.Loop() {
		if _, err := WriteEmployment(io.Discard, counting(10_000, func(int) {})); err != nil {
			b.Fatal(err)
		}
	}
}
