package bulk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"

	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
)

// Two of the vendor's published test people (docs/vendor.md#sandbox).
const (
	alejandro = "GATA000408HTLRLLA7"
	eduardo   = "LALE870908HDFRPD02"
)

var today = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)

// read judges a file as it looks, for IMSS, and puts each row into a line of text.
func read(t *testing.T, file []byte) (sheet *bulk.Sheet, layout bulk.Layout, lines []string) {
	t.Helper()
	sheet, err := bulk.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	layout = sheet.Guess()
	rows, err := sheet.Judge(layout, lookup.IMSS, today)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%d %s %s %s", r.Line, r.Identifier, r.Reference, r.Verdict)))
	}
	return sheet, layout, lines
}

func western(s string) []byte {
	b, err := charmap.Windows1252.NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic(err)
	}
	return b
}

func TestRead(t *testing.T) {
	t.Parallel()
	both := []string{"2 " + alejandro + " Ñandú 1 send", "3 " + eduardo + " € 2 send"}
	plain := "curp,referencia\n" + alejandro + ",Ñandú 1\n" + eduardo + ",€ 2\n"
	with := func(sign string) string { return strings.ReplaceAll(plain, ",", sign) }
	tests := map[string]struct {
		file      []byte
		encoding  bulk.Encoding
		delimiter bulk.Delimiter
		want      []string
	}{
		"comma":                        {[]byte(plain), bulk.UTF8, bulk.Comma, both},
		"semicolon":                    {[]byte(with(";")), bulk.UTF8, bulk.Semicolon, both},
		"tab":                          {[]byte(with("\t")), bulk.UTF8, bulk.Tab, both},
		"bar":                          {[]byte(with("|")), bulk.UTF8, bulk.Pipe, both},
		"byte order mark":              {[]byte("\xef\xbb\xbf" + plain), bulk.UTF8BOM, bulk.Comma, both},
		"Windows-1252":                 {western(plain), bulk.Western, bulk.Comma, both},
		"Windows, semicolon":           {western(with(";")), bulk.Western, bulk.Semicolon, both},
		"CRLF":                         {[]byte(strings.ReplaceAll(plain, "\n", "\r\n")), bulk.UTF8, bulk.Comma, both},
		"CR":                           {[]byte(strings.ReplaceAll(plain, "\n", "\r")), bulk.UTF8, bulk.Comma, both},
		"no last line end":             {[]byte(strings.TrimSpace(plain)), bulk.UTF8, bulk.Comma, both},
		"quoted":                       {[]byte("\"curp\",\"referencia\"\n\"" + alejandro + "\",\"a;b,c\"\n"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " a;b,c send"}},
		"separator named":              {[]byte("sep=;\r\n" + with(";")), bulk.UTF8, bulk.Semicolon, []string{"3 " + alejandro + " Ñandú 1 send", "4 " + eduardo + " € 2 send"}},
		"blank lines":                  {[]byte("\n\ncurp,ref\n,,\n" + alejandro + ",x\n\n ,\t\n"), bulk.UTF8, bulk.Comma, []string{"5 " + alejandro + " x send"}},
		"one column":                   {[]byte("CURP\n" + alejandro + "\n" + eduardo), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + "  send", "3 " + eduardo + "  send"}},
		"no header":                    {[]byte(alejandro + "\n" + eduardo), bulk.UTF8, bulk.Comma, []string{"1 " + alejandro + "  send", "2 " + eduardo + "  send"}},
		"one misspelled":               {[]byte("GATA0004O8HTLRLLA7"), bulk.UTF8, bulk.Comma, []string{"1 GATA0004O8HTLRLLA7  invalid"}},
		"commas in cells":              {[]byte(alejandro + ";García, Ana\n" + eduardo + ";Ruiz, Eva\n"), bulk.UTF8, bulk.Semicolon, []string{"1 " + alejandro + "  send", "2 " + eduardo + "  send"}},
		"and in its header":            {[]byte("CURP;Apellidos, nombre;Folio\n" + alejandro + ";García, Ana;F-1\n" + eduardo + ";Ruiz, Eva\n"), bulk.UTF8, bulk.Semicolon, []string{"2 " + alejandro + " F-1 send", "3 " + eduardo + "  send"}},
		"semicolons in them":           {[]byte(alejandro + ",calle 1; casa 2\n" + eduardo + ",calle 3; casa 4\n"), bulk.UTF8, bulk.Comma, []string{"1 " + alejandro + "  send", "2 " + eduardo + "  send"}},
		"and in the names":             {[]byte("folio,curp;clave,domicilio\nF-1," + alejandro + ",calle 1; casa 2\nF-2," + eduardo + ",calle 3; casa 4\n"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " F-1 send", "3 " + eduardo + " F-2 send"}},
		"more of them":                 {[]byte("curp,ref\n" + alejandro + ",a;b\n" + eduardo + "\nnadie,c;d\n"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " a;b send", "3 " + eduardo + "  send", "4 NADIE c;d invalid"}},
		"tab, with commas":             {[]byte("García, Ana\t" + alejandro + "\nRuiz, Eva\t" + eduardo + "\n"), bulk.UTF8, bulk.Tab, []string{"1 " + alejandro + "  send", "2 " + eduardo + "  send"}},
		"bar, with both":               {[]byte("curp|nombre\n" + alejandro + "|García, Ana; México\n" + eduardo + "|Ruiz, Eva; Puebla\n"), bulk.UTF8, bulk.Pipe, []string{"2 " + alejandro + "  send", "3 " + eduardo + "  send"}},
		"RFCs":                         {[]byte("GODE561231GR8;García, Ana\n"), bulk.UTF8, bulk.Semicolon, []string{"1 GODE561231GR8  invalid"}},
		"spaced, quoted":               {[]byte("\"gata-000408 htlrlla7\";García, Ana\n='" + eduardo + "';Ruiz, Eva\n"), bulk.UTF8, bulk.Semicolon, []string{"1 " + alejandro + "  send", "2 ='" + eduardo + "'  invalid"}},
		"nobody":                       {[]byte("a,b;c\nd,e\nf,g\n"), bulk.UTF8, bulk.Comma, []string{"2 D  invalid", "3 F  invalid"}},
		"separator named, no such one": {[]byte("sep=^\n" + alejandro + ";García, Ana\n"), bulk.UTF8, bulk.Semicolon, []string{"2 " + alejandro + "  send"}},
		"other names":                  {[]byte("Nombre;CURP del cliente;Clave Única;No. de Crédito\nx;y;" + alejandro + ";C-1"), bulk.UTF8, bulk.Semicolon, []string{"2 " + alejandro + " C-1 send"}},
		"unknown names":                {[]byte("Nombre;Documento\nx;" + alejandro), bulk.UTF8, bulk.Semicolon, []string{"2 " + alejandro + "  send"}},
		"ragged":                       {[]byte("curp,ref\n" + alejandro + "\n" + eduardo + ",b,c,d\n"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + "  send", "3 " + eduardo + " b send"}},
		"spaces and hyphens":           {[]byte("curp,ref\n gata-000408 htlrlla7 , a \n"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " a send"}},
		"spreadsheet text":             {[]byte("curp;ref\n=\"" + alejandro + "\";'007\n'" + eduardo + ";=1+1"), bulk.UTF8, bulk.Semicolon, []string{"2 " + alejandro + " 007 send", "3 " + eduardo + " =1+1 send"}},
		"a mark in a cell":             {[]byte("curp,ref\n" + alejandro + ",tubo 5\" largo\n" + eduardo + ",b"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " tubo 5\" largo send", "3 " + eduardo + " b send"}},
		"a line end quoted":            {[]byte("curp,ref\n" + alejandro + ",\"a\nb\"\n" + eduardo + ",c"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " a b send", "4 " + eduardo + " c send"}},
		"markup":                       {[]byte("curp,ref\n<script>alert(1)</script>,\u202e<b>\n"), bulk.UTF8, bulk.Comma, []string{"2 <SCRIPT>ALERT(1)</SCRIPT> <b> invalid"}},
		"controls":                     {[]byte("curp,ref\n" + alejandro + ",a\x1b[31m\x07b\n"), bulk.UTF8, bulk.Comma, []string{"2 " + alejandro + " a [31m b send"}},
		"very long":                    {[]byte("curp,ref\n" + strings.Repeat("Ñ", 5000) + ",x\n"), bulk.UTF8, bulk.Comma, []string{"2 " + strings.Repeat("Ñ", 40) + " x invalid"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sheet, _, lines := read(t, tt.file)
			if sheet.Encoding != tt.encoding || sheet.Delimiter != tt.delimiter {
				t.Errorf("read as %s and %s", sheet.Encoding, sheet.Delimiter)
			}
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// What a person says of a file wins over what it looks like, and over what it says of itself.
func TestReadAs(t *testing.T) {
	t.Parallel()
	plain := "curp,ref\n" + alejandro + ",Ñandú\n"
	for name, tt := range map[string]struct {
		file []byte
		as   bulk.Spelling
		got  bulk.Spelling
		want string // the row's cells under the layout that is guessed
	}{
		"as it looks":           {[]byte(plain), bulk.Spelling{}, bulk.Spelling{Encoding: bulk.UTF8, Delimiter: bulk.Comma}, alejandro + " Ñandú"},
		"another delimiter":     {[]byte(plain), bulk.Spelling{Delimiter: bulk.Pipe}, bulk.Spelling{Encoding: bulk.UTF8, Delimiter: bulk.Pipe}, alejandro + ",ÑANDÚ "},
		"over its own word":     {[]byte("sep=;\n" + plain), bulk.Spelling{Delimiter: bulk.Comma}, bulk.Spelling{Encoding: bulk.UTF8, Delimiter: bulk.Comma}, alejandro + " Ñandú"},
		"UTF-8 as Windows-1252": {[]byte(plain), bulk.Spelling{Encoding: bulk.Western}, bulk.Spelling{Encoding: bulk.Western, Delimiter: bulk.Comma}, alejandro + " Ã‘andÃº"},
		"Windows-1252 as UTF-8": {western(plain), bulk.Spelling{Encoding: bulk.UTF8}, bulk.Spelling{Encoding: bulk.UTF8, Delimiter: bulk.Comma}, alejandro + " \ufffdand\ufffd"},
		"with a mark":           {[]byte("\xef\xbb\xbf" + plain), bulk.Spelling{Encoding: bulk.UTF8}, bulk.Spelling{Encoding: bulk.UTF8BOM, Delimiter: bulk.Comma}, alejandro + " Ñandú"},
		"a mark and a bad byte": {append([]byte("\xef\xbb\xbf"), western(plain)...), bulk.Spelling{}, bulk.Spelling{Encoding: bulk.Western, Delimiter: bulk.Comma}, alejandro + " Ñandú"},
	} {
		sheet, err := bulk.ReadAs(tt.file, tt.as)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.got, sheet.Spelling); diff != "" {
			t.Errorf("%s: spelling (-want +got):\n%s", name, diff)
		}
		rows, err := sheet.Judge(sheet.Guess(), lookup.IMSS, today)
		if err != nil || len(rows) != 1 || rows[0].Identifier+" "+rows[0].Reference != tt.want {
			t.Errorf("%s: %+v, %v", name, rows, err)
		}
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(alejandro+"\n", bulk.MaxRows)
	for name, tt := range map[string]struct {
		file string
		want bulk.Fault
	}{
		"nothing":        {"", bulk.Fault{Code: bulk.FaultEmpty}},
		"blank":          {" \r\n\t\n", bulk.Fault{Code: bulk.FaultEmpty}},
		"separators":     {",,,\n,,,\n", bulk.Fault{Code: bulk.FaultEmpty}},
		"header only":    {"curp,referencia\n", bulk.Fault{Code: bulk.FaultEmpty}},
		"too large":      {strings.Repeat("x", bulk.MaxBytes+1), bulk.Fault{Code: bulk.FaultBytes}},
		"too many":       {many + eduardo, bulk.Fault{Code: bulk.FaultRows}},
		"a workbook":     {"PK\x03\x04rest", bulk.Fault{Code: bulk.FaultWorkbook}},
		"an old one":     {"\xd0\xcf\x11\xe0rest", bulk.Fault{Code: bulk.FaultWorkbook}},
		"UTF-16":         {"\xff\xfec\x00u\x00r\x00p\x00", bulk.Fault{Code: bulk.FaultBinary}},
		"open quotes":    {"curp,ref\n" + alejandro + ",\"a\n" + eduardo + ",b\n", bulk.Fault{Code: bulk.FaultQuotes, Line: 2}},
		"later":          {"sep=,\ncurp,ref\n" + eduardo + ",5\" x\n" + alejandro + ",\"a\n" + eduardo + ",b\n", bulk.Fault{Code: bulk.FaultQuotes, Line: 4}},
		"many columns":   {"curp\n" + strings.Repeat(",", bulk.MaxColumns) + "x\n", bulk.Fault{Code: bulk.FaultColumns, Line: 2}},
		"one row beyond": {"curp\n" + many + eduardo, bulk.Fault{Code: bulk.FaultRows}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sheet, err := bulk.Read([]byte(tt.file))
			if err == nil {
				_, err = sheet.Judge(sheet.Guess(), lookup.IMSS, today)
			}
			var fault *bulk.Fault
			if !errors.As(err, &fault) {
				t.Fatalf("gave %v", err)
			}
			if diff := cmp.Diff(tt.want, *fault); diff != "" {
				t.Errorf("fault (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), alejandro[:4]) {
				t.Errorf("the error quotes the file: %v", err)
			}
		})
	}
	if _, _, lines := read(t, []byte("curp\n"+many)); len(lines) != bulk.MaxRows {
		t.Errorf("%d rows of as many as a file may have", len(lines))
	}
}

// What a file is read as can be corrected.
func TestLayout(t *testing.T) {
	t.Parallel()
	sheet, layout, _ := read(t, []byte("solicitante,"+eduardo+",C-1\n"+alejandro+","+eduardo+",C-2\n"))
	if diff := cmp.Diff(bulk.Layout{Identifier: 1, Reference: bulk.None}, layout); diff != "" {
		t.Errorf("guess (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, sheet.Columns(false)); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	// Somebody's identifier names no column, nor does what stands beside it; and they are not left out as a row of names.
	if diff := cmp.Diff([]string{"1", "2", "3"}, sheet.Columns(true)); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	_, err := sheet.Judge(bulk.Layout{Header: true, Identifier: 0, Reference: 2}, lookup.IMSS, today)
	var fault *bulk.Fault
	if !errors.As(err, &fault) || fault.Code != bulk.FaultHeader || fault.Line != 1 {
		t.Errorf("a person taken for names of columns: %v", err)
	}
	sheet, _, _ = read(t, []byte("solicitante,aval,folio\n"+alejandro+","+eduardo+",C-2\n"))
	rows, err := sheet.Judge(bulk.Layout{Header: true, Identifier: 1, Reference: 2}, lookup.IMSS, today)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Identifier != eduardo || rows[0].Reference != "C-2" || rows[0].Number != 1 || rows[0].Line != 2 {
		t.Errorf("rows %+v", rows)
	}
	for l, fits := range map[bulk.Layout]bool{
		{Identifier: 0, Reference: bulk.None}: true, {Identifier: 2, Reference: 0}: true, {Identifier: 3, Reference: 0}: false,
		{Identifier: bulk.None, Reference: 0}: false, {Identifier: 1, Reference: 1}: false, {Identifier: 0, Reference: -2}: false,
	} {
		if l.Fits(3) != fits {
			t.Errorf("%+v fits: %v", l, !fits)
		}
	}
}

// Nobody is lost because their row comes first and is badly spelled, and nobody's data are kept as the name of a column.
func TestFirstRow(t *testing.T) {
	t.Parallel()
	const misspelled = "PEPJ8001O1HDFRRN05" // a letter O
	for name, tt := range map[string]struct {
		first   string
		header  bool
		columns []string
	}{
		"misspelled":                {misspelled + ";Juan Pérez", false, []string{"1", "2"}},
		"and named like a column":   {misspelled + ";cliente", false, []string{"1", "2"}},
		"beside its own label":      {"CURP;" + misspelled, false, []string{"1", "2"}},
		"many letters O":            {"PEPJ8OO1O1HDFRRNO5;Juan", false, []string{"1", "2"}},
		"too short":                 {"PEPJ80010;Juan", false, []string{"1", "2"}},
		"in groups":                 {"GATA 0004O8 HTLRLLA7;Juan", false, []string{"1", "2"}},
		"an NSS":                    {"SIN CURP;0218-92-1687-8", false, []string{"1", "2"}},
		"a reference only":          {"pendiente;C-2026-11", false, []string{"1", "2"}},
		"names":                     {"Documento;Persona", true, []string{"Documento", "Persona"}},
		"names with a day":          {"CURP;Saldo al 31/12/2025", true, []string{"CURP", "2"}},
		"names with a month":        {"CURP;Abr 2025", true, []string{"CURP", "2"}},
		"names with a short number": {"Documento;Dato 12", true, []string{"Documento", "Dato 12"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sheet, layout, lines := read(t, []byte(tt.first+"\n"+alejandro+";Ana\n"+eduardo+";Eva\n"))
			want := 3
			if tt.header {
				want = 2
			}
			if layout.Header != tt.header || len(lines) != want {
				t.Errorf("header %v, rows %q", layout.Header, lines)
			}
			if diff := cmp.Diff(tt.columns, sheet.Columns(true)); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	file := []byte("curp,ref\n" + alejandro + ",a\n" + alejandro + ",b\nOICE940722HGFRST08,c\nGATA000408HTLRLLA6,d\nGATA000408HTLRLLA6,e\nGODE561231GR8,f\n," +
		"g\n" + eduardo + "," + strings.Repeat("x", 81) + "\n" + eduardo + ",h\n")
	sheet, err := bulk.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for platform, want := range map[lookup.Platform][]string{
		lookup.IMSS:       {"send  0", "duplicate  2", "invalid state_unknown 0", "doubtful digit_differs 0", "duplicate  5", "invalid rfc_elsewhere 0", "invalid curp_missing 0", "invalid reference_long 0", "send  0"},
		lookup.AllSources: {"send  0", "duplicate  2", "invalid state_unknown 0", "doubtful digit_differs 0", "duplicate  5", "send  0", "invalid curp_missing 0", "invalid reference_long 0", "send  0"},
	} {
		rows, err := sheet.Judge(sheet.Guess(), platform, today)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%s %s %d", r.Verdict, r.Code(), r.Of))
			if len([]rune(r.Reference)) > lookup.MaxReference {
				t.Error("a reference is too long to be stored")
			}
			// The reason can be put into words again from what is stored.
			if why := r.Reason(platform, today); r.Detail != "" && why.ID != r.Detail && r.Code() != "reference_long" {
				t.Errorf("%s: the reason comes back as %q", r.Detail, why.ID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", platform, diff)
		}
	}
}

func TestWeigh(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	settled, open := lookup.State{Status: lookup.Error}, lookup.State{Status: lookup.Pending}
	for name, tt := range map[string]struct {
		past lookup.Past
		want bulk.Verdict
	}{
		"unknown":                {lookup.Past{State: settled}, bulk.Send},
		"open":                   {lookup.Past{State: open, LastSuccess: now.Add(-time.Hour)}, bulk.Open},
		"recent at Palenca":      {lookup.Past{Dialect: lookup.Palenca, State: settled, LastSuccess: now.Add(-11 * time.Hour)}, bulk.Recent},
		"recent at Buró":         {lookup.Past{Dialect: lookup.Buro, State: settled, LastSuccess: now.Add(-11 * time.Hour)}, bulk.Recent},
		"older":                  {lookup.Past{State: settled, LastSuccess: now.Add(-12 * time.Hour)}, bulk.Send},
		"twice today at Buró":    {lookup.Past{Dialect: lookup.Buro, State: settled, Today: 2}, bulk.Limit},
		"once today at Buró":     {lookup.Past{Dialect: lookup.Buro, State: settled, Today: 1}, bulk.Send},
		"twice today at Palenca": {lookup.Past{Dialect: lookup.Palenca, State: settled, Today: 2}, bulk.Send},
	} {
		if got := bulk.Weigh(tt.past, now); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestTakes(t *testing.T) {
	t.Parallel()
	if got := bulk.Takes(300, 120); got < 13*time.Minute || got > 14*time.Minute {
		t.Errorf("300 lookups at 120 calls a minute take %s", got)
	}
	if got := bulk.Takes(300, 0); got != 0 {
		t.Errorf("without a limit: %s", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{"curp,ref\n" + alejandro + ",a", "sep=;\n\"x\n", "\"\"\"\"", "a|b\tc;d\n\r\n", "\xef\xbb\xbf\xff", "sep=,"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		sheet, err := bulk.Read(file)
		if err != nil {
			return
		}
		layout := sheet.Guess()
		if width := len(sheet.Columns(layout.Header)); width == 0 || !layout.Fits(width) {
			t.Fatalf("%d columns, layout %+v", width, layout)
		}
		rows, err := sheet.Judge(layout, lookup.AllSources, today)
		if err != nil {
			return
		}
		for i, r := range rows {
			if r.Number != i+1 || r.Verdict == "" || len([]rune(r.Identifier)) > bulk.MaxIdentifier || len([]rune(r.Reference)) > lookup.MaxReference {
				t.Fatalf("row %+v", r)
			}
		}
	})
}
