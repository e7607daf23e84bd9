package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gocarina/gocsv"
	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/profile"
	"cotejo/internal/receipt"
)

// hostile is what employers, references and vendors may call themselves, and what stands at the edges of the fast path.
var hostile = []string{
	"", "ACME", "PEÑA NIETO, S.A. DE C.V.", `SERVICIOS "ALFA"`, "=1+1", "+52 55", "-40", "@SUM(A1)", " =1", "\t=1", "\tACME", "\rACME", "\nACME",
	"\r\n=1", "a\r\nb", "a\nb", "a\rb", "'", "'=1", `"=1"`, `"`, `""`, ",", `\.`, "\ufeff=1", "\u200b@x", "\x00=1", "a\x00b", "\x7f+1", "\uff1d1", "bad \xff byte", "\xc3", "Ñ",
	"ÁRBOL", "\u0085x", "x\u0085", "x\xc2\x85", "x\xc3\x28", "1.5", "-1.5", "-", "-.5", "1.", ".5", "1.5.5", "--1", "1e5", "0", "-0.00", "007", "1,5", " 1", "\u00a0ACME", "日本", "a日本,b",
	"\u2028=1", "#REF!", "a;b", strings.Repeat("X", 70_000), "x\uff1d", "\u201c=1\u201d", "{=1}", "%0A=1", "x\ty",
}

// cells gives a row the way the database does: every field as the text of its column.
func cells(row any) [][]byte {
	var list [][]byte
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		switch f := v.Field(i).Interface().(type) {
		case Text:
			list = append(list, []byte(f))
		case Amount:
			list = append(list, []byte(f))
		case interface{ MarshalCSV() (string, error) }: // times: plain text
			text, _ := f.MarshalCSV()
			list = append(list, []byte(text))
		case *int:
			if f == nil {
				list = append(list, nil)
				continue
			}
			list = append(list, fmt.Append(nil, *f))
		default:
			list = append(list, fmt.Append(nil, f))
		}
	}
	return list
}

func csvWriter(w io.Writer) *csv.Writer {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return out
}

func each(rows [][][]byte) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// fill puts a text into every field that holds text of somebody's, and something into the others.
func fill[T any](text string, n int) (row T) {
	v := reflect.ValueOf(&row).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *Text:
			*f = Text(text)
		case *Amount:
			*f = Amount(text)
		case *string:
			*f = fmt.Sprintf("word_%d", n)
		case *int:
			*f = n
		case *int64:
			*f = int64(n)
		case **int:
			if n%2 == 0 {
				*f = &n
			}
		case *Day:
			*f = Day(time.Date(1900+n, 2, 3, 0, 0, 0, 0, time.UTC))
		case *Moment:
			*f = Moment(time.Date(2026, 3, 1, 5, 30, n%60, 999, time.UTC))
		case *Milli:
			*f = Milli(time.Date(2026, 3, 1, 5, 30, n%60, 120_999_999, time.UTC))
		}
	}
	return row
}

func same[T any](t *testing.T, kind receipt.Kind) {
	t.Helper()
	var rows []T
	var raw [][][]byte
	for n, text := range hostile {
		row := fill[T](text, n)
		rows, raw = append(rows, row), append(raw, cells(row))
	}
	rows, raw = append(rows, *new(T)), append(raw, cells(*new(T)))
	var want bytes.Buffer
	want.WriteString(mark)
	if err := gocsv.MarshalCSV(rows, csvWriter(&want)); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	n, err := Write(&got, kind, Columns(kind), each(raw))
	if err != nil || n != int64(len(rows)) {
		t.Fatalf("%d rows, %v", n, err)
	}
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		a, b := strings.SplitAfter(want.String(), "\r\n"), strings.SplitAfter(got.String(), "\r\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("%s: line %d (-gocsv +ours):\n%s", kind, i, cmp.Diff(a[i], b[i]))
			}
		}
		t.Fatalf("%s: %d bytes, gocsv has %d", kind, got.Len(), want.Len())
	}
}

