package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/internal/audit"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
)

// SearchKept is how long the pages of a search may be turned and gone back to.
const SearchKept = time.Hour

const searchPurpose = "searches.sealed"

// KeepSearch keeps what a user typed into the search box, sealed, and gives the id under which only they may open it.
func (db *DB) KeepSearch(ctx context.Context, env lookup.Environment, text string, userID int64) (id uuid.UUID, err error) {
	id = uuid.New()
	sealed, err := db.seal([]byte(text), searchPurpose+"."+id.String())
	if err != nil {
		return id, err
	}
	_, err = db.pool.Exec(ctx, `-- name: keep search
insert into searches (id, environment, user_id, sealed, expires_at) values ($1, $2, $3, $4, clock_timestamp() + $5::interval)`, id, env, userID, sealed, SearchKept)
	return id, err
}

// KeptSearch gives the text of a search to its user; ErrNotFound when it is somebody else's, of the other environment, or over.
func (db *DB) KeptSearch(ctx context.Context, env lookup.Environment, id uuid.UUID, userID int64) (text string, err error) {
	var sealed []byte
	if err := db.pool.QueryRow(ctx, `-- name: kept search
select sealed from searches where id = $1 and environment = $2 and user_id = $3 and expires_at > clock_timestamp()`, id, env, userID).Scan(&sealed); err != nil {
		return "", found(err)
	}
	plain, err := db.open(sealed, searchPurpose+"."+id.String())
	return string(plain), err
}

// Found is one page of what a search found: people or lookups, as the reading is of the one or the other.
type Found struct {
	Reading      find.Reading
	Vain         []find.Kind // readings tried before it that found nothing
	People       []FoundPerson
	Lookups      []lookup.Row
	Employers    []string // whose names hold the words, the first few
	ManyEmployer bool     // so many employers hold the words that not all of them were looked through
	Newer, Older bool     // there is a page before and after this one
	First, Last  lookup.Cursor
}

// Hits counts what the page shows.
func (f Found) Hits() int { return len(f.People) + len(f.Lookups) }

// FoundPerson is a person who was found, with the newest lookup of them.
type FoundPerson struct {
	ID                   int64
	UID                  uuid.UUID
	CURP, RFC, Name, NSS string
	AskedAt              time.Time
	Lookups              int        // FoundLookups at most
	Latest               lookup.Row // zero: nobody ever got to ask
}

// FoundLookups is up to how many lookups of a found person are counted.
const FoundLookups = 100

// Find looks for the first reading that finds anything, and writes to the trail what kind of search it was and how much was
// shown; who was found, when it is one person. The text itself is written nowhere.
func (db *DB) Find(ctx context.Context, env lookup.Environment, readings []find.Reading, page lookup.Page, by audit.Actor) (f Found, err error) {
	if len(readings) == 0 {
		return f, nil
	}
	err = db.inTx(ctx, func(tx pgx.Tx) error {
		var vain []find.Kind
		for _, r := range readings {
			if f, err = findReading(ctx, tx, env, r, page); err != nil {
				return err
			}
			if f.Hits() > 0 {
				break
			}
			vain = append(vain, r.Kind)
		}
		if f.Hits() == 0 {
			f = Found{Reading: readings[0]}
		} else {
			f.Vain = vain
		}
		personID, err := onePerson(ctx, tx, f)
		if err != nil {
			return err
		}
		detail := string(f.Reading.Kind) + " " + strconv.Itoa(f.Hits())
		if f.Newer || f.Older {
			detail += "+"
		}
		return record(ctx, tx, by, note{action: audit.Searched, personID: personID, detail: detail})
	})
	return f, err
}

func findReading(ctx context.Context, tx pgx.Tx, env lookup.Environment, r find.Reading, page lookup.Page) (Found, error) {
	switch r.Kind {
	case find.Reference:
		return findReference(ctx, tx, env, r, page)
	case find.Employer:
		return findEmployer(ctx, tx, env, r, page)
	}
	return findPeople(ctx, tx, env, r, page)
}

// onePerson gives the id of the person whom a page shows, when it is the only one there is; else 0.
func onePerson(ctx context.Context, tx pgx.Tx, f Found) (id int64, err error) {
	if f.Newer || f.Older || f.Hits() == 0 {
		return 0, nil
	}
	uid := uuid.Nil
	for _, p := range f.People {
		if uid != uuid.Nil && uid != p.UID {
			return 0, nil
		}
		uid = p.UID
	}
	for _, l := range f.Lookups {
		if uid != uuid.Nil && uid != l.PersonUID {
			return 0, nil
		}
		uid = l.PersonUID
	}
	err = tx.QueryRow(ctx, `-- name: found person
select id from people where uid = $1`, uid).Scan(&id)
	return id, err
}

