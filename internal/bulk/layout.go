package bulk

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gocarina/gocsv"

	"cotejo/internal/curp"
)

// Layout says what the cells of a sheet mean. Columns count from 0; None is no column.
type Layout struct {
	Header     bool // the first record names the columns
	Identifier int
	Reference  int
}

// None stands for a column that a file does not have.
const None = -1

// Names by which columns are known, as normal brings them together, the most telling first.
var (
	identifierNames = []string{"curp", "clavecurp", "claveunicaderegistrodepoblacion", "claveunica", "curpsolicitante", "curpcliente", "curptitular",
		"identificador", "identifier", "rfc"}
	referenceNames = []string{"referencia", "referenciapropia", "reference", "externalid", "idexterno", "folio", "expediente", "solicitud",
		"credito", "contrato", "cliente", "idcliente", "ref", "id", "clave"}
)

var unaccented = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ü", "u", "ñ", "n")

// counted is how names begin that say "number of".
var counted = regexp.MustCompile(`^(no|num|numero|nro)(de)?`)

// normal brings the spellings of a column's name together: "No. de Crédito", "num_credito" and "Crédito".
func normal(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, unaccented.Replace(strings.ToLower(name)))
	if rest := counted.ReplaceAllString(name, ""); slices.Contains(referenceNames, rest) {
		return rest
	}
	return name
}

func find(header, names []string, besides int) int {
	for _, name := range names {
		for i, cell := range header {
			if i != besides && normal(cell) == name {
				return i
			}
		}
	}
	return None
}

// looks is the form in which identifiers begin; good enough to tell a column of them from names or amounts.
var looks = regexp.MustCompile(`(?i)^\W*[A-ZÑ&]{3,4}[ -]?\d{6}`)

// begins is how a CURP or an RFC begins, however badly its digits are spelled.
var begins = regexp.MustCompile(`^[A-ZÑ&]{3,4}[0-9]`)

// fewDigits is below how many digits a cell is nobody's: names of columns have a year at most.
const fewDigits = 4

// somebodys tells of a cell that it may hold an identifier, a whole one or one of which letters and digits were confused.
func somebodys(cell string) bool {
	const least = 12 // characters of the shortest one
	if looks.MatchString(cell) || curp.Mentions(cell) {
		return true
	}
	text := curp.Clean(cell)
	return utf8.RuneCountInString(text) >= least && digits(cell) >= fewDigits && begins.MatchString(text)
}

func digits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// headed tells whether the first record may be names of columns. It is somebody's when in doubt: a row too many is seen, with
// its verdict, and a person who was taken for a name of a column is not. Where one column has the name of an identifier's,
// the others may speak of years and days ("Saldo al 31/12/2025").
func (s *Sheet) headed() bool {
	named := find(s.records[0], identifierNames, None) != None
	for _, cell := range s.records[0] {
		if somebodys(cell) || !named && digits(cell) >= fewDigits {
			return false
		}
	}
	return true
}

// Guess finds the layout: by the names of columns, else by what stands in them.
func (s *Sheet) Guess() Layout {
	first, l := s.records[0], Layout{Identifier: None, Reference: None}
	if s.headed() {
		l.Identifier = find(first, identifierNames, None)
		l.Reference = find(first, referenceNames, l.Identifier)
		// A single record without a name that is known is somebody's.
		l.Header = l.Identifier != None || l.Reference != None || len(s.records) > 1
	}
	if l.Identifier == None {
		l.Identifier = s.likely()
		if l.Reference == l.Identifier {
			l.Reference = None
		}
	}
	return l
}

// likely is the column in which most of the first cells look like identifiers; the first one when none does.
func (s *Sheet) likely() int {
	counts := make([]int, MaxColumns)
	best := 0
	for _, record := range s.records[:min(len(s.records), 50)] {
		for i, cell := range record {
			if looks.MatchString(cell) {
				if counts[i]++; counts[i] > counts[best] {
					best = i
				}
			}
		}
	}
	return best
}

// Columns names the columns for people: as the file does, else by their number. Names are kept and shown in the clear, so a
// first record that is somebody's gives none.
func (s *Sheet) Columns(header bool) []string {
	width := 0
	for _, record := range s.records {
		width = max(width, len(record))
	}
	header = header && s.headed()
	names := make([]string, width)
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
		if header && i < len(s.records[0]) {
			if name := label(s.records[0][i]); name != "" {
				names[i] = name
			}
		}
	}
	return names
}

// label keeps a column's name short and on one line; "" of what has the digits of a number.
func label(name string) string {
	const most = 60
	name = oneLine(name)
	if r := []rune(name); digits(name) >= fewDigits || somebodys(name) {
		return ""
	} else if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

// oneLine drops what nobody sees and would move what stands beside it.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
}

// entry is one row in the words of the layout, whatever the file calls its columns.
type entry struct {
	Line       int    `csv:"line"`
	Identifier string `csv:"identifier"`
	Reference  string `csv:"reference"`
}

// columns shows a sheet to gocsv under the names of entry.
type columns struct {
	*Sheet
	Layout
	next int // 0: the header
}

// Read gives the header and then a record at a time.
func (c *columns) Read() ([]string, error) {
	if c.next == 0 {
		c.next = 1
		return []string{"line", "identifier", "reference"}, nil
	}
	i := c.next - 1
	if c.Header {
		i++
	}
	if i >= len(c.records) {
		return nil, io.EOF
	}
	c.next++
	return []string{strconv.Itoa(c.lines[i]), c.cell(i, c.Identifier), c.cell(i, c.Layout.Reference)}, nil
}

// ReadAll gives the rest.
func (c *columns) ReadAll() (all [][]string, err error) {
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, record)
	}
}

func (c *columns) cell(record, column int) string {
	if column < 0 || column >= len(c.records[record]) {
		return ""
	}
	return c.records[record][column]
}

// entries reads the rows under a layout. The error is a *Fault.
func (s *Sheet) entries(l Layout) ([]entry, error) {
	var list []entry
	if err := gocsv.UnmarshalCSV(&columns{Sheet: s, Layout: l}, &list); err != nil {
		return nil, &Fault{Code: FaultBinary}
	}
	switch {
	case l.Header && slices.ContainsFunc(s.records[0], curp.Mentions):
		return nil, &Fault{Code: FaultHeader, Line: s.lines[0]}
	case len(list) == 0:
		return nil, &Fault{Code: FaultEmpty}
	case len(list) > MaxRows:
		return nil, &Fault{Code: FaultRows}
	}
	return list, nil
}

// Fits tells whether a layout speaks of a file with so many columns, and of two of them.
func (l Layout) Fits(columns int) bool {
	return l.Identifier >= 0 && l.Identifier < columns && l.Reference >= None && l.Reference < columns && l.Reference != l.Identifier
}
