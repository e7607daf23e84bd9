package db_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"cotejo/db"
	"cotejo/internal/webhook"
)

// Whatever becomes of a delivery is told once it is committed, and a flood of them in few words.
func TestDeliveriesAreTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	next := b.listenTo(func(payload string) bool { return strings.HasPrefix(payload, db.DeliveryPrefix) })
	told := func(what string, id int64) {
		t.Helper()
		if got := next(time.Minute); got != db.DeliveryPrefix+strconv.FormatInt(id, 10) {
			t.Errorf("%s: told %q, want %d", what, got, id)
		}
	}
	refused := b.deliver(refuse(webhook.CauseTokenUnknown))
	told("refused", refused)
	unreadable := b.deliver()
	told("received", unreadable)
	b.must(b.DeliveryUnreadable(b.ctx, unreadable))
	told("unreadable", unreadable)
	event := b.deliver()
	told("received", event)
	b.must(b.ApplyEvent(b.ctx, event, success("nobody")))
	told("processed", event)
	_, err := b.VerifyAgain(b.ctx, b.hook.Environment, b.uidOf(refused), b.by)
	b.must(err)
	told("verified again", refused)

	for range 2000 {
		db.Tell(b.DB, refused)
	}
	words := 1
	for next(time.Minute) != db.DeliveryPrefix { // "look again"
		words++
	}
	if words > 20 {
		t.Errorf("%d announcements of a flood", words)
	}
}
