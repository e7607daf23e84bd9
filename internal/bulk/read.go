package bulk

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gocarina/gocsv"
	"golang.org/x/text/encoding/charmap"

	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

// Fault is why a file cannot be read. Code is one of those below; none of its words comes from the file.
type Fault struct {
	Code string
	Line int // of the file; 0 when it is about the whole
}

// Codes of a Fault. Each has a sentence in the message files under bulk.fault.
const (
	FaultEmpty    = "empty"
	FaultBytes    = "bytes"    // over MaxBytes
	FaultRows     = "rows"     // over MaxRows
	FaultColumns  = "columns"  // over MaxColumns
	FaultWorkbook = "workbook" // a spreadsheet's own format
	FaultBinary   = "binary"   // no text at all
	FaultHeader   = "header"   // what is said to be names of columns has somebody's identifier: that person would be left out
	FaultQuotes   = "quotes"   // a quotation mark is opened and never closed: rows after it would be swallowed
)

func (f *Fault) Error() string { return "bulk: unreadable file: " + f.Code }

// Encoding is how the bytes of a file spell text.
type Encoding string

const (
	UTF8    Encoding = "utf-8"
	UTF8BOM Encoding = "utf-8-bom"
	Western Encoding = "windows-1252" // what spreadsheets of a Mexican Windows save as CSV
)

// Encodings are those that a person chooses from. Whether a file of UTF-8 has a mark, its bytes say.
var Encodings = []Encoding{UTF8, Western}

// Delimiter is what separates cells, by name: a tab would be lost on the way through a form.
type Delimiter string

const (
	Comma     Delimiter = "comma"
	Semicolon Delimiter = "semicolon"
	Tab       Delimiter = "tab"
	Pipe      Delimiter = "pipe"
)

// Delimiters in the order in which they win a tie.
var Delimiters = []Delimiter{Comma, Semicolon, Tab, Pipe}

var signs = map[Delimiter]rune{Comma: ',', Semicolon: ';', Tab: '\t', Pipe: '|'}

// Spelling is how a file is to be read. What is empty in it is recognised.
type Spelling struct {
	Encoding  Encoding
	Delimiter Delimiter
}

// Sheet is a file that was read: cells without a meaning yet.
type Sheet struct {
	Spelling // with nothing empty
	records  [][]string
	lines    []int // of each record
}

// Read takes a file apart. How it is spelled and separated is recognised. The error is a *Fault.
func Read(file []byte) (*Sheet, error) { return ReadAs(file, Spelling{}) }

// ReadAs takes a file apart as a person says that it is spelled and separated, which wins over what the file says of itself.
// The error is a *Fault.
func ReadAs(file []byte, as Spelling) (*Sheet, error) {
	if len(file) > MaxBytes {
		return nil, &Fault{Code: FaultBytes}
	}
	text, encoding, err := decode(file, as.Encoding)
	if err != nil {
		return nil, err
	}
	s := &Sheet{Spelling: Spelling{encoding, as.Delimiter}}
	named, skipped := rune(0), 0
	// Excel writes, and obeys, a first line that names the separator.
	if rest, is := strings.CutPrefix(text, "sep="); is && len(rest) > 1 && (rest[1] == '\n' || rest[1] == '\r') {
		named, skipped = rune(rest[0]), 1
		_, text, _ = strings.Cut(rest, "\n")
	}
	if s.Delimiter == "" {
		s.Delimiter = recognise(text)
		for _, d := range Delimiters {
			if signs[d] == named {
				s.Delimiter = d
			}
		}
	}
	if err := s.split(text, signs[s.Delimiter], skipped); err != nil {
		return nil, err
	}
	if len(s.records) == 0 {
		return nil, &Fault{Code: FaultEmpty}
	}
	if len(s.records) > MaxRows+1 { // one may be the header
		return nil, &Fault{Code: FaultRows}
	}
	return s, nil
}