// begins narrows to texts that begin with a prefix: one stretch of an index in the order of bytes, whatever the plan.
func (w *where) begins(column, prefix string) {
	w.add(column+` >= ? and `+column+` < ?::text || chr(1114111)`, prefix, prefix)
}

// climb writes the statement for a page in rising order of a text and an id; edge is where the page before or after ends.
func (w *where) climb(name, columns, tables, key, id string, page lookup.Page, edge string) (text string, args []any, backwards bool) {
	order := key + ", " + id
	switch {
	case page.Before != (lookup.Cursor{}):
		w.add("("+key+", "+id+") < (?, ?)", edge, page.Before.ID)
		order, backwards = key+" desc, "+id+" desc", true
	case page.After != (lookup.Cursor{}):
		w.add("("+key+", "+id+") > (?, ?)", edge, page.After.ID)
	}
	w.args = append(w.args, page.Limit+1)
	return "-- name: " + name + "\nselect " + columns + tables + " where " + strings.Join(w.conditions, " and ") +
		"\n order by " + order + " limit $" + strconv.Itoa(len(w.args)), w.args, backwards
}

const (
	foundColumns = `p.id, p.uid, coalesce(p.curp, ''), coalesce(p.rfc, ''), p.name, p.nss, p.asked_at`
	identifier   = `(coalesce(p.curp, p.rfc) collate "C")`
	number       = `(p.nss collate "C")`
	reference    = `(lower(l.reference) collate "C")`
)

// nearby is among how many people a common name is looked for before the index of beginnings is asked, which has more rows of it.
const nearby = 4000

// namesNearby writes the statement that finds people by name among those who follow a page's cursor next.
func namesNearby(env lookup.Environment, r find.Reading, page lookup.Page) (text string, args []any, backwards bool) {
	q := where{}
	q.add("p.environment = ?", env)
	order, backwards := q.from("p.asked_at", "p.id", page)
	args = append(q.args, find.Query(r.Words))
	return "-- name: people by name, nearby\nselect " + foundColumns + " from (select p.id, p.uid, p.curp, p.rfc, p.name, p.nss, p.asked_at, p.words from people p where " + q.text() +
		order.rows(nearby) + ") p where p.words @@ " + arg(len(args)) + "::tsquery" + order.rows(page.Limit+1), args, backwards
}

// namesAnywhere writes the statement that finds people by name from the index of beginnings. Without a limit beside the words the
// planner has no hope of meeting enough of them soon.
func namesAnywhere(env lookup.Environment, r find.Reading, page lookup.Page) (text string, args []any, backwards bool) {
	q := where{}
	q.add("p.environment = ?", env)
	q.add("word_beginnings(p.words) @@ ?::tsquery", find.Beginnings(r.Words))
	order, backwards := q.from("p.asked_at", "p.id", page)
	return "-- name: people by name\nwith hit as materialized (select p.id, p.asked_at from people p where " + q.text() + ")\nselect " + foundColumns +
		" from people p where p.id in (select p.id from hit p" + order.rows(page.Limit+1) + ")" + order.rows(page.Limit+1), q.args, backwards
}

// peoplePage writes the statement that finds people by an identifier; edge gives the sorting text of a row that a page ends at.
func peoplePage(env lookup.Environment, r find.Reading, page lookup.Page, edge string) (text string, args []any, backwards bool) {
	q := where{}
	q.add("p.environment = ?", env)
	switch r.Kind {
	case find.NSS:
		q.add("p.nss <> ''")
		q.begins(number, r.Key)
		return q.climb("people by number", foundColumns, "\n  from people p", number, "p.id", page, edge)
	case find.RFC:
		// A person's RFC and CURP begin with the same ten characters (docs/vendor.md#rfc), but for Ñ, which a CURP writes X. What
		// follows them is the RFC's own, and can only be compared where the RFC is what was asked about.
		begin := []rune(r.Key)
		if begin = begin[:min(len(begin), 10)]; '0' <= begin[3] && begin[3] <= '9' { // a company, which has no CURP
			q.begins(identifier, r.Key)
			break
		}
		curp := strings.NewReplacer("Ñ", "X", "&", "X").Replace(string(begin))
		q.add(`(`+identifier+` >= ? and `+identifier+` < ?::text || chr(1114111) and starts_with(p.rfc, ?) or p.curp is not null and `+
			identifier+` >= ? and `+identifier+` < ?::text || chr(1114111))`, r.Key, r.Key, r.Key, curp, curp)
	default:
		q.begins(identifier, r.Key)
	}
	return q.climb("people by identifier", foundColumns, "\n  from people p", identifier, "p.id", page, edge)
}

// freshPlan has the statement planned for the very text that is looked for: how common a word is decides how it is found.
const freshPlan = pgx.QueryExecModeCacheDescribe

