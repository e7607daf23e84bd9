package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"cotejo/db"
)

// shown is a lookup on the page that is watched.
type shown struct {
	ID  int64
	UID string
}

// patience is how long a change may take before the run fails.
const patience = 20 * time.Second

// screen measures the time from a change to the row on an open page.
func (r *run) screen(ctx context.Context) error {
	console, err := r.console(ctx, r.url, 8)
	if err != nil {
		return err
	}
	defer console.stop()
	if err := console.signIn(ctx); err != nil {
		return err
	}
	if err := r.commits(ctx, console); err != nil {
		return err
	}
	return r.wholeWay(ctx, console)
}

// commits changes rows and waits for them on the page, in turn with the least that PostgreSQL takes: the same
// transaction on one plain connection, its notification read on another.
func (r *run) commits(ctx context.Context, console *process) error {
	list, err := each[shown](ctx, r.db, `-- name: bench shown
select id, uid::text from lookups order by requested_at desc, id desc limit 50`)
	if err != nil {
		return err
	}
	page, err := console.watch(ctx, list)
	if err != nil {
		return err
	}
	defer page.close()
	ear, err := pgx.Connect(ctx, r.url)
	if err != nil {
		return err
	}
	defer ear.Close(context.WithoutCancel(ctx))
	if _, err := ear.Exec(ctx, `-- name: bench listen
listen bench_raw`); err != nil {
		return err
	}
	mouth, err := pgx.Connect(ctx, r.url)
	if err != nil {
		return err
	}
	defer mouth.Close(context.WithoutCancel(ctx))

	var product, raw samples
	for n := range r.changes + 10 {
		l := list[n%len(list)]
		began, err := change(ctx, mouth, l.ID, db.Channel)
		if err != nil {
			return err
		}
		at, err := page.row(ctx, l.UID, "", began)
		if err != nil {
			return err
		}
		rawBegan, err := change(ctx, mouth, l.ID, "bench_raw")
		if err != nil {
			return err
		}
		if _, err := ear.WaitForNotification(ctx); err != nil {
			return err
		}
		if n >= 10 { // the first ones warm connections and statements
			product, raw = append(product, millis(at.Sub(began))), append(raw, millis(time.Since(rawBegan)))
		}
	}
	for _, p := range []int{50, 99} {
		r.out.add(Figure{What: fmt.Sprintf("From COMMIT to the row on an open page, p%d", p), Value: product.percentile(p), Unit: "ms",
			Limit: raw.percentile(p), LimitIs: "from COMMIT to NOTIFY received, two plain connections"})
	}
	return nil
}

// change commits an update with its notification, and tells when COMMIT was sent.
func change(ctx context.Context, conn *pgx.Conn, id int64, channel string) (began time.Time, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `-- name: bench change
update lookups set status_at = clock_timestamp() where id = $1`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `-- name: bench notify
select pg_notify($1, $2)`, channel, strconv.FormatInt(id, 10))
		began = time.Now()
		return err
	})
	return began, err
}

// wholeWay delivers an outcome for lookups that wait for one, and measures from the first byte sent to the row on the
// page: receipt, queue, the event's transaction, notification and rendering. The row may well be there before our 200.
func (r *run) wholeWay(ctx context.Context, console *process) error {
	type waiting struct {
		account
		shown
	}
	rows, err := r.db.Pool().Query(ctx, `-- name: bench waiting
select a.account_id, a.uid::text, a.vendor_user_id, l.id, l.uid::text from attempts a join lookups l on l.id = a.lookup_id
 where a.status = 'pending' and a.account_id <> '' order by a.id desc limit 150`)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w waiting, err error) {
		err = row.Scan(&w.account.ID, &w.Attempt, &w.User, &w.shown.ID, &w.UID)
		return w, err
	})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("no lookup waits for an outcome")
	}
	of := make([]shown, len(list))
	for i, w := range list {
		of[i] = w.shown
	}
	page, err := console.watch(ctx, of)
	if err != nil {
		return err
	}
	defer page.close()
	var way samples
	for _, w := range list {
		began := time.Now()
		status, _, err := console.do(ctx, http.MethodPost, "/hooks/"+r.token, "application/json",
			strings.NewReader(w.body("login.incomplete", "invalid_nss", nonces.Add(1))))
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("a delivery was answered %d", status)
		}
		if err != nil {
			return err
		}
		at, err := page.row(ctx, w.UID, `data-status="incomplete"`, began)
		if err != nil {
			return err
		}
		way = append(way, millis(at.Sub(began)))
	}
	for _, p := range []int{50, 99} {
		r.out.add(Figure{What: fmt.Sprintf("From sending a webhook to the row on an open page, p%d", p), Value: way.percentile(p), Unit: "ms"})
	}
	return nil
}

// openPage is the stream of a page that shows some lookups.
type openPage struct {
	events <-chan arrived
	close  func()
}

type arrived struct {
	text string
	at   time.Time
}

// watch opens the stream of a list and waits until it has shown every row once.
func (p *process) watch(ctx context.Context, list []shown) (*openPage, error) {
	ids := make([]string, len(list))
	for i, l := range list {
		ids[i] = l.UID
	}
	query := url.Values{"view": {"list"}, "ids": {strings.Join(ids, ",")}, "since": {time.Now().UTC().Format(time.RFC3339Nano)}}
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/lookups/live?"+query.Encode(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	stream := &http.Client{Jar: p.client.Jar} // without a time-out: a stream has no end
	res, err := stream.Do(req)                //nolint:bodyclose // the goroutine below closes it
	if err != nil {
		cancel()
		return nil, withoutAddress(err)
	}
	if res.StatusCode != http.StatusOK {
		cancel()
		res.Body.Close()
		return nil, fmt.Errorf("the stream answered %d", res.StatusCode)
	}
	events := make(chan arrived, 1024)
	go func() {
		defer close(events)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		var event strings.Builder
		for lines.Scan() {
			if lines.Text() != "" {
				event.WriteString(lines.Text())
				continue
			}
			select {
			case events <- arrived{event.String(), time.Now()}:
			case <-ctx.Done():
				return
			}
			event.Reset()
		}
	}()
	page := &openPage{events: events, close: cancel}
	for range list {
		if _, err := page.next(ctx); err != nil {
			cancel()
			return nil, err
		}
	}
	return page, nil
}

// next gives the next event with content.
func (p *openPage) next(ctx context.Context) (arrived, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case <-ctx.Done():
			return arrived{}, ctx.Err()
		case <-timeout.C:
			return arrived{}, errors.New("no change arrived on the open page")
		case e, open := <-p.events:
			if !open {
				return arrived{}, errors.New("the stream of the open page ended")
			}
			if strings.Contains(e.text, "data:") {
				return e, nil
			}
		}
	}
}

// row waits for a lookup's row that says what it should, and tells when it was there whole. One that was there before is of
// an older change, heard late.
func (p *openPage) row(ctx context.Context, uid, says string, since time.Time) (time.Time, error) {
	for {
		e, err := p.next(ctx)
		if err != nil || e.at.After(since) && strings.Contains(e.text, uid) && strings.Contains(e.text, says) {
			return e.at, err
		}
	}
}
