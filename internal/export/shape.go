package export

import (
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"

	"cotejo/internal/receipt"
)

// shape is the columns of a kind of file with how each is guarded, read from the tags that gocsv reads: one definition,
// whichever way a file is written.
type shape struct {
	columns []string
	guards  []guard
}

// guard is what keeps a cell from being run.
type guard byte

const (
	asIs   guard = iota // a word, number, date or hash of ours
	text                // Text
	amount              // Amount
)

var shapes = map[receipt.Kind]shape{
	receipt.Records:    shapeOf[Row](),
	receipt.Lookups:    shapeOf[LookupRow](),
	receipt.Deliveries: shapeOf[DeliveryRow](),
}

func shapeOf[T any]() (s shape) {
	row := reflect.TypeFor[T]()
	for i := range row.NumField() {
		s.columns = append(s.columns, row.Field(i).Tag.Get("csv"))
		g := asIs
		switch row.Field(i).Type {
		case reflect.TypeFor[Text]():
			g = text
		case reflect.TypeFor[Amount]():
			g = amount
		}
		s.guards = append(s.guards, g)
	}
	return s
}

// Columns are those of a kind of list, in the order of the file.
func Columns(kind receipt.Kind) []string { return slices.Clone(shapes[kind].columns) }

// block is how much of a file is held before it is written out.
const block = 64 << 10

// Write writes a list of any length: cells as the database gives them, as text and in the order of columns, which have
// to be those of the kind. The bytes are those that gocsv makes of the same rows (TestSameBytes). It makes no garbage:
// gocsv's way costs four times as much, most of it for values behind interfaces. It tells how many rows it wrote, and stops
// at the first error of rows or w; then what was written is a part and must not pass for a whole.
func Write(w io.Writer, kind receipt.Kind, columns []string, rows iter.Seq2[[][]byte, error]) (n int64, err error) {
	s, ok := shapes[kind]
	if !ok || !slices.Equal(s.columns, columns) {
		return 0, fmt.Errorf("no file of kind %q has the columns %v", kind, columns)
	}
	out := append(make([]byte, 0, block+block/4), mark+strings.Join(s.columns, ",")+"\r\n"...)
	for cells, err := range rows {
		if err != nil {
			return n, err
		}
		if len(cells) != len(s.guards) {
			return n, fmt.Errorf("a row of %d cells for %d columns", len(cells), len(s.guards))
		}
		for i, cell := range cells {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendCell(out, cell, s.guards[i])
		}
		out = append(out, '\r', '\n')
		n++
		if len(out) >= block {
			if _, err := w.Write(out); err != nil {
				return n, err
			}
			out = out[:0]
		}
	}
	_, err = w.Write(out)
	return n, err
}

func appendCell(out, cell []byte, g guard) []byte {
	if len(cell) == 0 {
		return out
	}
	if g == amount && isDecimal(cell) {
		return append(out, cell...)
	}
	switch tame(cell) {
	case bare:
		return append(out, cell...)
	case comma:
		return append(append(append(out, '"'), cell...), '"')
	case quote:
		return appendField(out, string(cell))
	}
	if g == asIs {
		return appendField(out, string(cell))
	}
	return appendField(out, neutral(string(cell)))
}

// What a byte, or a cell that begins with a letter or digit, is to a writer; the greatest of a cell's bytes decides.
const (
	bare  = iota // it stands as it is
	comma        // it stands within quotes
	quote        // it has quotes to double
	other        // it needs a second look
)

var classes = func() (c [256]byte) {
	for i := range c {
		if c[i] = other; 0x20 <= i && i < 0x7f {
			c[i] = bare
		}
	}
	c[','], c['"'] = comma, quote
	return c
}()

// tame looks at a cell once. Nearly every cell begins with a letter or digit and holds nothing but printable ASCII and the
// accented letters of Latin-1: then no spreadsheet runs it, and nothing has to be taken out.
func tame(cell []byte) (class byte) {
	if c := cell[0]; !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9') {
		return other
	}
	for i := 1; i < len(cell); i++ {
		c := classes[cell[i]]
		if c == other {
			if cell[i] != 0xc3 || i+1 == len(cell) || cell[i+1]&0xc0 != 0x80 {
				return other
			}
			i++
			continue
		}
		class = max(class, c)
	}
	return class
}

// isDecimal is what the expression of Amount says, without one.
func isDecimal(cell []byte) bool {
	if cell[0] == '-' {
		cell = cell[1:]
	}
	digits, point := 0, false
	for _, c := range cell {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '.' && !point && digits > 0:
			point, digits = true, 0
		default:
			return false
		}
	}
	return digits > 0
}

// appendField quotes as encoding/csv does with UseCRLF.
func appendField(out []byte, field string) []byte {
	if !needsQuotes(field) {
		return append(out, field...)
	}
	out = append(out, '"')
	for i := range len(field) {
		switch c := field[i]; c {
		case '"':
			out = append(out, '"', '"')
		case '\r': // of which encoding/csv makes nothing, since it writes the line ends
		case '\n':
			out = append(out, '\r', '\n')
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