func people(ctx context.Context, tx pgx.Tx, text string, args []any) ([]FoundPerson, error) {
	rows, err := tx.Query(ctx, text, append([]any{freshPlan}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p FoundPerson, err error) {
		err = row.Scan(&p.ID, &p.UID, &p.CURP, &p.RFC, &p.Name, &p.NSS, &p.AskedAt)
		return p, err
	})
}

func findPeople(ctx context.Context, tx pgx.Tx, env lookup.Environment, r find.Reading, page lookup.Page) (f Found, err error) {
	f.Reading = r
	edge := ""
	if id := edgeOf(page); id != 0 && r.Kind != find.Name {
		if err := tx.QueryRow(ctx, `-- name: edge of people
select case when $3 then nss else coalesce(curp, rfc) end from people where environment = $1 and id = $2`, env, id, r.Kind == find.NSS).Scan(&edge); err != nil {
			return f, found(err)
		}
	}
	var backwards bool
	if r.Kind == find.Name {
		f.People, backwards, err = peopleByName(ctx, tx, env, r, page)
	} else {
		var text string
		var args []any
		text, args, backwards = peoplePage(env, r, page, edge)
		f.People, err = people(ctx, tx, text, args)
	}
	if err != nil {
		return f, err
	}
	if f.People, f.Newer, f.Older = turn(f.People, page, backwards); len(f.People) == 0 {
		return f, nil
	}
	first, last := f.People[0], f.People[len(f.People)-1]
	f.First, f.Last = lookup.Cursor{At: first.AskedAt, ID: first.ID}, lookup.Cursor{At: last.AskedAt, ID: last.ID}
	return f, addLatest(ctx, tx, f.People)
}

// peopleByName looks for a name so common that those nearby fill a page among these first, and for any other in the index of beginnings.
func peopleByName(ctx context.Context, tx pgx.Tx, env lookup.Environment, r find.Reading, page lookup.Page) (list []FoundPerson, backwards bool, err error) {
	n, err := expected(ctx, tx, r)
	if err != nil {
		return nil, false, err
	}
	common := n > nearby
	if common {
		if err := tx.QueryRow(ctx, `-- name: common name
select coalesce($1 / nullif(reltuples, 0) * $2 > $3, false) from pg_class where oid = 'people'::regclass`, n, nearby, page.Limit).Scan(&common); err != nil {
			return nil, false, err
		}
	}
	if common {
		text, args, backwards := namesNearby(env, r, page)
		if list, err = people(ctx, tx, text, args); err != nil || len(list) > page.Limit {
			return list, backwards, err
		}
	}
	text, args, backwards := namesAnywhere(env, r, page)
	list, err = people(ctx, tx, text, args)
	return list, backwards, err
}

// expected is how many people the planner expects to have a name. It knows how common the most common words are, and a wrong
// answer costs time and nothing else.
func expected(ctx context.Context, tx pgx.Tx, r find.Reading) (rows float64, err error) {
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	err = tx.QueryRow(ctx, `-- name: people expected
explain (format json) select p.id from people p where word_beginnings(p.words) @@ $1::tsquery`, freshPlan, find.Beginnings(r.Words)).Scan(&plans)
	if err == nil && len(plans) != 1 {
		err = errors.New("a plan without rows")
	}
	if err != nil {
		return 0, fmt.Errorf("reckon how many have a name: %w", err)
	}
	return plans[0].Plan.Rows, nil
}

// addLatest adds to found people the newest lookup of each, and how many there are.
func addLatest(ctx context.Context, tx pgx.Tx, people []FoundPerson) error {
	at := map[uuid.UUID]*FoundPerson{}
	ids := make([]int64, len(people))
	for i := range people {
		ids[i] = people[i].ID
		at[people[i].UID] = &people[i]
	}
	rows, err := tx.Query(ctx, `-- name: latest of found people
select `+rowColumns+rowTables+`
 where l.id = any(array(select (select x.id from lookups x where x.person_id = i.id order by x.requested_at desc, x.id desc limit 1)
                          from unnest($1::bigint[]) i (id)))`, ids)
	if err != nil {
		return err
	}
	latest, err := pgx.CollectRows(rows, scanRow)
	if err != nil {
		return err
	}
	for _, row := range latest {
		at[row.PersonUID].Latest = row
	}
	rows, err = tx.Query(ctx, `-- name: lookups of found people
select p.uid, (select count(*) from (select 1 from lookups x where x.person_id = p.id limit $2) few) from people p where p.id = any($1)`, ids, FoundLookups)
	if err != nil {
		return err
	}
	var uid uuid.UUID
	var n int
	_, err = pgx.ForEachRow(rows, []any{&uid, &n}, func() error { at[uid].Lookups = n; return nil })
	return err
}

