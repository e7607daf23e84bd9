package bench

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/export"
)

// csvRows are employment records with what the CSV tells of their lookups.
const csvRows = `
select l.uid::text, l.reference, p.curp, p.nss, split_part(p.name, ', ', 2), split_part(p.name, ', ', 1), l.platform, r.employer, r.registration,
       r.start_date, r.end_date, r.federal_entity, r.base_salary, r.monthly_salary, r.job_title, r.designation, r.modality, r.payment_frequency,
       r.quoted_days, e.quoted_weeks, e.discounted_weeks, e.reintegrated_weeks, e.status, e.complete, l.status, l.detail, l.warning, l.environment,
       e.account_id, l.requested_at, q.fetched_at, encode(q.sha256, 'hex')
  from employment_records r
  join employments e on e.pull_id = r.pull_id
  join pulls q on q.id = r.pull_id
  join lookups l on l.id = q.lookup_id
  join people p on p.id = l.person_id
 limit `

// csv measures the writer of the CSV over rows read from the database, next to PostgreSQL writing the same rows by COPY.
func (r *run) csv(ctx context.Context) error {
	conn, err := r.db.Pool().Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	text := fmt.Sprintf("%s%d", csvRows, r.rows)
	var product, copied, heap samples
	for n := range r.repeats + 1 {
		began := time.Now()
		tag, err := conn.Conn().PgConn().CopyTo(ctx, io.Discard, "-- name: bench copy\ncopy ("+text+") to stdout with (format csv, header)")
		if err != nil {
			return err
		}
		copyRate := float64(tag.RowsAffected()) / time.Since(began).Seconds()

		grown := watchHeap()
		began = time.Now()
		rows, err := conn.Query(ctx, "-- name: bench csv"+text)
		if err != nil {
			return err
		}
		written, err := export.WriteEmployment(io.Discard, exportRows(rows))
		if err != nil {
			return err
		}
		if int64(written) != tag.RowsAffected() || written == 0 {
			return fmt.Errorf("%d rows as CSV, %d by COPY", written, tag.RowsAffected())
		}
		rate := float64(written) / time.Since(began).Seconds()
		peak := grown()
		if n > 0 || r.Quick { // the first one reads the tables into memory
			product, copied, heap = append(product, rate), append(copied, copyRate), append(heap, peak)
		}
	}
	r.out.add(Figure{What: "CSV rows written, 34 columns", Value: product.median(), Unit: "/s", Limit: copied.median(), LimitIs: "COPY of the same rows to a client"})
	r.out.add(Figure{What: fmt.Sprintf("Heap at its peak above the start, CSV of %s rows", thousands(r.rows)), Value: heap.median(), Unit: "MiB"})
	return nil
}

// exportRows puts what the query gives into the shape of the CSV.
func exportRows(rows pgx.Rows) iter.Seq2[export.Row, error] {
	return func(yield func(export.Row, error) bool) {
		defer rows.Close()
		for rows.Next() {
			var x export.Row
			var start, end *time.Time
			var requested, fetched time.Time
			var ref, curp, nss, first, last, platform, employer, registration, entity, base, monthly, title, designation, modality, frequency,
				days, status, complete, detail, warning, account string
			err := rows.Scan(&x.LookupID, &ref, &curp, &nss, &first, &last, &platform, &employer, &registration,
				&start, &end, &entity, &base, &monthly, &title, &designation, &modality, &frequency,
				&days, &x.QuotedWeeks, &x.DiscountedWeeks, &x.ReintegratedWeeks, &status, &complete, &x.SourceStatus, &detail, &warning, &x.Environment,
				&account, &requested, &fetched, &x.ResponseSHA256)
			x.ExternalID, x.CURP, x.NSS, x.FirstName, x.LastName, x.Platform = export.Text(ref), export.Text(curp), export.Text(nss), export.Text(first), export.Text(last), export.Text(platform)
			x.Employer, x.Registration, x.FederalEntity = export.Text(employer), export.Text(registration), export.Text(entity)
			x.BaseSalary, x.MonthlySalary, x.Currency = export.Amount(base), export.Amount(monthly), "MXN"
			x.JobTitle, x.Designation, x.Modality, x.PaymentFrequency = export.Text(title), export.Text(designation), export.Text(modality), export.Text(frequency)
			x.QuotedDays, x.EmploymentStatus, x.HistoryStatus = export.Amount(days), export.Text(status), export.Text(complete)
			x.StatusDetails, x.Warning, x.AccountID, x.Dialect = export.Text(detail), export.Text(warning), export.Text(account), "palenca"
			x.RequestedAt, x.FetchedAt = export.Moment(requested), export.Moment(fetched)
			if start != nil {
				x.StartDate = export.Day(*start)
			}
			if end != nil {
				x.EndDate = export.Day(*end)
			}
			if !yield(x, err) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(export.Row{}, err)
		}
	}
}

// watchHeap looks at the heap until the function it gives is called, which tells by how many MiB it grew at most.
func watchHeap() func() float64 {
	runtime.GC()
	used := func() float64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return float64(sample[0].Value.Uint64()) / (1 << 20)
	}
	start := used()
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		most := used()
		for {
			select {
			case <-stop:
				peak <- max(most, used())
				return
			case <-tick.C:
				most = max(most, used())
			}
		}
	}()
	return func() float64 {
		close(stop)
		return max(<-peak-start, 0)
	}
}
