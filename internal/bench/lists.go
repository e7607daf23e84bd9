package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"time"
)

// lists measures pages at two sizes of the database. A list that reads its page by key takes as long at both.
func (r *run) lists(ctx context.Context) error {
	if err := r.fill(ctx, 0, r.small); err != nil {
		return err
	}
	small, err := r.pageTimes(ctx)
	if err != nil {
		return err
	}
	if err := r.fill(ctx, r.small, r.large); err != nil {
		return err
	}
	large, err := r.pageTimes(ctx)
	if err != nil {
		return err
	}
	for i, page := range small {
		r.out.Pages = append(r.out.Pages, PageTime{What: page.what, Small: page.took, Large: large[i].took})
	}
	return nil
}

type pageTime struct {
	what string
	took samples
}

// pageTimes asks for each page in turn, over HTTP and signed in, so that a busy moment touches all of them alike.
func (r *run) pageTimes(ctx context.Context) ([]pageTime, error) {
	console, err := r.console(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer console.stop()
	if err := console.signIn(ctx); err != nil {
		return nil, err
	}
	lookups, err := r.deep(ctx, `-- name: bench deep lookup
select requested_at, id from lookups where requested_at < $1 order by requested_at desc, id desc limit 1`)
	if err != nil {
		return nil, err
	}
	deliveries, err := r.deep(ctx, `-- name: bench deep delivery
select received_at, id from deliveries where received_at < $1 order by received_at desc, id desc limit 1`)
	if err != nil {
		return nil, err
	}
	pages := []struct{ what, path, mark string }{
		{"Lookups, first page", "/lookups", "/lookups/"},
		{"Lookups an analyst has to act on", "/lookups?actor=analyst", "/lookups/"},
		{"Lookups by status", "/lookups?status=incomplete", "/lookups/"},
		{"Lookups, 22 months back", "/lookups?after=" + lookups, "/lookups/"},
		{"Deliveries, first page", "/deliveries", "/deliveries/"},
		{"Deliveries by verdict", "/deliveries?verdict=duplicate", "/deliveries/"},
		{"Deliveries, 22 months back", "/deliveries?after=" + deliveries, "/deliveries/"},
	}
	times := make([]pageTime, len(pages))
	warm := max(2, r.pages/10)
	for n := range warm + r.pages {
		for i, page := range pages {
			began := time.Now()
			status, body, err := console.get(ctx, page.path)
			took := millis(time.Since(began))
			if err == nil && (status != http.StatusOK || !bytes.Contains(body, []byte(page.mark))) {
				err = fmt.Errorf("%s answered %d without rows", page.what, status)
			}
			if err != nil {
				return nil, err
			}
			if times[i].what = page.what; n >= warm {
				times[i].took = append(times[i].took, took)
			}
		}
	}
	return times, nil
}

// deep gives the cursor of a page far back, in the form in which the pages' own links carry it.
func (r *run) deep(ctx context.Context, query string) (string, error) {
	var at time.Time
	var id int64
	if err := r.db.Pool().QueryRow(ctx, query, time.Now().AddDate(0, -22, 0)).Scan(&at, &id); err != nil {
		return "", err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(id))), nil
}
