package db

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// column is one of an exported file: its name there and the text it holds. The names have to be those of the file's shape
// in package export, in its order, or nothing is written.
type column struct{ name, text string }

// extract is how a kind of list is exported: the ids that the filter lets through, newest first as on the page, and the
// rows of some of them, from "unnest($1::bigint[]) with ordinality as k (id, n)".
type extract struct {
	columns []column
	tables  string
	person  string // whose data a row holds, by id; null: nobody's
	// Where an item may have several rows: what is the same in all of them is put together once, as "item", and then joined
	// with these. pull is the key that they need beside the columns of the item's.
	pull, rows, order string
}

func instant(column string) string {
	return "coalesce(to_char(" + column + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')`
}

func milli(column string) string {
	return "coalesce(to_char(" + column + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '')`
}

func date(column string) string { return "coalesce(to_char(" + column + ", 'YYYY-MM-DD'), '')" }

// extracts hold what a file of each kind is made of. Of a lookup's records they take what its page shows: the newest
// readable pull, as readAnswer does (TestListedRecordsAreThoseOfThePage).
var extracts = map[receipt.Kind]extract{
	receipt.Records: {
		columns: []column{
			{"lookup_id", "l.uid::text"}, {"external_id", "l.reference"}, {"curp", "coalesce(p.curp, '')"}, {"nss", "coalesce(n.value, '')"},
			{"first_name", "coalesce(f.first_name, '')"}, {"last_name", "coalesce(f.last_name, '')"}, {"platform", "l.platform"},
			{"employer", "r.employer"}, {"employer_registration", "r.registration"}, {"start_date", date("r.start_date")}, {"end_date", date("r.end_date")},
			{"federal_entity", "r.federal_entity"}, {"base_salary", "r.base_salary"}, {"monthly_salary", "r.monthly_salary"},
			{"currency", "case when r.base_salary <> '' or r.monthly_salary <> '' then 'MXN' else '' end"},
			{"job_title", "r.job_title"}, {"designation", "r.designation"}, {"modality", "r.modality"}, {"payment_frequency", "r.payment_frequency"},
			{"quoted_days", "r.quoted_days"}, {"quoted_weeks", "coalesce(e.quoted_weeks::text, '')"},
			{"discounted_weeks", "coalesce(e.discounted_weeks::text, '')"}, {"reintegrated_weeks", "coalesce(e.reintegrated_weeks::text, '')"},
			{"employment_status", "e.status"}, {"history_status", "e.complete"}, {"source_status", "l.status"}, {"status_details", "l.detail"},
			{"warning", "l.warning"}, {"environment", "l.environment"}, {"dialect", "c.dialect"}, {"account_id", "coalesce(a.account_id, '')"},
			{"requested_at", instant("l.requested_at")}, {"fetched_at", instant("q.fetched_at")}, {"response_sha256", "encode(q.sha256, 'hex')"},
		},
		tables: `
  join lookups l on l.id = k.id
  join people p on p.id = l.person_id
  join connections c on c.id = l.connection_id
 cross join lateral (select id, fetched_at, sha256 from pulls where lookup_id = l.id and kind = 'employment' and state <> 'failed' order by id desc limit 1) q
  join employments e on e.pull_id = q.id
  left join lateral (select id from pulls where lookup_id = l.id and kind = 'profile' and state <> 'failed' order by id desc limit 1) i on true
  left join profiles f on f.pull_id = i.id
  left join lateral (select value from profile_ids where pull_id = i.id and (name = 'nss' or type = 'social_security_number')
                      order by (name = 'nss') desc, position limit 1) n on true
  left join lateral (select account_id from attempts where lookup_id = l.id order by number desc limit 1) a on true`,
		person: "l.person_id", pull: "q.id as pull_id", rows: " join employment_records r on r.pull_id = item.pull_id", order: ", r.position",
	},
	receipt.Lookups: {
		columns: []column{
			{"lookup_id", "l.uid::text"}, {"external_id", "l.reference"}, {"curp", "coalesce(p.curp, '')"}, {"rfc", "coalesce(p.rfc, '')"},
			{"person_id", "p.uid::text"}, {"person_name", "p.name"}, {"platform", "l.platform"}, {"dialect", "c.dialect"}, {"environment", "l.environment"},
			{"origin", "l.source"}, {"requested_by", "u.name"}, {"requested_at", instant("l.requested_at")}, {"source_status", "l.status"},
			{"status_details", "l.detail"}, {"warning", "l.warning"}, {"status_at", instant("l.status_at")}, {"profile_state", "l.profile_state"},
			{"employment_state", "l.employment_state"}, {"records", "l.records::text"}, {"employers", "l.employers::text"}, {"employer", "l.employer"},
			{"employed_since", date("l.employed_since")}, {"ended_on", date("l.ended_on")}, {"monthly_salary", "l.monthly_salary"},
		},
		tables: `
  join lookups l on l.id = k.id
  join people p on p.id = l.person_id
  join connections c on c.id = l.connection_id
  join users u on u.id = l.requested_by`,
		person: "l.person_id",
	},
	receipt.Deliveries: {
		columns: []column{
			{"delivery_id", "d.uid::text"}, {"received_at", milli("d.received_at")}, {"environment", "d.environment"}, {"dialect", "c.dialect"},
			{"subscription_id", "s.uid::text"}, {"subscription", "s.name"}, {"remote_address", "d.remote_addr"}, {"method", "d.method"},
			{"body_bytes", "d.body_size::text"}, {"body_sha256", "encode(d.body_sha256, 'hex')"}, {"verdict", "d.verdict"}, {"cause", "d.cause"},
			{"answered", "d.answered::text"}, {"answer_micros", "d.answer_micros::text"},
			{"state", "case when d.verdict = 'refused' then '' when d.processed_at is not null then 'processed' when d.last_error <> '' then 'failing' else 'waiting' end"},
			{"processed_at", milli("d.processed_at")}, {"runs", "d.runs::text"}, {"action", "coalesce(nullif(d.action, ''), t.action, '')"},
			{"account_id", "coalesce(nullif(d.account_id, ''), t.account_id, '')"}, {"lookup_id", "coalesce(l.uid::text, '')"},
			{"external_id", "coalesce(l.reference, '')"},
		},
		tables: `
  join deliveries d on d.id = k.id
  join connections c on c.id = d.connection_id
  join subscriptions s on s.id = d.subscription_id
  left join deliveries t on t.id = d.twin_of
  left join lookups l on l.id = coalesce(d.lookup_id, t.lookup_id)`,
		person: "l.person_id",
	},
}

func (e extract) names() []string {
	names := make([]string, len(e.columns))
	for i, c := range e.columns {
		names[i] = c.name
	}
	return names
}

// statement reads the rows of some items, in their order. Before the cells of each stands whose data they are.
func (e extract) statement() string {
	once, each := []string{"coalesce(" + e.person + "::text, '') as whose"}, []string{"item.whose"}
	for _, c := range e.columns {
		if e.rows == "" || !strings.Contains(c.text, "r.") {
			once, each = append(once, c.text+" as "+c.name), append(each, "item."+c.name)
		} else {
			each = append(each, c.text)
		}
	}
	const items = " from unnest($1::bigint[]) with ordinality as k (id, n)"
	if e.rows == "" {
		return "-- name: rows of export\nselect " + strings.Join(once, ", ") + items + e.tables + " order by k.n"
	}
	return "-- name: records of export\nwith item as materialized (select k.n, " + e.pull + ", " + strings.Join(once, ", ") + items + e.tables + ")\nselect " +
		strings.Join(each, ", ") + " from item" + e.rows + " order by item.n" + e.order
}

// chosen is what a selection lets through, to be read whole.
func chosen(s receipt.Selection) where {
	q := selected(s)
	q.inFacets()
	return q
}

// selected is what a selection lets through.
func selected(s receipt.Selection) where {
	if s.Kind == receipt.Deliveries {
		return deliveryConditions(s.Environment, s.Deliveries, s.Location())
	}
	return lookupConditions(s.Environment, s.Lookups, s.Location())
}

// The ids of many items are read at once, and the rows of a few in one statement: those fit into the memory in which
// PostgreSQL sorts.
const exportGroup = 250

// exportRows gives the rows of a selection within a transaction, newest first, whatever their number: a cursor walks
// over the ids, and groups of them are read by their keys, so that no plan sorts or joins the whole. The statements for
// several groups are sent ahead, so that the database reads while we write. Cells are text and good until the next row. Whose
// data they are is added to of. done is told how many items are through; its error ends the rows.
func exportRows(ctx context.Context, tx pgx.Tx, s receipt.Selection, of crowd, done func(items int64) error) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		w := chosen(s)
		if _, err := tx.Exec(ctx, `-- name: ids of export
