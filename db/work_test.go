package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
)

func (b *bench) tag(m made, name string) error {
	return b.AddTag(b.ctx, lookup.Sandbox, m.uid, name, find.Fold(name), b.by)
}

// acts counts entries of an action about a lookup and its person.
func (b *bench) acts(action audit.Action, m made) int {
	b.t.Helper()
	return value[int](b, `select count(*) from audit_entries e join lookups l on l.id = e.lookup_id and l.person_id = e.person_id where e.action = $1 and l.id = $2`, action, m.id)
}

// What is done to a case shows on its row and is on the trail, once; what changes nothing is not.
func TestCaseWork(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := b.request(lookup.Sandbox, alejandro)
	colleague := b.user("inés@example.mx", auth.Supervisor)
	auditor := b.user("auditor@example.mx", auth.Auditor)

	b.must(b.SetReference(b.ctx, lookup.Sandbox, m.uid, "NUEVA-1", b.by))
	b.must(b.SetReference(b.ctx, lookup.Sandbox, m.uid, "NUEVA-1", b.by))
	b.must(b.SetOwner(b.ctx, lookup.Sandbox, m.uid, colleague.UID, b.by))
	b.must(b.SetOwner(b.ctx, lookup.Sandbox, m.uid, colleague.UID, b.by))
	for _, who := range []uuid.UUID{auditor.UID, uuid.New()} {
		if err := b.SetOwner(b.ctx, lookup.Sandbox, m.uid, who, b.by); !errors.Is(err, db.ErrNoOwner) {
			t.Errorf("a case of somebody who cannot ask: %v", err)
		}
	}
	b.must(b.tag(m, "revisión"))
	b.must(b.tag(m, "REVISION"))
	b.must(b.tag(m, "urgente"))
	b.must(b.WriteNote(b.ctx, lookup.Sandbox, m.uid, "Primera\x00 nota", b.by))
	b.must(b.WriteNote(b.ctx, lookup.Sandbox, m.uid, "Segunda", b.by))

	row, err := b.LookupRow(b.ctx, m.id)
	b.must(err)
	if diff := cmp.Diff([]string{"NUEVA-1", colleague.Name, "revisión", "urgente"}, append([]string{row.Reference, row.Owner}, row.Tags...)); diff != "" {
		t.Error(diff)
	}
	c, err := b.WatchLookup(b.ctx, lookup.Sandbox, m.uid)
	b.must(err)
	if c.Work.Owner != colleague.UID || len(c.Work.Tags) != 2 || len(c.Work.Known) != 2 || len(c.Work.Colleagues) != 2 || len(c.Work.Notes) != 2 ||
		c.Work.Notes[0].Text != "Segunda" || c.Work.Notes[1].Text != "Primera\uFFFD nota" || c.Work.Notes[0].Author != b.by.Name {
		t.Errorf("the case says %+v", c.Work)
	}
	tag := value[uuid.UUID](b, `select uid from tags where folded = 'urgente'`)
	b.must(b.RemoveTag(b.ctx, lookup.Sandbox, m.uid, tag, b.by))
	b.must(b.RemoveTag(b.ctx, lookup.Sandbox, m.uid, tag, b.by))
	b.must(b.SetOwner(b.ctx, lookup.Sandbox, m.uid, uuid.Nil, b.by))
	for action, want := range map[audit.Action]int{audit.ReferenceChanged: 1, audit.OwnerChanged: 2, audit.TagAdded: 2, audit.TagRemoved: 1, audit.NoteWritten: 2} {
		if got := b.acts(action, m); got != want {
			t.Errorf("%s is %d times on the trail, want %d", action, got, want)
		}
	}
	if n := value[int](b, `select count(*) from audit_entries e where e::text ~ 'NUEVA|Primera|Segunda|urgente'`); n != 0 {
		t.Errorf("%d entries of the trail hold free text", n)
	}

	// All of it stands in the person's history, with the note and the names.
	person := value[uuid.UUID](b, `select uid from people where environment = 'sandbox'`)
	list, _, _, err := b.PersonHistory(b.ctx, lookup.Sandbox, person, lookup.Page{Limit: 50})
	b.must(err)
	var told []string
	for _, h := range list {
		if h.Kind == db.HappenedNote || h.Kind == db.HappenedAct {
			told = append(told, strings.Trim(h.Word+" "+h.Text, " "))
		}
	}
	want := []string{"lookup.owner", "lookup.untagged urgente", "Segunda", "Primera\uFFFD nota", "lookup.tagged urgente", "lookup.tagged revisión", "lookup.owner " + colleague.Name, "lookup.reference"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}

	// A case of the other environment is not there.
	live := b.request(lookup.Production, alejandro)
	for name, err := range map[string]error{
		"reference": b.SetReference(b.ctx, lookup.Sandbox, live.uid, "x", b.by), "owner": b.SetOwner(b.ctx, lookup.Sandbox, live.uid, colleague.UID, b.by),
		"tag": b.tag(live, "x"), "note": b.WriteNote(b.ctx, lookup.Sandbox, live.uid, "x", b.by), "untag": b.RemoveTag(b.ctx, lookup.Sandbox, live.uid, tag, b.by)} {
		if !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s across environments: %v", name, err)
		}
	}
	const restrict = "23001"
	b.refused(restrict, `update case_notes set text = 'other'`)
	b.refused(restrict, `delete from case_notes`)
	b.refused(restrict, `truncate case_notes`)
}

