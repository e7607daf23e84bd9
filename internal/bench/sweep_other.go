package bench

import (
	"context"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// searchQuestions look for what is there, whole and by its beginning, for what many have, and for what nobody has.
func searchQuestions(store *db.DB, k known) (list []question) {
	texts := []struct{ what, text string }{
		{"a CURP", k.CURP}, {"the beginning of a CURP", k.CURP[:10]}, {"an NSS", k.NSS}, {"the beginning of an NSS", k.NSS[:5]},
		{"a reference", k.Reference}, {"the beginning of all references", k.Reference[:4]}, {"no name", "xqzvwy"},
	}
	for _, name := range k.Names {
		texts = append(texts, struct{ what, text string }{"a name", name})
		if words := find.Words(name); len(words) > 1 {
			texts = append(texts, struct{ what, text string }{"one word of a name", words[0]}, struct{ what, text string }{"beginnings of two words of a name", words[len(words)-1][:2] + " " + words[0][:3]})
		}
	}
	for _, employer := range k.Employers {
		texts = append(texts, struct{ what, text string }{"an employer", employer}, struct{ what, text string }{"the beginning of an employer", find.Words(employer)[0]})
	}
	for _, t := range texts {
		for _, reading := range find.Read(t.text) {
			list = append(list, question{t.what + " as " + string(reading.Kind), func(ctx context.Context) (int, error) {
				f, err := store.Find(ctx, lookup.Sandbox, []find.Reading{reading}, lookup.Page{Limit: pageRows}, k.by)
				return f.Hits(), err
			}, ""})
			// The last page of ten, or of as many as there are.
			var deep lookup.Page
			list = append(list, question{t.what + " as " + string(reading.Kind) + ", ten pages on", func(ctx context.Context) (int, error) {
				if deep.Limit == 0 {
					deep.Limit = pageRows
					for range 9 {
						f, err := store.Find(ctx, lookup.Sandbox, []find.Reading{reading}, deep, k.by)
						if err != nil || !f.Older {
							return f.Hits(), err
						}
						deep.After = f.Last
					}
				}
				f, err := store.Find(ctx, lookup.Sandbox, []find.Reading{reading}, deep, k.by)
				return f.Hits(), err
			}, ""})
		}
	}
	return list
}

// otherQuestions are what the overview and each page ask for, and the lists that are no filtered lookups or deliveries.
func otherQuestions(store *db.DB, k known) []question {
	const env, most = lookup.Sandbox, 100
	now := time.Now()
	week, month, first := now.AddDate(0, 0, -7), now.AddDate(0, 0, -30), lookup.Page{Limit: pageRows}
	person := uuid.Nil
	list := []question{
		{"what every page asks", func(ctx context.Context) (int, error) { _, err := store.Visit(ctx, k.by.UserID, most); return 1, err }, ""},
		{"who acts next", func(ctx context.Context) (int, error) {
			n, err := store.ActorCounts(ctx, env, most)
			return len(n), err
		}, ""},
		{"failures by cause", func(ctx context.Context) (int, error) {
			causes, _, err := store.Failures(ctx, env, month)
			return len(causes), err
		}, ""},
		{"refused today", func(ctx context.Context) (int, error) {
			_, err := store.RefusedSince(ctx, env, now.AddDate(0, 0, -1), most)
			return 1, err
		}, ""},
		{"last delivery", func(ctx context.Context) (int, error) { _, err := store.LastDelivery(ctx, env); return 1, err }, ""},
		{"quiet subscriptions", func(ctx context.Context) (int, error) {
			hooks, err := store.Quiet(ctx, env, 15*time.Minute)
			return len(hooks), err
		}, ""},
		{"deliveries by hour, a week", func(ctx context.Context) (int, error) {
			hours, err := store.DeliveryHours(ctx, env, week)
			return len(hours), err
		}, ""},
		{"sources by hour, 30 days", func(ctx context.Context) (int, error) {
			hours, err := store.SourceHours(ctx, env, month)
			return len(hours), err
		}, ""},
		{"missing notices", func(ctx context.Context) (int, error) {
			rows, _, _, err := store.Unheard(ctx, env, db.UnheardFilter{}, week, now, first)
			return len(rows), err
		}, ""},
		{"missing notices by age", func(ctx context.Context) (int, error) {
			ages, err := store.UnheardAges(ctx, env, week, now, []time.Duration{time.Hour, 24 * time.Hour})
			return len(ages), err
		}, ""},
		{"subscriptions heard of", func(ctx context.Context) (int, error) {
			hooks, err := store.HooksHeard(ctx, env, now.AddDate(0, 0, -1), now)
			return len(hooks), err
		}, ""},
		{"connections", func(ctx context.Context) (int, error) {
			list, err := store.Connections(ctx, env)
			return len(list), err
		}, ""},
		{"jobs", func(ctx context.Context) (int, error) {
			jobs, _, _, err := store.Jobs(ctx, env, task.Filter{}, first)
			return len(jobs), err
		}, ""},
		{"jobs by kind", func(ctx context.Context) (int, error) {
			kinds, err := store.JobCounts(ctx, most)
			return len(kinds), err
		}, ""},
		{"replays", func(ctx context.Context) (int, error) {
			list, _, _, err := store.Replays(ctx, env, first)
			return len(list), err
		}, ""},
		{"bulks", func(ctx context.Context) (int, error) {
			list, _, _, err := store.Bulks(ctx, env, first)
			return len(list), err
		}, ""},
		{"receipts of exports", func(ctx context.Context) (int, error) {
			list, _, _, err := store.Receipts(ctx, env, 0, first)
			return len(list), err
		}, ""},
		{"a person", func(ctx context.Context) (int, error) {
			var err error
			if person == uuid.Nil {
				err = store.Pool().QueryRow(ctx, `-- name: bench person
select uid from people order by id limit 1`).Scan(&person)
			}
			if err == nil {
				_, err = store.WatchPerson(ctx, env, person)
			}
			return 1, err
		}, ""},
		{"a text in the bodies of a day", func(ctx context.Context) (int, error) {
			rows, _, _, err := store.Deliveries(ctx, env, webhook.Filter{Text: "xqzvwy", From: k.Day, To: k.Day}, first, time.UTC)
			return len(rows), err
		}, ""},
		{"a text in the accepted ones of seven days", func(ctx context.Context) (int, error) {
			f := webhook.Filter{Text: "xqzvwy", Verdict: webhook.Accepted, From: k.Day.AddDate(0, 0, -6), To: k.Day}
			rows, _, _, err := store.Deliveries(ctx, env, f, first, time.UTC)
			return len(rows), err
		}, ""},
		{"what a replay of a rare filter takes", func(ctx context.Context) (int, error) {
			n, _, _, err := store.CountReplay(ctx, env, webhook.ReplaySet{Filter: webhook.Filter{Verdict: webhook.Refused, Action: "login.error"}}, time.UTC, most)
			return n, err
		}, ""},
		{"what an export of the whole list holds", func(ctx context.Context) (int, error) {
			c, err := store.CountExport(ctx, receipt.Selection{Environment: env, Kind: receipt.Lookups, Zone: "UTC"})
			return c.Items, err
		}, ""},
		{"what an export of a common filter holds", func(ctx context.Context) (int, error) {
			c, err := store.CountExport(ctx, receipt.Selection{Environment: env, Kind: receipt.Lookups, Lookups: lookup.Filter{Status: lookup.Success}, Zone: "UTC"})
			return c.Items, err
		}, ""},
		{"what an export of a rare filter holds", func(ctx context.Context) (int, error) {
			c, err := store.CountExport(ctx, receipt.Selection{Environment: env, Kind: receipt.Records, Lookups: lookup.Filter{Status: lookup.Success, Records: lookup.PullFailed}, Zone: "UTC"})
			return c.Items, err
		}, ""},
		{"what happened with a person's data", func(ctx context.Context) (int, error) {
			events, _, _, err := store.PersonHistory(ctx, env, person, first)
			return len(events), err
		}, ""},
	}
	return list
}
