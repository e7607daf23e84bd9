package db_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/db"
	"cotejo/internal/decision"
	"cotejo/internal/figures"
	"cotejo/internal/lookup"
)

// answered is a lookup of the sandbox with both answers.
func (b *bench) answered() made {
	b.t.Helper()
	m := b.taken("acc")
	b.must(b.StoreProfile(b.ctx, pull(m, "{}"), someProfile()))
	b.must(b.StoreEmployment(b.ctx, pull(m, "{}"), someHistory(), lookup.Gist{Records: 3}))
	b.exec(`update lookups set status = 'success' where id = $1`, m.id)
	return m
}

// seen is what a page shows of a lookup now, by its hash.
func (b *bench) seen(m made, asOf time.Time) string {
	b.t.Helper()
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	return c.Seen(asOf).Digest()
}

func TestDecide(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.answered()
	asOf := day(2024, 6, 30)
	note := db.NewDecision{Reason: "Antigüedad suficiente.\n" + hostile, AsOf: asOf, Shown: b.seen(m, asOf)}
	b.must(b.Decide(b.ctx, lookup.Sandbox, m.uid, note, b.by))

	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if len(c.Decisions) != 1 {
		t.Fatalf("%d notes", len(c.Decisions))
	}
	got := c.Decisions[0]
	if got.Reason != note.Reason || got.By != b.analyst.Name || !got.AsOf.Equal(asOf) || time.Since(got.At) > time.Minute {
		t.Errorf("the note became %+v", got)
	}
	sum := sha256.Sum256(got.Frozen)
	if string(sum[:]) != string(got.SHA256) || hex.EncodeToString(sum[:]) != note.Shown {
		t.Error("the frozen facts are not those of the page")
	}
	facts, ok := got.Facts()
	if !ok || facts.Lookup != m.uid || facts.AsOf != "2024-06-30" || facts.Status != lookup.Success || len(facts.Records) != 3 || len(facts.Movements) != 2 {
		t.Fatalf("frozen: %+v (%v)", facts, ok)
	}
	if facts.Employment.ID != c.EmploymentPull.UID.String() || facts.Employment.SHA256 != hex.EncodeToString(c.EmploymentPull.SHA256) || facts.Profile.ID != c.ProfilePull.UID.String() {
		t.Errorf("frozen pulls: %+v, %+v", facts.Employment, facts.Profile)
	}
	want := figures.Of(*c.History, asOf, decision.Day(c.EmploymentPull.FetchedAt))
	if diff := cmp.Diff(want.Figures, facts.Figures); diff != "" {
		t.Error("figures (-computed +frozen):\n", diff)
	}
	for _, personal := range []string{alejandro, "12345678903", "García"} {
		if strings.Contains(string(got.Frozen), personal) {
			t.Errorf("%s is among the frozen facts", personal)
		}
	}
	var any map[string]any
	b.must(json.Unmarshal(got.Frozen, &any))

	// It is on the trail, by its id, without its text.
	if n := value[int](b, `select count(*) from audit_entries where action = 'decision.noted' and lookup_id = $1 and person_id is not null and actor_id = $2 and subject = $3 and detail = ''`,
		m.id, b.analyst.ID, got.UID.String()); n != 1 {
		t.Errorf("%d entries on the trail", n)
	}
	// Newer answers and renamed users change nothing of it; a second note comes before it.
	b.exec(`update users set name = 'Otra' where id = $1`, b.analyst.ID)
	n := pull(m, "[]")
	b.must(b.StoreEmployment(b.ctx, n, someHistory(), lookup.Gist{Records: 3}))
	note.Reason, note.Shown = "Segunda", b.seen(m, asOf)
	b.must(b.Decide(b.ctx, lookup.Sandbox, m.uid, note, b.by))
	c, err = b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if len(c.Decisions) != 2 || c.Decisions[0].Reason != "Segunda" {
		t.Fatalf("notes: %+v", c.Decisions)
	}
	if diff := cmp.Diff(got, c.Decisions[1]); diff != "" {
		t.Error("the first note changed (-was +is):\n", diff)
	}
}

func TestDecideRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.answered()
	asOf := day(2024, 6, 30)
	good := db.NewDecision{Reason: "r", AsOf: asOf, Shown: b.seen(m, asOf)}
	for name, test := range map[string]struct {
		env    lookup.Environment
		change func(*db.NewDecision)
		want   error
	}{
		"another date":        {lookup.Sandbox, func(n *db.NewDecision) { n.AsOf = day(2024, 7, 1) }, decision.ErrChanged},
		"nothing seen":        {lookup.Sandbox, func(n *db.NewDecision) { n.Shown = "" }, decision.ErrChanged},
		"another environment": {lookup.Production, func(*db.NewDecision) {}, db.ErrNotFound},
	} {
		n := good
		test.change(&n)
		if err := b.Decide(b.ctx, test.env, m.uid, n, b.by); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	// An answer that came after the page was loaded is not what was decided upon.
	b.must(b.StoreEmployment(b.ctx, pull(m, "[]"), someHistory(), lookup.Gist{Records: 3}))
	if err := b.Decide(b.ctx, lookup.Sandbox, m.uid, good, b.by); !errors.Is(err, decision.ErrChanged) {
		t.Errorf("after another answer: %v", err)
	}
	waiting := b.taken("other")
	if err := b.Decide(b.ctx, lookup.Sandbox, waiting.uid, db.NewDecision{Reason: "r", AsOf: asOf, Shown: b.seen(waiting, asOf)}, b.by); !errors.Is(err, db.ErrConflict) {
		t.Errorf("while it waits: %v", err)
	}
	if n := value[int](b, `select count(*) from decisions`) + value[int](b, `select count(*) from audit_entries where action = 'decision.noted'`); n != 0 {
		t.Errorf("%d rows of what was refused", n)
	}
	// What cannot be written to the trail is not decided.
	b.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	b.exec(`create trigger refuse before insert on audit_entries for each row execute function refuse()`)
	good.Shown = b.seen(m, asOf)
	if err := b.Decide(b.ctx, lookup.Sandbox, m.uid, good, b.by); err == nil || value[int](b, `select count(*) from decisions`) != 0 {
		t.Errorf("without a trail: %v", err)
	}
}

// What the second dialect gives besides profile and employment is part of what was decided upon.
func TestDecideOnOtherData(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.buro(lookup.Sandbox)
	m := b.verified(newLookup(t, lookup.Sandbox, alejandro), "v1")
	b.exec(`update lookups set status = 'success' where id = $1`, m.id)
	store := func(kind lookup.Entity, body string, papers ...db.NewDocument) {
		n := pull(m, body)
		n.Documents = papers
		b.must(b.StoreEntity(b.ctx, kind, n, []lookup.Cells{{{Label: "amount", Value: body}, {Label: "issuer_name", Value: "García"}}}))
	}
	asOf := day(2024, 6, 30)
	decide := func(shown string) error {
		return b.Decide(b.ctx, lookup.Sandbox, m.uid, db.NewDecision{Reason: "r", AsOf: asOf, Shown: shown}, b.by)
	}
	store(lookup.EntityEarnings, "1")
	for what, change := range map[string]func(){
		"earnings":    func() { store(lookup.EntityEarnings, "2") },
		"a new kind":  func() { store(lookup.EntityInvoices, "3") },
		"a document":  func() { store(lookup.EntityFiles, "4", db.NewDocument{Name: "García", Body: []byte("paper")}) },
		"a lost kind": func() { b.must(b.PullFailed(b.ctx, "business_profile", pull(m, ""))) },
	} {
		shown := b.seen(m, asOf)
		change()
		if err := decide(shown); !errors.Is(err, decision.ErrChanged) {
			t.Errorf("after %s came: %v", what, err)
		}
	}
	b.must(decide(b.seen(m, asOf)))
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	facts, ok := c.Decisions[0].Facts()
	if !ok || len(facts.Others) != 4 || len(facts.Documents) != 1 || strings.Contains(string(c.Decisions[0].Frozen), "García") {
		t.Fatalf("frozen: %s", c.Decisions[0].Frozen)
	}
	for _, x := range c.Entities {
		if !slices.ContainsFunc(facts.Others, func(a decision.Answer) bool {
			return a.Entity == x.Entity && a.ID == x.Pull.UID.String() && a.SHA256 == hex.EncodeToString(x.Pull.SHA256)
		}) {
			t.Errorf("%s is not frozen as it stands: %+v", x.Entity, facts.Others)
		}
	}
	if d := facts.Documents[0]; d.ID != c.Documents[0].UID.String() || d.SHA256 != hex.EncodeToString(c.Documents[0].SHA256) {
		t.Errorf("document %+v", d)
	}
}

// A note is neither edited nor deleted, and the database holds that its hash is right.
func TestDecisionsStay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.answered()
	asOf := day(2024, 6, 30)
	b.must(b.Decide(b.ctx, lookup.Sandbox, m.uid, db.NewDecision{Reason: "r", AsOf: asOf, Shown: b.seen(m, asOf)}, b.by))
	const restrict, check = "23001", "23514"
	b.refused(restrict, `update decisions set reason = 'otra'`)
	b.refused(restrict, `update decisions set frozen = '{}', sha256 = sha256('{}')`)
	b.refused(restrict, `delete from decisions`)
	b.refused(restrict, `truncate decisions`)
	const add = `insert into decisions (lookup_id, decided_by, decided_name, reason, as_of, frozen, sha256) values ($1, $2, 'x', $3, '2024-01-01', '{}', $4)`
	right, wrong := sha256.Sum256([]byte("{}")), sha256.Sum256([]byte("{ }"))
	b.refused(check, add, m.id, b.analyst.ID, "r", wrong[:])
	b.refused(check, add, m.id, b.analyst.ID, " \n", right[:])
	b.exec(add, m.id, b.analyst.ID, "r", right[:])
}