declare exported no scroll cursor for select `+w.id+" from "+w.table+w.joins+" where "+w.text()+" order by "+w.at+" desc, "+w.id+" desc", w.args...); err != nil {
			yield(nil, err)
			return
		}
		statement := extracts[s.Kind].statement()
		for items := int64(0); ; {
			found, err := tx.Query(ctx, `-- name: next ids of export
fetch 5000 from exported`, pgx.QueryExecModeExec)
			if err != nil {
				yield(nil, err)
				return
			}
			ids, err := pgx.CollectRows(found, pgx.RowTo[int64])
			if err != nil {
				yield(nil, err)
			}
			if err != nil || len(ids) == 0 {
				return
			}
			read := func(n int) error { items += int64(n); return done(items) }
			if !exportGroups(ctx, tx, statement, ids, of, read, yield) {
				return
			}
		}
	}
}

// exportGroups gives the rows of items, and tells whether to go on after them.
func exportGroups(ctx context.Context, tx pgx.Tx, statement string, ids []int64, of crowd, read func(n int) error, yield func([][]byte, error) bool) (more bool) {
	ahead := &pgx.Batch{}
	groups := slices.Collect(slices.Chunk(ids, exportGroup))
	for _, group := range groups {
		ahead.Queue(statement, group)
	}
	results := tx.SendBatch(ctx, ahead)
	defer func() { _ = results.Close() }() // its error is that of a query below, or of a part that nobody wants
	for _, group := range groups {
		rows, err := results.Query()
		if err != nil {
			yield(nil, err)
			return false
		}
		for rows.Next() {
			cells := rows.RawValues()
			if err := of.addText(cells[0]); err != nil {
				rows.Close()
				yield(nil, err)
				return false
			}
			if !yield(cells[1:], nil) {
				rows.Close()
				return false
			}
		}
		rows.Close()
		err = rows.Err()
		if err == nil {
			err = read(len(group))
		}
		if err != nil {
			yield(nil, err)
			return false
		}
	}
	return true
}

// ExportByHand is the statement that somebody with psql would write for the same rows in the same order, for an
// environment's whole list: what the bench holds exports against. Its first line is a comment.
func ExportByHand(env lookup.Environment, kind receipt.Kind) string {
	e := extracts[kind]
	texts := make([]string, len(e.columns))
	for i, c := range e.columns {
		texts[i] = c.text + " as " + c.name
	}
	from := strings.Replace(e.tables, "join lookups l on l.id = k.id", "", 1) + strings.ReplaceAll(e.rows, "item.pull_id", "q.id")
	return "-- name: export by hand\nselect " + strings.Join(texts, ", ") + " from lookups l" + from + " where l.environment = '" + string(env) + "' order by l.requested_at desc, l.id desc" + e.order
}
