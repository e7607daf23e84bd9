package bench

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

// pageRows is how many rows a page of a list has.
const pageRows = 50

// longMS is what a question of a page may take at the median, and slower how many times its time with few rows. Where it seems to
// come near that, it is asked more often.
const (
	longMS = 50
	slower = 2
	near   = 1.5
	surer  = 10
)

// question is what a page asks of package db, and how long it took.
type question struct {
	what string
	ask  func(context.Context) (rows int, err error) // of a count: how many were counted
	path string                                      // of the page that asks this; "": none asks it alone
}

// Sweep is many questions of one kind, each asked of two databases in turn, in milliseconds at the median.
type Sweep struct {
	What         string
	Small, Large samples    // of each question
	Questions    []string   // what they were
	Alike        []bool     // whether each answer had as many rows from both: only then both did the same work
	Slower       []PageTime // the pages of those that took over twice their time with few rows
	paths        [2][]string
}

// sweep asks every list for every filter and every two filters together, first page and deep, what the searches and the
// counters are asked for, at both sizes.
func (r *run) sweep(ctx context.Context, small, large site) error {
	var kinds [2][]kind
	var details []string
	for i, at := range []site{small, large} {
		known, err := knowledge(ctx, at.db)
		if err != nil {
			return err
		}
		if i == 0 {
			details = known.Details
		}
		known.Details = details // the same questions of both
		kinds[i] = []kind{
			{"Lookups: each filter and each two", lookupQuestions(at.db, known)},
			{"Deliveries: each filter and each two", deliveryQuestions(at.db, known)},
			{"Search", searchQuestions(at.db, known)},
			{"Counts, health of sources, missing notices, other lists", otherQuestions(at.db, known)},
		}
	}
	for k, of := range kinds[0] {
		s := Sweep{What: of.what}
		for q := range of.questions {
			if q%r.every > 0 {
				continue
			}
			var took [2]samples
			var rows [2]int
			ask := func(times int) error {
				for range times {
					for i := range kinds {
						began := time.Now()
						var err error
						if rows[i], err = kinds[i][k].questions[q].ask(ctx); err != nil {
							return fmt.Errorf("%s, %s: %w", of.what, of.questions[q].what, err)
						}
						took[i] = append(took[i], millis(time.Since(began)))
					}
				}
				return nil
			}
			if err := ask(1); err != nil { // plans
				return err
			}
			took = [2]samples{}
			if err := ask(r.asks); err != nil {
				return err
			}
			if took[1].median() > near*took[0].median() { // the median of few may be that of a busy moment
				if err := ask(surer); err != nil {
					return err
				}
			}
			s.Questions, s.Alike = append(s.Questions, of.questions[q].what), append(s.Alike, rows[0] == rows[1])
			s.Small, s.Large = append(s.Small, took[0].median()), append(s.Large, took[1].median())
			for i := range kinds {
				s.paths[i] = append(s.paths[i], kinds[i][k].questions[q].path)
			}
		}
		r.out.Sweeps = append(r.out.Sweeps, s)
	}
	return nil
}

// kind are the questions of one kind, the same at both sizes.
type kind struct {
	what      string
	questions []question
}

// known is what questions are about in one database.
type known struct {
	Analysts         []uuid.UUID // who asked, and last one who never did
	Tag, Lookup      uuid.UUID
	Hook             uuid.UUID
	Account          string
	Lookups          lookup.Cursor // far back
	Deliveries       lookup.Cursor
	Day              time.Time // the last whole one of the data: what was received later came from a bench
	Names, Employers []string
	CURP, NSS        string
	Reference        string
	Details          []string
	by               audit.Actor
}