// decode gives the text of a file. What is no UTF-8 is taken for Windows-1252, in which every byte is a character, so
// that what is no text at all has to be told apart before. Bytes that are no character of the encoding asked for become
// U+FFFD: who asked for it sees them, and asks for another one.
func decode(file []byte, as Encoding) (string, Encoding, error) {
	switch {
	case len(bytes.TrimSpace(file)) == 0:
		return "", "", &Fault{Code: FaultEmpty}
	case bytes.HasPrefix(file, []byte("PK\x03\x04")), bytes.HasPrefix(file, []byte("\xd0\xcf\x11\xe0")):
		return "", "", &Fault{Code: FaultWorkbook}
	case bytes.IndexByte(file, 0) >= 0: // UTF-16 too: nobody's spreadsheet saves CSV so unless asked to
		return "", "", &Fault{Code: FaultBinary}
	}
	rest, marked := bytes.CutPrefix(file, []byte("\xef\xbb\xbf"))
	if as == UTF8 || as != Western && utf8.Valid(rest) {
		text := newlines(strings.ToValidUTF8(string(rest), "\ufffd"))
		if marked {
			return text, UTF8BOM, nil
		}
		return text, UTF8, nil
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(rest)
	if err != nil {
		return "", "", &Fault{Code: FaultBinary}
	}
	return newlines(string(text)), Western, nil
}

// newlines brings the line ends of old Macintosh programs to one that the reader of CSV knows.
func newlines(text string) string {
	if strings.Contains(text, "\n") {
		return text
	}
	return strings.ReplaceAll(text, "\r", "\n")
}

// recognise finds the separator: the one under which a cell is an identifier in most of the first rows. "CURP;García, Ana" has
// two cells by the comma as well, but no one's CURP. Among equals it is the one that gives most rows the same number of cells,
// above one.
func recognise(text string) Delimiter {
	const sample = 50
	best, mostPeople, mostRows := Delimiters[0], 0, 0
	for _, d := range Delimiters {
		people, widths := 0, map[int]int{}
		r := reader(text, signs[d], true)
		for range sample {
			record, err := r.Read()
			if err != nil {
				break
			}
			widths[len(record)]++
			if slices.ContainsFunc(record, identifies) {
				people++
			}
		}
		rows := 0
		for width, n := range widths {
			if width > 1 {
				rows = max(rows, n)
			}
		}
		if people > mostPeople || people == mostPeople && rows > mostRows {
			best, mostPeople, mostRows = d, people, rows
		}
	}
	return best
}

// identifies tells of a cell that it has the form of a CURP or an RFC and holds nothing else.
func identifies(cell string) bool {
	cell = plain(cell)
	if _, err := curp.Parse(cell); err == nil {
		return true
	}
	rfc := curp.ExplainRFC(cell).Verdict
	return rfc == curp.Pass || rfc == curp.Warn
}

func reader(text string, sign rune, lazy bool) *csv.Reader {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.TrimLeadingSpace = sign, lazy, -1, sign != '\t'
	return r
}

// split reads the records. Quotation marks are taken strictly first. Where that fails because a mark stands in the middle
// of a cell (5" pipe), they are taken loosely; but a mark that is opened and never closed swallows all that follows, and
// then nothing is taken.
func (s *Sheet) split(text string, sign rune, skipped int) error {
	err := s.take(reader(text, sign, false), skipped, false)
	if errors.Is(err, csv.ErrBareQuote) || errors.Is(err, csv.ErrQuote) {
		err = s.take(reader(text, sign, true), skipped, true)
	}
	return err
}

func (s *Sheet) take(r *csv.Reader, skipped int, lazy bool) error {
	s.records, s.lines = nil, nil
	for {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		if len(record) > MaxColumns {
			return &Fault{Code: FaultColumns, Line: line + skipped}
		}
		blank := true
		for _, cell := range record {
			if lazy && strings.Contains(cell, "\n") {
				return &Fault{Code: FaultQuotes, Line: line + skipped}
			}
			blank = blank && strings.TrimSpace(cell) == ""
		}
		if blank {
			continue
		}
		if len(s.records) > MaxRows {
			return &Fault{Code: FaultRows}
		}
		s.records, s.lines = append(s.records, record), append(s.lines, line+skipped)
	}
}

var _ gocsv.CSVReader = (*columns)(nil)

// Sum is what a file is recognised by when it comes again.
func Sum(file []byte) []byte {
	sum := sha256.Sum256(file)
	return sum[:]
}

// SumPeople is what a file's people are recognised by when they come again, for the same source, in a file that is spelled
// another way: those who can be asked about, whatever their order and references. Nil: there are none.
func SumPeople(platform lookup.Platform, rows []Row) []byte {
	var identifiers []string
	for _, r := range rows {
		if r.Verdict == Send || r.Verdict == Doubtful {
			identifiers = append(identifiers, r.Identifier)
		}
	}
	if len(identifiers) == 0 {
		return nil
	}
	slices.Sort(identifiers)
	return Sum([]byte(string(platform) + "\n" + strings.Join(identifiers, "\n")))
}
