package bench

import (
	"context"
	"time"

	"cotejo/internal/curp"
	"cotejo/internal/palenca"
)

// words measures what is done in memory: judging a CURP as it is typed, and reading an event.
func (r *run) words(ctx context.Context) error {
	curps, err := each[struct{ Text string }](ctx, r.db, `-- name: bench curps
select curp from people limit 1000`)
	if err != nil {
		return err
	}
	known, err := r.accounts(ctx, false, 1000)
	if err != nil {
		return err
	}
	today := time.Now().UTC()
	rate, err := r.perSecond(func(n int) error { curp.Explain(curps[n%len(curps)].Text, today); return nil })
	if err != nil {
		return err
	}
	r.out.add(Figure{What: "CURPs judged, on one core", Value: rate, Unit: "/s"})
	bodies := make([][]byte, len(known))
	for i, a := range known {
		bodies[i] = []byte(a.body("login.success", "", int64(i)))
	}
	if rate, err = r.perSecond(func(n int) error { _, err := palenca.ParseEvent(bodies[n%len(bodies)]); return err }); err != nil {
		return err
	}
	r.out.add(Figure{What: "Events read, on one core", Value: rate, Unit: "/s"})
	return nil
}

// perSecond is the median of runs that do one thing again and again.
func (r *run) perSecond(do func(n int) error) (float64, error) {
	var rates samples
	for range r.repeats {
		began, n := time.Now(), 0
		for time.Since(began) < r.size.burst/8 {
			for range 100 {
				if err := do(n); err != nil {
					return 0, err
				}
				n++
			}
		}
		rates = append(rates, float64(n)/time.Since(began).Seconds())
	}
	return rates.median(), nil
}