// knowledge reads it. A fiftieth of the lookups gets a tag and a twentieth an owner, which a seed does not give.
func knowledge(ctx context.Context, store *db.DB) (k known, err error) {
	pool := store.Pool()
	if _, err := pool.Exec(ctx, `-- name: bench tag
with t as (insert into tags (environment, name, folded) values ('sandbox', 'bench', 'bench') on conflict (environment, folded) do update set name = excluded.name returning id)
insert into lookup_tags (lookup_id, tag_id, requested_at) select l.id, t.id, l.requested_at from lookups l, t where l.id % 50 = 0 on conflict do nothing`); err != nil {
		return k, err
	}
	if _, err := pool.Exec(ctx, `-- name: bench owners
update lookups set owner_id = requested_by where id % 20 = 0 and owner_id is null`); err != nil {
		return k, err
	}
	if err := settle(ctx, store); err != nil {
		return k, err
	}
	err = pool.QueryRow(ctx, `-- name: bench known
select (select array_agg(u.uid order by (select count(*) from lookups l where l.requested_by = u.id and l.id < 5000) desc, u.id) from users u),
       (select uid from tags limit 1), (select uid from lookups where status = 'success' order by requested_at, id limit 1),
       (select uid from subscriptions order by id limit 1), (select account_id from attempts where account_id <> '' order by id limit 1),
       (select array_agg(name) from (select name from people where name <> '' order by id limit 3) p),
       (select array_agg(name) from (select name from employers order by id limit 3) e),
       (select curp from people where curp is not null order by id limit 1), (select nss from people where nss <> '' order by id limit 1),
       (select reference from lookups where reference <> '' order by id limit 1),
       (select array_agg(distinct detail) from (select detail from lookups where status in ('error', 'incomplete', 'expired') order by id limit 500) d),
       (select id from users order by id limit 1)`).
		Scan(&k.Analysts, &k.Tag, &k.Lookup, &k.Hook, &k.Account, &k.Names, &k.Employers, &k.CURP, &k.NSS, &k.Reference, &k.Details, &k.by.UserID)
	if err != nil {
		return k, err
	}
	k.by.Name = "bench"
	back := time.Now().AddDate(0, -22, 0)
	err = pool.QueryRow(ctx, `-- name: bench deep cursors
select l.requested_at, l.id, d.received_at, d.id, (select max(requested_at) from lookups)
  from (select requested_at, id from lookups where requested_at < $1 order by requested_at desc, id desc limit 1) l,
       (select received_at, id from deliveries where received_at < $1 order by received_at desc, id desc limit 1) d`, back).
		Scan(&k.Lookups.At, &k.Lookups.ID, &k.Deliveries.At, &k.Deliveries.ID, &k.Day)
	k.Day = k.Day.UTC().AddDate(0, 0, -1).Truncate(24 * time.Hour)
	return k, err
}

// choice is a value of a filter that a page offers, and how the page's address spells it.
type choice[F any] struct {
	what  string
	set   func(*F)
	query url.Values
}

// pairs gives every choice, and every two of different filters, as filters. Two that an address has one word for have no query.
func pairs[F any](filters [][]choice[F], yield func(what string, query url.Values, f F)) {
	var none F
	yield("all", url.Values{}, none)
	for i, one := range filters {
		for _, a := range one {
			f := none
			a.set(&f)
			yield(a.what, a.query, f)
			for _, other := range filters[i+1:] {
				for _, b := range other {
					g := f
					b.set(&g)
					query := maps.Clone(a.query)
					maps.Copy(query, b.query)
					if len(query) < len(a.query)+len(b.query) {
						query = nil
					}
					yield(a.what+" and "+b.what, query, g)
				}
			}
		}
	}
}

// choices are values of a filter. name may be followed by a colon and the word that the address has for it.
func choices[F, V any](name string, set func(*F, V), values ...V) (list []choice[F]) {
	name, word, found := strings.Cut(name, ":")
	if !found {
		word = name
	}
	for _, v := range values {
		text := fmt.Sprint(v)
		if text == "true" {
			text = "1"
		}
		list = append(list, choice[F]{fmt.Sprintf("%s %v", name, v), func(f *F) { set(f, v) }, url.Values{word: {text}}})
	}
	return list
}

// address is that of a page of a list; of a query that no address spells it is none.
func address(path string, query url.Values, page lookup.Page) string {
	if query == nil {
		return ""
	}
	query = maps.Clone(query)
	if page.After != (lookup.Cursor{}) {
		query.Set("after", key(page.After))
	}
	return path + "?" + query.Encode()
}

// days are the last week, and a month far back.
func days[F any](set func(f *F, from, to time.Time)) []choice[F] {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	span := func(what string, from, to time.Time) choice[F] {
		return choice[F]{what, func(f *F) { set(f, from, to) }, url.Values{"from": {from.Format(time.DateOnly)}, "to": {to.Format(time.DateOnly)}}}
	}
	return []choice[F]{span("last week", today.AddDate(0, 0, -7), today), span("a month two years ago", today.AddDate(0, -23, 0), today.AddDate(0, -22, 0))}
}