// The fast way gives byte for byte what gocsv gives, for every shape.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	same[Row](t, receipt.Records)
	same[LookupRow](t, receipt.Lookups)
	same[DeliveryRow](t, receipt.Deliveries)
	// One person's way is gocsv's as well.
	l := sample()
	l.Person = profile.Profile{FirstName: "=1+1", LastName: "GARCÍA TÉLLEZ", IDs: l.Person.IDs}
	for _, name := range hostile {
		l.History.Records = append(l.History.Records, employment.Record{Employer: name, BaseSalary: name, Start: time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)})
	}
	var raw [][][]byte
	for row := range l.Rows() {
		raw = append(raw, cells(row))
	}
	var got bytes.Buffer
	if _, err := Write(&got, receipt.Records, Columns(receipt.Records), each(raw)); err != nil || got.String() != write(t, l.Rows()) {
		t.Errorf("one person's file differs from a list's with the same rows (%v)", err)
	}
}

func FuzzCell(f *testing.F) {
	for _, text := range hostile {
		if len(text) < 100 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for g, cell := range map[guard]interface{ MarshalCSV() (string, error) }{1: Text(text), 2: Amount(text)} {
			var want bytes.Buffer
			w := csvWriter(&want)
			field, _ := cell.MarshalCSV()
			// Beside another one, since a line with one empty field is a case of its own.
			if err := w.Write([]string{field, ""}); err != nil {
				t.Fatal(err)
			}
			w.Flush()
			if got := string(appendCell(nil, []byte(text), g)) + ",\r\n"; got != want.String() {
				t.Fatalf("%q: %q, want %q", text, got, want.String())
			}
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	columns := Columns(receipt.Lookups)
	if _, err := Write(io.Discard, receipt.Lookups, columns[1:], each(nil)); err == nil {
		t.Error("other columns than the shape's are written")
	}
	if _, err := Write(io.Discard, receipt.Bulk, nil, each(nil)); err == nil {
		t.Error("a kind without a shape is written")
	}
	if n, err := Write(io.Discard, receipt.Lookups, columns, each([][][]byte{make([][]byte, 3)})); err == nil || n != 0 {
		t.Error("a row with too few cells is written")
	}
	broken := errors.New("database gone")
	n, err := Write(io.Discard, receipt.Lookups, columns, func(yield func([][]byte, error) bool) {
		_ = yield(make([][]byte, len(columns)), nil) && yield(nil, broken)
	})
	if !errors.Is(err, broken) || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	asked := 0
	_, err = Write(&limited{fail: true}, receipt.Records, Columns(receipt.Records), func(yield func([][]byte, error) bool) {
		for asked < 100_000 {
			if asked++; !yield(cells(Row{Employer: "ACME"}), nil) {
				return
			}
		}
	})
	if !errors.Is(err, errGone) || asked == 100_000 {
		t.Errorf("dead client: %d rows read for nothing, %v", asked, err)
	}
	var empty bytes.Buffer
	if n, err := Write(&empty, receipt.Records, Columns(receipt.Records), each(nil)); err != nil || n != 0 || empty.String() != mark+header+"\r\n" {
		t.Errorf("no rows: %q, %v", empty.String(), err)
	}
}

// A hundred thousand rows need no more memory than one.
func TestWriteHoldsNothing(t *testing.T) {
	row := cells(fill[Row]("SERVICIOS PEÑA, S.A. DE C.V.", 4))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := Write(io.Discard, receipt.Records, Columns(receipt.Records), func(yield func([][]byte, error) bool) {
		for range 100_000 {
			if !yield(row, nil) {
				return
			}
		}
	})
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err != nil || n != 100_000 || allocated > 4<<20 {
		t.Errorf("%d rows allocated %d bytes in all, %v", n, allocated, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	row := cells(fill[Row]("SERVICIOS PEÑA, S.A. DE C.V.", 4))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Write(io.Discard, receipt.Records, Columns(receipt.Records), func(yield func([][]byte, error) bool) {
			for range 10_000 {
				if !yield(row, nil) {
					return
				}
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
}
