package db

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/seed"
)

// sheet is the rows that go into one table by COPY.
type sheet struct {
	columns []string
	rows    [][]any
}

// sheets put chunks of invented lookups into rows.
type sheets struct {
	hook     Subscription
	analysts []int64
	next     map[string]int64 // the next reserved id of each table
	people   map[string]int64 // all of the sandbox, by CURP: some are asked about again, and invented ones may coincide
	linked   bool             // deliveries name their events at once, which takes that nothing checks it yet
	filled
	unnamed map[int64][]any // rows of people of this chunk, to name them when a later lookup learns how
}

// filled are the rows of one chunk.
type filled struct {
	lookups int
	byTable map[string]*sheet
	links   [2][]int64 // deliveries and their events, paired, unless they are linked
}

// seedTables lists each table with the columns that a seed fills, in an order in which every row finds what it points at.
var seedTables = []struct{ table, columns string }{
	{"people", "id environment curp name nss created_at asked_at"},
	{"consents", "id person_id recorded_by given_at expires_at notice_version means purpose ip created_at"},
	{"lookups", "id uid environment person_id connection_id consent_id platform reference source requested_by requested_at status detail " +
		"warning status_at profile_state employment_state records employers employer employed_since ended_on monthly_salary again"},
	{"attempts", "id uid lookup_id connection_id consent_id number source status detail warning account_id vendor_user_id requested_at sent_at " +
		"settled_at profile_state employment_state settled_by final_event_at"},
	{"deliveries", "id uid environment subscription_id connection_id received_at remote_addr method headers body body_size body_sha256 verdict " +
		"cause answered answer_micros twin_of action account_id lookup_id event_id processed_at runs"},
	{"events", "id attempt_id key nth action phase detail delivery_id received_at"},
	{"moments", "attempt_id at kind status text actor_id delivery_id took_ms"},
	{"changes", "delivery_id what before after"},
	{"pulls", "id uid lookup_id attempt_id event_id kind state fetched_at http_status took_ms code body sha256"},
	{"profiles", "pull_id account_id first_name last_name email phone birthday"},
	{"profile_ids", "pull_id position type name value"},
	{"employments", "pull_id platform account_id id_type status complete end_of_rights quoted_weeks discounted_weeks reintegrated_weeks files"},
	{"employment_records", "pull_id position employer registration start_date end_date federal_entity base_salary monthly_salary job_title " +
		"designation modality payment_frequency quoted_days"},
	{"employment_movements", "pull_id position type employer registration event_date end_date base_salary"},
}

// fill puts a chunk of lookups with everything that belongs to them into rows.
func (s *sheets) fill(chunk []*seed.Lookup) filled {
	s.filled = filled{lookups: len(chunk), byTable: map[string]*sheet{}}
	for _, t := range seedTables {
		s.byTable[t.table] = &sheet{columns: strings.Fields(t.columns)}
	}
	s.unnamed = map[int64][]any{}
	for _, l := range chunk {
		s.lookup(l)
	}
	return s.filled
}

// store writes the rows of a chunk.
func (f filled) store(ctx context.Context, tx pgx.Tx) error {
	for _, t := range seedTables {
		sheet := f.byTable[t.table]
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.table}, sheet.columns, pgx.CopyFromRows(sheet.rows)); err != nil {
			return fmt.Errorf("copy %s: %w", t.table, err)
		}
	}
	if f.links[0] == nil {
		return nil
	}
	// Deliveries and events point at each other, so one side is filled in afterwards.
	_, err := tx.Exec(ctx, `-- name: seeded events
update deliveries d set event_id = link.event_id from unnest($1::bigint[], $2::bigint[]) as link (id, event_id) where d.id = link.id`,
		f.links[0], f.links[1])
	return err
}

func (s *sheets) add(table string, row ...any) {
	s.byTable[table].rows = append(s.byTable[table].rows, row)
}

// id takes the next reserved id of a table.
func (s *sheets) id(table string) int64 {
	id := s.next[table]
	s.next[table]++
	return id
}

func (s *sheets) lookup(l *seed.Lookup) {
	by := s.analysts[l.Analyst]
	person := s.person(l)
	consent := s.id("consents")
	c := l.Consent
	s.add("consents", consent, person, by, c.GivenAt, c.ExpiresAt, c.NoticeVersion, c.Means, c.Purpose, c.IP, c.GivenAt)
	g := l.Gist
	again := ""
	if last := l.Attempts[len(l.Attempts)-1]; last.Source.Again() {
		again = string(last.Source)
	}
	s.add("lookups", l.ID, [16]byte(l.UID), string(l.Environment), person, s.hook.ConnectionID, consent, string(l.Platform), l.Reference, string(l.Source), by,
		l.RequestedAt, string(l.State.Status), l.State.Detail, l.State.Warning, l.StatusAt, string(l.Profile), string(l.Employment),
		g.Records, g.Employers, g.CurrentName, orNull(g.Since), orNull(g.EndedOn), g.MonthlySalary, again)
	events := make([][]int64, len(l.Attempts))
	for i, a := range l.Attempts {
		for range a.Events {
			events[i] = append(events[i], s.id("events"))
		}
	}
	deliveries := s.deliveries(l, events)
	for i := range l.Attempts {
		s.attempt(l, &l.Attempts[i], by, consent, deliveries, events[i])
	}
}