func deepness(p lookup.Page) string {
	if p.After == (lookup.Cursor{}) {
		return ""
	}
	return ", 22 months back"
}

func lookupQuestions(store *db.DB, k known) (list []question) {
	type F = lookup.Filter
	filters := [][]choice[F]{
		choices("actor", func(f *F, v lookup.Actor) { f.Actor = v }, lookup.Actors...),
		choices("status", func(f *F, v lookup.Status) { f.Status = v }, lookup.Statuses...),
		choices("platform", func(f *F, v lookup.Platform) { f.Platform = v }, lookup.IMSS, lookup.ISSSTE, lookup.AllSources),
		choices("records", func(f *F, v lookup.PullState) { f.Records = v }, lookup.PullStates...),
		choices("source", func(f *F, v lookup.Source) { f.Source = v }, lookup.Sources...),
		choices("dialect", func(f *F, v lookup.Dialect) { f.Dialect = v }, lookup.Palenca, lookup.Buro),
		choices("detail", func(f *F, v string) { f.Detail = v }, append(k.Details, lookup.NoDetail)...),
		choices("overdue", func(f *F, v bool) { f.Overdue = v }, true),
		nth("analyst", k.Analysts, func(f *F, v uuid.UUID) { f.Analyst = v }),
		nth("owner", k.Analysts, func(f *F, v uuid.UUID) { f.Owner = v }),
		nth("tag", []uuid.UUID{k.Tag}, func(f *F, v uuid.UUID) { f.Tag = v }),
		days(func(f *F, from, to time.Time) { f.From, f.To = from, to }),
	}
	pairs(filters, func(what string, query url.Values, f F) {
		for _, page := range []lookup.Page{{Limit: pageRows}, {Limit: pageRows, After: k.Lookups}} {
			list = append(list, question{what + deepness(page), func(ctx context.Context) (int, error) {
				rows, _, _, err := store.Lookups(ctx, lookup.Sandbox, f, page, time.UTC)
				return len(rows), err
			}, address("/lookups", query, page)})
		}
	})
	return list
}

// nth are things without a name that two databases have in common: the first and the last of them.
func nth[F any](name string, ids []uuid.UUID, set func(*F, uuid.UUID)) (list []choice[F]) {
	for i, id := range ids {
		if i == 0 || i == len(ids)-1 {
			list = append(list, choice[F]{fmt.Sprintf("%s %d", name, i+1), func(f *F) { set(f, id) }, url.Values{name: {id.String()}}})
		}
	}
	return list
}

func deliveryQuestions(store *db.DB, k known) (list []question) {
	type F = webhook.Filter
	filters := [][]choice[F]{
		choices("dialect", func(f *F, v lookup.Dialect) { f.Dialect = v }, lookup.Palenca, lookup.Buro),
		nth("subscription", []uuid.UUID{k.Hook}, func(f *F, v uuid.UUID) { f.Hook = v }),
		choices("verdict", func(f *F, v webhook.Verdict) { f.Verdict = v }, webhook.Verdicts...),
		choices("cause", func(f *F, v webhook.Cause) { f.Cause = v }, webhook.Causes...),
		choices("event:action", func(f *F, v string) { f.Action = v }, append([]string{"login.retry"}, palenca.LoginEvents...)...),
		choices("state:status", func(f *F, v webhook.State) { f.State = v }, webhook.States...),
		choices("answered:status", func(f *F, v int) { f.Answered = v }, webhook.Answers...),
		choices("account", func(f *F, v string) { f.Account = v }, k.Account),
		nth("lookup", []uuid.UUID{k.Lookup}, func(f *F, v uuid.UUID) { f.Lookup = v }),
		days(func(f *F, from, to time.Time) { f.From, f.To = from, to }),
	}
	pairs(filters, func(what string, query url.Values, f F) {
		for _, page := range []lookup.Page{{Limit: pageRows}, {Limit: pageRows, After: k.Deliveries}} {
			list = append(list, question{what + deepness(page), func(ctx context.Context) (int, error) {
				rows, _, _, err := store.Deliveries(ctx, lookup.Sandbox, f, page, time.UTC)
				return len(rows), err
			}, address("/deliveries", query, page)})
		}
	})
	return list
}
