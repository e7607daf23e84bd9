package export

import (
	"bytes"
	"encoding/csv"
	"strconv"

	"github.com/gocarina/gocsv"
	"github.com/google/uuid"

	"cotejo/internal/bulk"
)

// BulkRow is what became of one row of a bulk. Its columns are described in docs/bulk.md; they are only ever added at the
// end.
type BulkRow struct {
	Row           int    `csv:"row"`
	Line          int    `csv:"line"`
	CURP          Text   `csv:"curp"` // or the RFC asked about; of an invalid row, what was there
	ExternalID    Text   `csv:"external_id"`
	Verdict       string `csv:"verdict"`
	Detail        string `csv:"detail"`
	SameAsLine    string `csv:"same_as_line"`
	Status        string `csv:"status"` // of the lookup, as of the download
	StatusDetails Text   `csv:"status_details"`
	LookupID      string `csv:"lookup_id"`
	Platform      Text   `csv:"platform"`
	Environment   string `csv:"environment"`
	HandedOutAt   Moment `csv:"handed_out_at"`
}

// WriteBulk writes the result of a bulk in the form of all our files: RFC 4180, UTF-8 with a byte order mark. A bulk is
// small enough to be written whole.
func WriteBulk(rows []BulkRow) ([]byte, error) {
	file := bytes.NewBufferString(mark)
	out := csv.NewWriter(file)
	out.UseCRLF = true
	if err := gocsv.MarshalCSV(rows, out); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

// BulkRowOf puts an item into the shape of the file.
func BulkRowOf(b bulk.Bulk, environment string, i bulk.Item) BulkRow {
	row := BulkRow{Row: i.Number, Line: i.Line, CURP: Text(i.Identifier), ExternalID: Text(i.Reference), Verdict: string(i.Verdict),
		Detail: i.Code(), Status: string(i.State.Status), StatusDetails: Text(i.State.Detail), Platform: Text(b.Platform), Environment: environment}
	if i.Of > 0 {
		row.SameAsLine = strconv.Itoa(i.Of)
	}
	if i.LookupUID != uuid.Nil {
		row.LookupID, row.HandedOutAt = i.LookupUID.String(), Moment(i.DoneAt)
	}
	return row
}
