package db

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// DeliveryPrefix begins a payload on Channel that is about deliveries; one's internal id follows, or nothing: then more
// changed than is worth telling one by one.
const DeliveryPrefix = "d"

// teller announces deliveries after their commit. It is the one announcement outside a transaction: NOTIFY makes commits
// wait for each other, and a receipt must not wait for the pages that show it. One that is lost with the process is told
// of again when the delivery is processed.
type teller struct {
	ids  chan int64
	stop context.CancelFunc
	done sync.WaitGroup
}

const (
	toldTogether = 100 * time.Millisecond // what is gathered for one statement
	toldSingly   = 200                    // beyond, pages are told to look again
)

func (db *DB) startTelling() {
	ctx, stop := context.WithCancel(context.Background())
	db.teller = &teller{ids: make(chan int64, 4*toldSingly), stop: stop}
	db.teller.done.Go(func() { db.telling(ctx) })
}

// tell announces a delivery soon. It never waits: when too many changed, that is all that is told.
func (db *DB) tell(id int64) {
	select {
	case db.teller.ids <- id:
	default: // as full as this, its reader says "look again" whatever is added
	}
}

// inTxOf runs do in one transaction and announces the delivery that it is about.
func (db *DB) inTxOf(ctx context.Context, deliveryID int64, do func(tx pgx.Tx) error) error {
	err := db.inTx(ctx, do)
	if err == nil {
		db.tell(deliveryID)
	}
	return err
}

func (db *DB) telling(ctx context.Context) {
	for {
		var ids []int64
		select {
		case <-ctx.Done():
			return
		case id := <-db.teller.ids:
			ids = append(ids, id)
		}
		for gather := time.After(toldTogether); gather != nil; {
			select {
			case id := <-db.teller.ids:
				ids = append(ids, id)
			case <-gather:
				gather = nil
			case <-ctx.Done():
				return
			}
		}
		// A database that is down has nothing to tell; pages look again when their listener is back.
		if len(ids) > toldSingly {
			_, _ = db.pool.Exec(ctx, `-- name: tell of many deliveries
select pg_notify($1, $2)`, Channel, DeliveryPrefix)
			continue
		}
		_, _ = db.pool.Exec(ctx, `-- name: tell of deliveries
select pg_notify($1, $2 || id) from (select distinct unnest($3::bigint[])) t(id)`, Channel, DeliveryPrefix, ids)
	}
}
