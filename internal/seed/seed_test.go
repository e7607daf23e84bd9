package seed

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/curp"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

var now = time.Date(2026, 9, 3, 19, 30, 0, 0, time.UTC)

func made(p Plan) (list []*Lookup) {
	for l := range Lookups(p) {
		list = append(list, l)
	}
	return list
}

func TestSameAgain(t *testing.T) {
	t.Parallel()
	plan := Plan{Lookups: 300, Deliveries: 900, FirstID: 7, Now: now}
	if one, two := made(plan), made(plan); !reflect.DeepEqual(one, two) { // the difference takes a minute to find
		t.Error("two runs differ:\n", cmp.Diff(one, two))
	}
	plan.FirstID = 5000
	uids := map[[16]byte]bool{}
	for _, l := range append(made(plan), made(Plan{Lookups: 300, Deliveries: 900, FirstID: 7, Now: now})...) {
		if uids[l.UID] {
			t.Error("two lookups have one UUID")
		}
		uids[l.UID] = true
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, plan := range []Plan{{Lookups: 1}, {Lookups: 1, Deliveries: 40}, {Lookups: 50}, {Lookups: 200, Deliveries: 77}, {Lookups: 333, Deliveries: 1000}, {Lookups: 20, Deliveries: 900}} {
		plan.FirstID, plan.Now = 1, now
		lookups, deliveries := 0, 0
		for l := range Lookups(plan) {
			if l.ID != int64(1+lookups) || len(l.Attempts) > MostAttempts {
				t.Errorf("lookup %d has id %d and %d attempts", lookups, l.ID, len(l.Attempts))
			}
			lookups++
			deliveries += len(l.Deliveries)
		}
		if lookups != plan.Lookups || deliveries != plan.Deliveries {
			t.Errorf("%d and %d of %+v", lookups, deliveries, plan)
		}
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	m := newMaker(Plan{}, 0)
	seen := map[string]bool{}
	for k := range int64(20_000) {
		p := m.person(k)
		c := curp.Explain(p.curp, now)
		if c.Verdict != curp.Pass || seen[p.curp] {
			t.Fatalf("person %d: %v, seen before: %v", k, c.Headline, seen[p.curp])
		}
		seen[p.curp] = true
		parsed, err := curp.Parse(p.curp)
		if err != nil || !parsed.Birth().Equal(p.birth) || (parsed.Sex() == "M") != p.woman {
			t.Fatalf("person %d: born %v, woman %v (%v)", k, p.birth, p.woman, err)
		}
		if n := curp.ExplainNSS(p.nss); n.Verdict != curp.Pass || n.BirthDiffers(p.birth) {
			t.Fatalf("person %d: %v", k, n.Headline)
		}
	}
	if a, b := m.person(9), m.person(9); a != b {
		t.Error("a person is another one when asked about again")
	}
}

// What is invented reads, through the code that reads the vendor, as what is stored beside it.
func TestBodiesRead(t *testing.T) {
	t.Parallel()
	events, phases := 0, map[lookup.Phase]bool{}
	for _, l := range made(Plan{Lookups: 400, Deliveries: 1600, FirstID: 1, Now: now}) {
		for _, a := range l.Attempts {
			for _, e := range a.Events {
				d := l.Deliveries[e.Delivery]
				got, err := palenca.ParseEvent(d.Body)
				if err != nil {
					t.Fatal(err)
				}
				if got.Key != e.Key || got.Action != e.Action || got.AccountID != a.AccountID || got.Report != e.Report || got.ExternalID != a.UID.String() {
					t.Errorf("event reads as %+v, stored %+v", got, e.Event)
				}
				phases[e.Report.Phase] = true
				events++
			}
		}
		for i, d := range l.Deliveries {
			_, err := palenca.ParseEvent(d.Body)
			if readable := err == nil; !readable && d.Verdict != webhook.Refused && d.Cause != webhook.CauseUnreadable {
				t.Errorf("a delivery that is %s %s does not read", d.Verdict, d.Cause)
			}
			if d.TwinOf != None && (d.TwinOf >= i || string(d.Body) == string(l.Deliveries[d.TwinOf].Body) != (d.Cause == webhook.CauseSameBytes)) {
				t.Errorf("delivery %d, %s, is no twin of %d", i, d.Cause, d.TwinOf)
			}
		}
	}
	if events < 500 || len(phases) != 5 {
		t.Errorf("%d events of phases %v", events, phases)
	}
}

func TestStories(t *testing.T) {
	t.Parallel()
	from := now.AddDate(-Years, 0, -1)
	statuses, again := map[lookup.Status]int{}, 0
	for _, l := range made(Plan{Lookups: 5000, Deliveries: 15_000, FirstID: 1, Now: now}) {
		statuses[l.State.Status]++
		if l.RequestedAt.Before(from) || l.RequestedAt.After(now) || l.StatusAt.Before(l.RequestedAt) || l.StatusAt.After(now) {
			t.Errorf("requested %v, settled %v", l.RequestedAt, l.StatusAt)
		}
		if !l.Consent.Live(now) || l.Consent.GivenAt.After(l.RequestedAt) {
			t.Errorf("consent from %v to %v", l.Consent.GivenAt, l.Consent.ExpiresAt)
		}
		last := l.Attempts[len(l.Attempts)-1]
		if last.State != l.State || last.Profile != l.Profile || last.Employment != l.Employment {
			t.Errorf("the lookup shows %v, its latest attempt is %v", l.State, last.State)
		}
		again += len(l.Attempts) - 1
		for _, a := range l.Attempts {
			if a.SettledAt.IsZero() != a.State.Status.Open() {
				t.Errorf("%s settled at %v", a.State.Status, a.SettledAt)
			}
			for i, m := range a.Moments {
				if i > 0 && m.At.Before(a.Moments[i-1].At) {
					t.Errorf("the story goes backwards at %s", m.Kind)
				}
			}
			for _, p := range a.Pulls {
				if p.History != nil && (len(p.Body) < 200 || employment.Gist(*p.History) != l.Gist) {
					t.Errorf("gist %+v of %d records", l.Gist, len(p.History.Records))
				}
			}
		}
	}
	if statuses[lookup.Success] < 3000 || again < 200 {
		t.Errorf("%v, %d tried again", statuses, again)
	}
	for _, s := range lookup.Statuses {
		if statuses[s] == 0 {
			t.Errorf("none is %s", s)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for centavos, want := range map[int64]string{104497: "1044.97", 5: "0.05", 30000: "300.00", 110: "1.10"} {
		if got := money(centavos); got != want {
			t.Errorf("%d reads %s", centavos, got)
		}
	}
}

func BenchmarkLookups(b *testing.B) {
	n := 0
	for l := range Lookups(Plan{Lookups: b.N, Deliveries: 3 * b.N, FirstID: 1, Now: now}) {
		n += len(l.Deliveries)
	}
}