func edgeOf(page lookup.Page) int64 {
	if page.Before != (lookup.Cursor{}) {
		return page.Before.ID
	}
	return page.After.ID
}

func referencePage(env lookup.Environment, r find.Reading, page lookup.Page, edge string) (text string, args []any, backwards bool) {
	q := where{}
	q.add("l.environment = ? and l.reference <> ''", env)
	q.add(reference+" >= lower(?::text)", r.Key)
	q.add(reference+" < lower(?::text) || chr(1114111)", r.Key)
	return q.climb("lookups by reference", "l.id", "\n  from lookups l", reference, "l.id", page, edge)
}

func findReference(ctx context.Context, tx pgx.Tx, env lookup.Environment, r find.Reading, page lookup.Page) (f Found, err error) {
	f.Reading = r
	edge := ""
	if id := edgeOf(page); id != 0 {
		if err := tx.QueryRow(ctx, `-- name: edge of references
select lower(reference) from lookups where environment = $1 and id = $2`, env, id).Scan(&edge); err != nil {
			return f, found(err)
		}
	}
	text, args, backwards := referencePage(env, r, page, edge)
	return f, f.lookups(ctx, tx, page, backwards, text, append([]any{freshPlan}, args...)...)
}

// lookups reads a page of lookups, whose ids a statement gives in their order.
func (f *Found) lookups(ctx context.Context, tx pgx.Tx, page lookup.Page, backwards bool, text string, args ...any) error {
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	if ids, f.Newer, f.Older = turn(ids, page, backwards); len(ids) == 0 {
		return nil
	}
	if rows, err = tx.Query(ctx, `-- name: found lookups
select `+rowColumns+rowTables+` where l.id = any($1)`, ids); err != nil {
		return err
	}
	if f.Lookups, err = pgx.CollectRows(rows, scanRow); err != nil {
		return err
	}
	slices.SortFunc(f.Lookups, func(a, b lookup.Row) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	// Only the id tells: the moment is there because a cursor has one.
	epoch := time.UnixMicro(1)
	f.First, f.Last = lookup.Cursor{At: epoch, ID: ids[0]}, lookup.Cursor{At: epoch, ID: ids[len(ids)-1]}
	return nil
}

const (
	employersTried = 200 // how many employers' lookups a search merges
	employersNamed = 5   // how many it names
)

// employerPage finds lookups by the employers in their answers, newest first, or, backwards, oldest first. Each employer gives its
// own stretch of the index, and these are merged; a few of each show how far back the page reaches, as in where.ids.
func employerPage(backwards bool) string {
	name, after, reaches, direction, end := "", "<", ">=", " desc", "0"
	if backwards {
		name, after, reaches, direction, end = " backwards", ">", "<=", "", "9223372036854775807"
	}
	newest := func(rows, more string) string {
		return " cross join lateral (select x.lookup_id from lookup_employers x where x.employer_id = e.id and x.lookup_id " + after + " $2" + more +
			" order by x.lookup_id" + direction + " limit " + rows + ") s"
	}
	return "-- name: lookups by employer" + name + `
with few as materialized (select e.id, s.lookup_id from unnest($1::bigint[]) e (id)` + newest(strconv.Itoa(fewFirst), "") + `),
last as (select lookup_id from (select lookup_id, dense_rank() over (order by lookup_id` + direction + `) as nth from few) f where nth = $3 limit 1)
select distinct s.lookup_id from (select distinct id from few) e` + newest("$3", " and x.lookup_id "+reaches+" coalesce((select lookup_id from last), "+end+")") + `
 order by s.lookup_id` + direction + " limit $3"
}

// In the order of their ids, so that all pages of a search look through the same ones.
const employersByWords = `-- name: employers by words
select id, name from employers where environment = $1 and words @@ $2::tsquery order by id limit $3`

func findEmployer(ctx context.Context, tx pgx.Tx, env lookup.Environment, r find.Reading, page lookup.Page) (f Found, err error) {
	f.Reading = r
	rows, err := tx.Query(ctx, employersByWords, freshPlan, env, find.Query(r.Words), employersTried+1)
	if err != nil {
		return f, err
	}
	var ids []int64
	var id int64
	var name string
	if _, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		ids = append(ids, id)
		if len(f.Employers) < employersNamed {
			f.Employers = append(f.Employers, name)
		}
		return nil
	}); err != nil || len(ids) == 0 {
		return f, err
	}
	if f.ManyEmployer = len(ids) > employersTried; f.ManyEmployer {
		ids = ids[:employersTried]
	}
	backwards, from := page.Before != (lookup.Cursor{}), int64(1<<62)
	switch {
	case backwards:
		from = page.Before.ID
	case page.After != (lookup.Cursor{}):
		from = page.After.ID
	}
	return f, f.lookups(ctx, tx, page, backwards, employerPage(backwards), ids, from, page.Limit+1)
}
