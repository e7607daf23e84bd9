package lookup

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestActor(t *testing.T) {
	t.Parallel()
	want := map[Actor][]Status{
		ActorAnalyst: {Error, Expired}, ActorPerson: {Incomplete}, ActorSource: {Pending}, ActorCotejo: {Queued}, ActorNobody: {Success},
	}
	got := map[Actor][]Status{}
	var all []Status
	for _, a := range Actors {
		got[a] = a.Statuses()
		all = append(all, got[a]...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
	slices.Sort(all)
	every := slices.Sorted(slices.Values(Statuses))
	if diff := cmp.Diff(every, all); diff != "" {
		t.Error("each status is somebody's, and one's only (-want +got):\n", diff)
	}
	if got := Actor("stranger").Statuses(); got != nil {
		t.Errorf("a stranger acts on %v", got)
	}
}

func TestStatusSets(t *testing.T) {
	t.Parallel()
	for _, s := range Statuses {
		if !s.Known() || s.Open() != (s == Queued || s == Pending) {
			t.Errorf("%s: known %v, open %v", s, s.Known(), s.Open())
		}
	}
	for _, s := range []Status{"", "retry", "SUCCESS"} {
		if s.Known() || s.Open() {
			t.Errorf("%q: known %v, open %v", s, s.Known(), s.Open())
		}
	}
	for p, want := range map[Platform]bool{IMSS: true, ISSSTE: true, "": false, "uber": false, "IMSS": false} {
		if p.Requestable() != want {
			t.Errorf("%q is requestable: %v", p, !want)
		}
	}
}
