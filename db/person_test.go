package db_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
)

// Everything known of a person stands on one page, once each, newest first, whoever was asked.
func TestPersonHistory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	first := b.taken("acc-1")
	b.tell(created("acc-1"))
	b.tell(success("acc-1"), body("a success"))
	b.deliver(body("a success")) // a copy
	second := b.verified(newLookup(t, lookup.Sandbox, alejandro), "ver-1")
	b.request(lookup.Sandbox, eduardo)
	b.request(lookup.Production, alejandro) // the same CURP in the other environment is another person's page
	var err error
	_, err = b.ViewLookup(b.ctx, lookup.Sandbox, first.uid, b.by)
	b.must(err)
	_, err = b.Reveal(b.ctx, lookup.Sandbox, second.uid, audit.CURPRevealed, b.by)
	b.must(err)
	_, err = b.exportLookup(lookup.Sandbox, first.uid)
	b.must(err)
	person := value[uuid.UUID](b, `select uid from people where environment = 'sandbox' and curp = $1`, alejandro)
	_, err = b.ViewPerson(b.ctx, lookup.Sandbox, person, b.by)
	b.must(err)
	shown, err := b.RevealPerson(b.ctx, lookup.Sandbox, person, audit.CURPRevealed, b.by)
	b.must(err)
	if shown != alejandro {
		t.Errorf("revealed %q", shown)
	}

	all, newer, older, err := b.PersonHistory(b.ctx, lookup.Sandbox, person, lookup.Page{Limit: 100})
	b.must(err)
	if newer || older {
		t.Error("a whole history has more on either side")
	}
	counts := map[db.HappeningKind]int{}
	acts := map[string]int{}
	for _, h := range all {
		counts[h.Kind]++
		if h.Kind == db.HappenedAct {
			acts[h.Word]++
		}
		if (h.Kind == db.HappenedLookup || h.Kind == db.HappenedAct) && h.Who != b.analyst.Name {
			t.Errorf("%+v was done by nobody", h)
		}
		if h.Kind == db.HappenedDelivery && h.Subject == uuid.Nil {
			t.Errorf("%+v leads to no delivery", h)
		}
		if h.LookupUID != uuid.Nil && h.LookupUID != first.uid && h.LookupUID != second.uid {
			t.Errorf("%+v is somebody else's", h)
		}
	}
	for kind, want := range map[db.HappeningKind]int{db.HappenedLookup: 2, db.HappenedDelivery: 3, db.HappenedConsent: 2, db.HappenedOutcome: 1, db.HappenedAct: 5} {
		if counts[kind] != want {
			t.Errorf("kind %d: %d lines, want %d", kind, counts[kind], want)
		}
	}
	for _, action := range []audit.Action{audit.LookupViewed, audit.LookupExported, audit.PersonViewed} {
		if acts[string(action)] != 1 {
			t.Errorf("%s: %d lines", action, acts[string(action)])
		}
	}
	if acts[string(audit.CURPRevealed)] != 2 || acts[string(audit.LookupRequested)] != 0 {
		t.Errorf("acts %v", acts)
	}

	// Page by page, forward and back, each line comes once and in the same order.
	var forward, back []int64
	at := lookup.Page{Limit: 3}
	for {
		list, _, more, err := b.PersonHistory(b.ctx, lookup.Sandbox, person, at)
		b.must(err)
		for _, h := range list {
			forward = append(forward, h.Key)
		}
		if !more {
			break
		}
		last := list[len(list)-1]
		at = lookup.Page{After: lookup.Cursor{At: last.At, ID: last.Key}, Limit: 3}
	}
	end := all[len(all)-1]
	at = lookup.Page{Before: lookup.Cursor{At: end.At, ID: end.Key}, Limit: 4}
	for {
		list, more, _, err := b.PersonHistory(b.ctx, lookup.Sandbox, person, at)
		b.must(err)
		keys := make([]int64, len(list))
		for i, h := range list {
			keys[i] = h.Key
		}
		back = append(keys, back...)
		if !more {
			break
		}
		at = lookup.Page{Before: lookup.Cursor{At: list[0].At, ID: list[0].Key}, Limit: 4}
	}
	keys := make([]int64, len(all))
	for i, h := range all {
		keys[i] = h.Key
	}
	if !slices.Equal(forward, keys) || !slices.Equal(append(back, end.Key), keys) {
		t.Errorf("forward %v, back %v, want %v", forward, back, keys)
	}
}

// A person of one environment does not exist in the other.
func TestPersonOfOtherEnvironment(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.request(lookup.Sandbox, alejandro)
	person := value[uuid.UUID](b, `select uid from people`)
	if _, _, _, err := b.PersonHistory(b.ctx, lookup.Production, person, lookup.Page{Limit: 3}); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("history: %v", err)
	}
	if _, err := b.ViewPerson(b.ctx, lookup.Production, person, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("view: %v", err)
	}
	if _, err := b.RevealPerson(b.ctx, lookup.Production, person, audit.CURPRevealed, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("reveal: %v", err)
	}
	if n := value[int](b, `select count(*) from audit_entries where action in ('person.viewed', 'curp.revealed')`); n != 0 {
		t.Errorf("%d entries of what was refused", n)
	}
}
