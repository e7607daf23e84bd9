package db_test

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"testing"
	"time"

	"github.com/gocarina/gocsv"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/export"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

// byGocsv is the file that gocsv makes of rows.
func byGocsv[T any](t *testing.T, rows []T) string {
	t.Helper()
	out := bytes.NewBufferString("\xef\xbb\xbf")
	w := csv.NewWriter(out)
	w.UseCRLF = true
	if err := gocsv.MarshalCSV(rows, gocsv.NewSafeCSVWriter(w)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// fileOf is the file of a kind, as the database writes its cells.
func (b *bench) fileOf(kind receipt.Kind) string {
	b.t.Helper()
	_, file, err := b.MakeExport(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Kind: kind}), export.Write, b.by)
	b.must(err)
	return string(file)
}

// Each cell of a list's file is what the page reads of the same row, in the form that gocsv gives it, byte for byte. No two
// columns hold the same, so that none can stand for another.
func TestExportedLookupsAreGocsvs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	open, over := b.taken("acc"), b.request(lookup.Sandbox, eduardo)
	b.exec(`update people p set name = '+ÑANDÚ "EL", José' from lookups l where l.person_id = p.id and l.id = $1`, open.id)
	b.exec(`update people p set curp = null, rfc = 'ÑAN900101AB1' from lookups l where l.person_id = p.id and l.id = $1`, over.id)
	b.exec(`update users set name = '=Inés, 2'`)
	b.exec(`update lookups set reference = '000123', source = 'bulk', status = 'success', detail = '', warning = 'a "warning"', requested_at = '2026-03-01 23:30:05.9Z',
  status_at = '2026-03-02 04:01:06Z', profile_state = 'partial', employment_state = 'complete', records = 7, employers = 3, employer = E'@Abarrotes\n"La Ñ", S.A.',
  employed_since = '2019-02-28', ended_on = null, monthly_salary = '-12345.60' where id = $1`, open.id)
	b.exec(`update lookups set reference = '', platform = 'issste', status = 'incomplete', detail = 'invalid_nss', requested_at = '2026-02-28 23:59:59Z', status_at = '2026-03-05 00:00:00Z',
  profile_state = 'failed', employment_state = 'empty', employer = '', employed_since = null, ended_on = '2020-02-29', monthly_salary = '' where id = $1`, over.id)
	rows, _, _, err := b.Lookups(b.ctx, lookup.Sandbox, lookup.Filter{}, lookup.Page{Limit: 10}, time.UTC)
	b.must(err)
	var want []export.LookupRow
	for _, r := range rows {
		want = append(want, export.LookupRow{LookupID: r.UID.String(), ExternalID: export.Text(r.Reference), CURP: export.Text(r.CURP), RFC: export.Text(r.RFC), PersonID: r.PersonUID.String(),
			PersonName: export.Text(r.PersonName), Platform: export.Text(r.Platform), Dialect: string(r.Dialect), Environment: string(r.Environment), Origin: string(r.Source),
			RequestedBy: export.Text(r.RequestedBy), RequestedAt: export.Moment(r.RequestedAt), SourceStatus: string(r.State.Status), StatusDetails: export.Text(r.State.Detail),
			Warning: export.Text(r.State.Warning), StatusAt: export.Moment(r.StatusAt), ProfileState: string(r.Profile), EmploymentState: string(r.Employment), Records: r.Gist.Records,
			Employers: r.Gist.Employers, Employer: export.Text(r.Gist.CurrentName), EmployedSince: export.Day(r.Gist.Since), EndedOn: export.Day(r.Gist.EndedOn),
			MonthlySalary: export.Amount(r.Gist.MonthlySalary)})
	}
	if len(want) != 2 {
		t.Fatalf("%d lookups", len(want))
	}
	if diff := cmp.Diff(byGocsv(t, want), b.fileOf(receipt.Lookups)); diff != "" {
		t.Errorf("(-gocsv +ours):\n%s", diff)
	}
}

func TestExportedDeliveriesAreGocsvs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.taken("acc")
	b.exec(`update lookups set reference = '=007' where id = $1`, m.id)
	b.exec(`update subscriptions set name = 'Gancho "A", ñ' where id = $1`, b.hook.ID)
	b.tell(success("acc"))
	b.deliver(func(r *db.Receipt) { r.Verdict, r.Cause, r.Answer = webhook.Refused, webhook.CauseMethod, 405 })
	b.tell(created("nobody1"))
	b.deliver()
	b.exec(`update deliveries set received_at = timestamptz '2026-03-01 23:59:59.987Z' + id * interval '1 hour 1 millisecond', remote_addr = '203.0.113.' || id, answer_micros = 1000 + id, runs = id,
  processed_at = case when processed_at is not null then timestamptz '2026-03-09 06:05:04.003Z' + id * interval '1 second' end, account_id = case when account_id = '' then '' else '+' || account_id end`)
	list, _, _, err := b.Deliveries(b.ctx, lookup.Sandbox, webhook.Filter{}, lookup.Page{Limit: 10}, time.UTC)
	b.must(err)
	var want []export.DeliveryRow
	states := map[webhook.State]bool{}
	for _, l := range list {
		d, err := b.ViewDelivery(b.ctx, lookup.Sandbox, l.UID, audit.DeliveryViewed, b.by)
		b.must(err)
		row := export.DeliveryRow{DeliveryID: d.UID.String(), ReceivedAt: export.Milli(d.ReceivedAt), Environment: string(d.Environment), Dialect: string(d.Dialect), SubscriptionID: d.Hook.String(),
			Subscription: export.Text(d.Subscription), RemoteAddress: export.Text(d.RemoteAddr), Method: export.Text(d.Method), BodyBytes: int64(d.Size), BodySHA256: hex.EncodeToString(d.SHA256),
			Verdict: string(d.Verdict), Cause: string(d.Cause), Answered: d.Answered, AnswerMicros: int64(d.AnswerMicros), State: string(d.State()), ProcessedAt: export.Milli(d.ProcessedAt),
			Runs: d.Attempts, Action: export.Text(d.Action), AccountID: export.Text(d.AccountID), ExternalID: export.Text(d.Reference)}
		if d.LookupUID != uuid.Nil {
			row.LookupID = d.LookupUID.String()
		}
		states[d.State()] = true
		want = append(want, row)
	}
	if len(want) != 4 || len(states) != 3 {
		t.Fatalf("%d deliveries in %d states", len(want), len(states))
	}
	if diff := cmp.Diff(byGocsv(t, want), b.fileOf(receipt.Deliveries)); diff != "" {
		t.Errorf("(-gocsv +ours):\n%s", diff)
	}
}