func TestTags(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m, other := b.request(lookup.Sandbox, alejandro), b.request(lookup.Sandbox, eduardo)
	for i := range lookup.MaxTags {
		b.must(b.tag(m, fmt.Sprintf("etiqueta %c", 'a'+i)))
	}
	if err := b.tag(m, "una más"); !errors.Is(err, db.ErrManyTags) {
		t.Errorf("an eleventh tag: %v", err)
	}
	b.must(b.tag(m, "ETIQUETA A")) // has it already
	b.must(b.tag(other, "etiqueta b"))
	id := func(folded string) uuid.UUID {
		return value[uuid.UUID](b, `select uid from tags where folded = $1`, folded)
	}
	a, second := id("etiqueta a"), id("etiqueta b")

	merged, err := b.RenameTag(b.ctx, lookup.Sandbox, a, "principal", "principal", b.by)
	b.must(err)
	if merged {
		t.Error("a new name merges")
	}
	if merged, err = b.RenameTag(b.ctx, lookup.Sandbox, second, "Principal", "principal", b.by); err != nil || !merged {
		t.Errorf("a name that is there: merged %v, %v", merged, err)
	}
	row, err := b.LookupRow(b.ctx, other.id)
	b.must(err)
	if diff := cmp.Diff([]string{"principal"}, row.Tags); diff != "" {
		t.Error(diff)
	}
	if _, err := b.RenameTag(b.ctx, lookup.Production, a, "x", "x", b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("across environments: %v", err)
	}
	uses, err := b.TagUses(b.ctx, lookup.Sandbox, 2)
	b.must(err)
	if len(uses) != 9 || uses[8].Name != "principal" || uses[8].Lookups != 2 {
		t.Errorf("%d tags are used, the last %+v", len(uses), uses[len(uses)-1])
	}
	b.must(b.DeleteTag(b.ctx, lookup.Sandbox, a, b.by))
	if err := b.DeleteTag(b.ctx, lookup.Sandbox, a, b.by); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if n := value[int](b, `select count(*) from lookup_tags where lookup_id = $1`, other.id); n != 0 {
		t.Errorf("%d tags left", n)
	}
	b.exec(`insert into tags (environment, name, folded) select 'sandbox', 't' || g, 't' || g from generate_series(1, $1) g on conflict do nothing`, db.TagsKept)
	if err := b.tag(other, "otra"); !errors.Is(err, db.ErrManyTags) {
		t.Errorf("more tags than anybody reads: %v", err)
	}
}