// person gives the id of the lookup's person, who may have been asked about before.
func (s *sheets) person(l *seed.Lookup) int64 {
	id, known := s.people[l.CURP]
	if !known {
		id = s.id("people")
		s.people[l.CURP] = id
		row := []any{id, string(l.Environment), l.CURP, "", "", l.RequestedAt, l.RequestedAt}
		s.add("people", row...)
		s.unnamed[id] = row
	}
	if row := s.unnamed[id]; row != nil && l.PersonName != "" {
		row[3], row[4] = l.PersonName, l.NSS
	}
	return id
}

// deliveries adds those of a lookup and gives their ids.
func (s *sheets) deliveries(l *seed.Lookup, events [][]int64) []int64 {
	ids := make([]int64, len(l.Deliveries))
	for i := range l.Deliveries {
		ids[i] = s.id("deliveries")
	}
	for i, d := range l.Deliveries {
		var lookupID, twin, event any
		if d.Attempt != seed.None {
			lookupID = l.ID
			if id := events[d.Attempt][d.Event]; s.linked {
				event = id
			} else {
				s.links[0], s.links[1] = append(s.links[0], ids[i]), append(s.links[1], id)
			}
		}
		if d.TwinOf != seed.None {
			twin = ids[d.TwinOf]
		}
		s.add("deliveries", ids[i], [16]byte(d.UID), string(l.Environment), s.hook.ID, s.hook.ConnectionID, d.ReceivedAt, d.RemoteAddr, d.Method, seededHeaders,
			d.Body, d.Size, d.SHA256, string(d.Verdict), string(d.Cause), d.Answered, d.AnswerMicros, twin, d.Action, d.AccountID, lookupID, event, d.ProcessedAt, d.Attempts)
		for _, c := range d.Changes {
			s.add("changes", ids[i], c.What, c.Before, c.After)
		}
	}
	return ids
}

var seededHeaders = []byte(`[["content-type","application/json"],["user-agent","Palenca-Webhooks/1.0"]]`)

func (s *sheets) attempt(l *seed.Lookup, a *seed.Attempt, by, consent int64, deliveries, events []int64) {
	id := s.id("attempts")
	s.add("attempts", id, [16]byte(a.UID), l.ID, s.hook.ConnectionID, consent, a.Number, string(a.Source), string(a.State.Status), a.State.Detail, a.State.Warning,
		a.AccountID, a.VendorUserID, a.RequestAt, orNull(a.SentAt), orNull(a.SettledAt), string(a.Profile), string(a.Employment), settledBy(a), heardAt(a))
	for i, e := range a.Events {
		s.add("events", events[i], id, e.Key, 1, e.Action, string(e.Report.Phase), e.Report.Detail, deliveries[e.Delivery], e.ReceivedAt)
	}
	for _, m := range a.Moments {
		var actor, delivery any
		if m.ByAnalyst {
			actor = by
		}
		if m.Delivery != seed.None {
			delivery = deliveries[m.Delivery]
		}
		s.add("moments", id, m.At, string(m.Kind), string(m.Status), m.Text, actor, delivery, m.TookMS)
	}
	for i := range a.Pulls {
		s.pull(l.ID, id, events, &a.Pulls[i])
	}
}

// heardAt is when an event first told an attempt's outcome; nil when none did.
func heardAt(a *seed.Attempt) (at any) {
	for _, e := range a.Events {
		if e.Report.Phase.Final() {
			return e.ReceivedAt
		}
	}
	// Of some lookups a seed leaves the deliveries out; what the vendor took up was told by one.
	if a.AccountID != "" && !a.State.Status.Open() && a.State.Status != lookup.Expired {
		return orNull(a.SettledAt)
	}
	return nil
}

func settledBy(a *seed.Attempt) string {
	switch {
	case a.State.Status.Open():
		return string(lookup.SettledNot)
	case heardAt(a) != nil:
		return string(lookup.SettledWebhook)
	case a.State.Status == lookup.Expired:
		return string(lookup.SettledExpired)
	}
	return string(lookup.SettledRefused)
}

func (s *sheets) pull(lookupID, attemptID int64, events []int64, p *seed.Pull) {
	id := s.id("pulls")
	var event any
	if p.Event != seed.None {
		event = events[p.Event]
	}
	sum := sha256.Sum256(p.Body)
	s.add("pulls", id, [16]byte(p.UID), lookupID, attemptID, event, p.Kind, string(p.State), p.FetchedAt, p.Status, p.TookMS, p.Code, p.Body, sum[:])
	if who := p.Profile; who != nil {
		s.add("profiles", id, who.AccountID, who.FirstName, who.LastName, who.Email, who.Phone, orNull(who.Birthday))
		for i, n := range who.IDs {
			s.add("profile_ids", id, i, n.Type, n.Name, n.Value)
		}
	}
	h := p.History
	if h == nil {
		return
	}
	files := make([]string, len(h.Files))
	for i, f := range h.Files {
		files[i] = f.Type
	}
	s.add("employments", id, h.Platform, h.AccountID, h.IDType, h.Status, h.Complete, h.EndOfRight, h.Weeks.Quoted, h.Weeks.Discounted, h.Weeks.Reintegrated, files)
	for i, r := range h.Records {
		s.add("employment_records", id, i, r.Employer, r.Registration, orNull(r.Start), orNull(r.End), r.State, r.BaseSalary, r.Monthly,
			r.JobTitle, r.Designation, r.Modality, r.PayFrequency, r.QuotedDays)
	}
	for i, m := range h.Movements {
		s.add("employment_movements", id, i, m.Type, m.Employer, m.Registration, orNull(m.Date), orNull(m.End), m.BaseSalary)
	}
}
