package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// HappeningKind is what a line of a person's history tells of. The order is that of keys of one moment (Happening.Key).
type HappeningKind int

const (
	HappenedLookup   HappeningKind = iota // asked for; Word is lookup.Source, Text the own reference
	HappenedAttempt                       // asked again; Word is lookup.Source, Text the number
	HappenedOutcome                       // an attempt ended; Word is lookup.Status, Text the detail
	HappenedPull                          // data were fetched; Word is lookup.PullState, Text the lookup.Entity
	HappenedDelivery                      // a webhook came; Word is webhook.Verdict, Text the event, Subject the delivery
	HappenedConsent                       // a consent was recorded; Word is how it was given, Text the notice's version
	HappenedAct                           // somebody saw, revealed or took something; Word is audit.Action, Text a tag's or new owner's name; of an export the reason, and Subject its receipt
	HappenedNote                          // somebody wrote a note on a lookup; Text is the note
	HappenedExport                        // data left in a file of many people; Word is receipt.Kind, Text the reason, Subject the receipt
)

// Happening is one line of everything known of a person: who asked, what came, who looked.
type Happening struct {
	At        time.Time
	Key       int64 // of its own table's key and the kind: unique, and orders what happened at one moment
	Kind      HappeningKind
	Who       string // "" when nobody of ours did it
	WhoID     int64  // of the user; 0 where it matters to nobody
	Word      string // of the kind's fixed set
	Text      string
	LookupUID uuid.UUID // zero for what belongs to no lookup
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	Subject   uuid.UUID
}

// happeningsOf is every happening of a person, one branch a kind. Each branch is reached by the person's index or by that of
// their lookups. A request is told by the lookup itself and not once more by the trail.
const happeningsOf = `
  from (
    select l.requested_at as at, l.id * 16 as key, 0 as kind, u.name as who, null::bigint as who_id, l.source as word, l.reference as text, l.id as lookup_id, null::uuid as subject
      from lookups l join users u on u.id = l.requested_by where l.person_id = $1
    union all
    select a.requested_at, a.id * 16 + 1, 1, '', null, a.source, a.number::text, a.lookup_id, null
      from lookups l join attempts a on a.lookup_id = l.id where l.person_id = $1 and a.number > 1
    union all
    select a.settled_at, a.id * 16 + 2, 2, '', null, a.status, a.detail, a.lookup_id, null
      from lookups l join attempts a on a.lookup_id = l.id where l.person_id = $1 and a.settled_at is not null
    union all
    select q.fetched_at, q.id * 16 + 3, 3, '', null, q.state, q.kind, q.lookup_id, null
      from lookups l join pulls q on q.lookup_id = l.id where l.person_id = $1
    union all
    select d.received_at, d.id * 16 + 4, 4, '', null, d.verdict, d.action, d.lookup_id, d.uid
      from lookups l join deliveries d on d.lookup_id = l.id where l.person_id = $1
    union all -- a copy of the same bytes is not read again: it belongs where its first belongs
    select d.received_at, d.id * 16 + 4, 4, '', null, d.verdict, t.action, t.lookup_id, d.uid
      from lookups l join deliveries t on t.lookup_id = l.id join deliveries d on d.twin_of = t.id where l.person_id = $1 and d.lookup_id is null
    union all
    select k.created_at, k.id * 16 + 5, 5, u.name, null, k.means, k.notice_version, null, null
      from consents k join users u on u.id = k.recorded_by where k.person_id = $1
    union all
    select e.at, e.id * 16 + 6, 6, e.actor, e.actor_id, e.action,
           case when e.action in ('lookup.tagged', 'lookup.untagged') then (select t.name from tags t where t.uid::text = e.subject)
                when e.action = 'lookup.owner' then (select o.name from users o where o.uid::text = e.subject) else r.reason end, e.lookup_id, r.uid
      from audit_entries e
      left join lateral (select x.uid, x.reason from receipts x
                          where x.uid = case when e.action in ('lookup.exported', 'lookup.report') and length(e.subject) = 36 then e.subject::uuid end limit 1) r on true
     where e.person_id = $1 and e.action not in ('lookup.requested', 'lookup.noted')
    union all
    select n.written_at, n.id * 16 + 7, 7, n.author, null, '', n.text, n.lookup_id, null
      from lookups l join case_notes n on n.lookup_id = l.id where l.person_id = $1
    union all` + exportedOf + `
  ) h
  left join lookups l on l.id = h.lookup_id
  left join connections c on c.id = l.connection_id
`

// PersonHistory gives a stretch of everything known of a person of an environment, newest first, and whether there is more
// on either side.
func (db *DB) PersonHistory(ctx context.Context, env lookup.Environment, uid uuid.UUID, page lookup.Page) (list []Happening, newer, older bool, err error) {
	var id int64
	if err := db.pool.QueryRow(ctx, `-- name: person id
select id from people where environment = $1 and uid = $2`, env, uid).Scan(&id); err != nil {
		return nil, false, false, found(err)
	}
	text, args, backwards := historyPage(id, page)
	rows, err := db.pool.Query(ctx, text, args...)
	if err != nil {
		return nil, false, false, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (h Happening, err error) {
		err = row.Scan(&h.At, &h.Key, &h.Kind, &h.Who, &h.WhoID, &h.Word, &h.Text, &h.LookupUID, &h.Dialect, &h.Platform, &h.Subject)
		return h, err
	})
	if err != nil {
		return nil, false, false, err
	}
	list, newer, older = turn(list, page, backwards)
	return list, newer, older, nil
}

// historyPage writes the statement for a stretch of a history. The person stands in each branch, so that each reaches its rows
// by an index.
func historyPage(personID int64, page lookup.Page) (text string, args []any, backwards bool) {
	w := where{args: []any{personID}}
	w.add("true")
	return w.page("history of person", `h.at, h.key, h.kind, h.who, coalesce(h.who_id, 0), h.word, coalesce(h.text, ''),
       coalesce(l.uid, '00000000-0000-0000-0000-000000000000'), coalesce(c.dialect, ''), coalesce(l.platform, ''),
       coalesce(h.subject, '00000000-0000-0000-0000-000000000000')`, happeningsOf, "h.at", "h.key", page)
}

// RevealPerson gives a person's full CURP, RFC or NSS for their own page, and writes that to the trail.
func (db *DB) RevealPerson(ctx context.Context, env lookup.Environment, uid uuid.UUID, what audit.Action, by audit.Actor) (value string, err error) {
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var id int64
		var curp, rfc, nss string
		if err := tx.QueryRow(ctx, `-- name: reveal of person
select id, coalesce(curp, ''), coalesce(rfc, ''), nss from people where environment = $1 and uid = $2`, env, uid).Scan(&id, &curp, &rfc, &nss); err != nil {
			return found(err)
		}
		value = map[audit.Action]string{audit.CURPRevealed: curp, audit.RFCRevealed: rfc, audit.NSSRevealed: nss}[what]
		return record(ctx, tx, by, note{action: what, personID: id})
	})
	return value, err
}
