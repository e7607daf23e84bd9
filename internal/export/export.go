// Package export writes employment records as CSV for people and their spreadsheets: RFC 4180, UTF-8 with a byte order
// mark, and no cell that a spreadsheet would run. Every column is described in docs/csv.md.
package export

import (
	"encoding/csv"
	"encoding/hex"
	"io"
	"iter"
	"time"

	"github.com/gocarina/gocsv"
	"github.com/google/uuid"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// Row is one employment record with the lookup that it answers. The tags are the header, in order; scripts rely on it,
// so columns are only ever added at the end of the list.
type Row struct {
	LookupID          string `csv:"lookup_id"`
	ExternalID        Text   `csv:"external_id"` // the analyst's own reference, not what the vendor was sent
	CURP              Text   `csv:"curp"`
	NSS               Text   `csv:"nss"`
	FirstName         Text   `csv:"first_name"`
	LastName          Text   `csv:"last_name"`
	Platform          Text   `csv:"platform"`
	Employer          Text   `csv:"employer"`
	Registration      Text   `csv:"employer_registration"`
	StartDate         Day    `csv:"start_date"`
	EndDate           Day    `csv:"end_date"`
	FederalEntity     Text   `csv:"federal_entity"`
	BaseSalary        Amount `csv:"base_salary"`
	MonthlySalary     Amount `csv:"monthly_salary"`
	Currency          string `csv:"currency"`
	JobTitle          Text   `csv:"job_title"`
	Designation       Text   `csv:"designation"`
	Modality          Text   `csv:"modality"`
	PaymentFrequency  Text   `csv:"payment_frequency"`
	QuotedDays        Amount `csv:"quoted_days"`
	QuotedWeeks       *int   `csv:"quoted_weeks"`
	DiscountedWeeks   *int   `csv:"discounted_weeks"`
	ReintegratedWeeks *int   `csv:"reintegrated_weeks"`
	EmploymentStatus  Text   `csv:"employment_status"`
	HistoryStatus     Text   `csv:"history_status"`
	SourceStatus      string `csv:"source_status"`
	StatusDetails     Text   `csv:"status_details"`
	Warning           Text   `csv:"warning"`
	Environment       string `csv:"environment"`
	Dialect           string `csv:"dialect"`
	AccountID         Text   `csv:"account_id"`
	RequestedAt       Moment `csv:"requested_at"`
	FetchedAt         Moment `csv:"fetched_at"`
	ResponseSHA256    string `csv:"response_sha256"`
}

// Lookup is what all records of one lookup have in common.
type Lookup struct {
	UID         uuid.UUID
	Reference   string
	CURP        string
	Platform    lookup.Platform
	Environment lookup.Environment
	Dialect     lookup.Dialect
	State       lookup.State
	AccountID   string
	RequestedAt time.Time
	FetchedAt   time.Time // when the answer with these records came
	SHA256      []byte    // of that answer's bytes
	Person      profile.Profile
	History     employment.History
}

// currency is that of both salaries; the source gives no other (docs/vendor.md#salary).
const currency = "MXN"

// Rows gives a row per record, in the order received; a history without records gives none.
func (l Lookup) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range l.History.Records {
			if !yield(l.row(r), nil) {
				return
			}
		}
	}
}

func (l Lookup) row(r employment.Record) Row {
	row := Row{
		LookupID: l.UID.String(), ExternalID: Text(l.Reference), CURP: Text(l.CURP), NSS: Text(l.Person.NSS()),
		FirstName: Text(l.Person.FirstName), LastName: Text(l.Person.LastName), Platform: Text(l.Platform),
		Employer: Text(r.Employer), Registration: Text(r.Registration), StartDate: Day(r.Start), EndDate: Day(r.End),
		FederalEntity: Text(r.State), BaseSalary: Amount(r.BaseSalary), MonthlySalary: Amount(r.Monthly),
		JobTitle: Text(r.JobTitle), Designation: Text(r.Designation), Modality: Text(r.Modality),
		PaymentFrequency: Text(r.PayFrequency), QuotedDays: Amount(r.QuotedDays), QuotedWeeks: l.History.Weeks.Quoted,
		DiscountedWeeks: l.History.Weeks.Discounted, ReintegratedWeeks: l.History.Weeks.Reintegrated,
		EmploymentStatus: Text(l.History.Status), HistoryStatus: Text(l.History.Complete),
		SourceStatus: string(l.State.Status), StatusDetails: Text(l.State.Detail), Warning: Text(l.State.Warning),
		Environment: string(l.Environment), Dialect: string(l.Dialect), AccountID: Text(l.AccountID),
		RequestedAt: Moment(l.RequestedAt), FetchedAt: Moment(l.FetchedAt), ResponseSHA256: hex.EncodeToString(l.SHA256),
	}
	if r.BaseSalary != "" || r.Monthly != "" {
		row.Currency = currency
	}
	return row
}

// batch is how many rows are held at a time, whatever the size of the export.
const batch = 256

// mark tells spreadsheets that the file is UTF-8; without it Excel reads the accents of names as another code page.
const mark = "\xef\xbb\xbf"

// WriteEmployment writes rows as CSV with its header, also when there are none, and tells how many rows it wrote. It
// stops at the first error of rows or w. Nothing is written before the first 256 rows are in hand, so that an early
// failure can still be answered as one; after a later one the caller has to break off the connection, or the reader
// takes a part for the whole.
func WriteEmployment(w io.Writer, rows iter.Seq2[Row, error]) (n int, err error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	begun := false
	held := make([]Row, 0, batch)
	// gocsv's own streaming writes no header for an empty channel and leaves its producer blocked after a failed
	// write; slices of it, header first, do neither.
	flush := func() error {
		if !begun {
			if _, err := io.WriteString(w, mark); err != nil {
				return err
			}
			if err := gocsv.MarshalCSV([]Row{}, out); err != nil {
				return err
			}
			begun = true
		}
		if err := gocsv.MarshalCSVWithoutHeaders(held, out); err != nil {
			return err
		}
		n += len(held)
		held = held[:0]
		return nil
	}
	for row, err := range rows {
		if err != nil {
			return n, err
		}
		if held = append(held, row); len(held) == batch {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}
