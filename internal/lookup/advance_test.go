package lookup

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var phases = []Phase{PhaseOpened, PhaseSucceeded, PhaseIncomplete, PhaseFailed, PhaseRefreshFailed, PhaseUnknown, "a phase of tomorrow"}

// Each status meets each phase. "→" moves, "late" tells of an earlier moment, "fetch" calls for the data, "!" warns.
func TestAdvance(t *testing.T) {
	t.Parallel()
	want := strings.TrimSpace(`
queued     opened              → pending
queued     succeeded           → success fetch
queued     incomplete          → incomplete
queued     failed              → error
queued     refresh_failed      → error
queued     unknown             
queued     a phase of tomorrow 
pending    opened              
pending    succeeded           → success fetch
pending    incomplete          → incomplete
pending    failed              → error
pending    refresh_failed      → error
pending    unknown             
pending    a phase of tomorrow 
expired    opened              late
expired    succeeded           → success fetch
expired    incomplete          → incomplete
expired    failed              → error
expired    refresh_failed      → error
expired    unknown             
expired    a phase of tomorrow 
error      opened              late
error      succeeded           → success fetch
error      incomplete          
error      failed              
error      refresh_failed      
error      unknown             
error      a phase of tomorrow 
incomplete opened              late
incomplete succeeded           → success fetch
incomplete incomplete          
incomplete failed              
incomplete refresh_failed      
incomplete unknown             
incomplete a phase of tomorrow 
success    opened              late
success    succeeded           fetch
success    incomplete          late
success    failed              late
success    refresh_failed      ! code
success    unknown             
success    a phase of tomorrow`)
	var lines []string
	for _, status := range []Status{Queued, Pending, Expired, Error, Incomplete, Success} {
		for _, phase := range phases {
			now := State{Status: status, Detail: "before", Warning: "w"}
			step := Advance(now, Report{Phase: phase, Detail: "code"})
			var did []string
			switch {
			case step.Next.Status != status:
				did = append(did, "→ "+string(step.Next.Status))
				if step.Next.Detail != "code" || step.Next.Warning != "w" || !step.Moved {
					t.Errorf("%s, %s: %+v", status, phase, step)
				}
			case step.Next.Detail != "before":
				t.Errorf("%s, %s: the detail changed and the status did not: %+v", status, phase, step)
			case step.Next.Warning != "w":
				did = append(did, "! "+step.Next.Warning)
			}
			if step.Moved != (step.Next != now) {
				t.Errorf("%s, %s: moved %v to %+v", status, phase, step.Moved, step.Next)
			}
			if step.Late {
				did = append(did, "late")
			}
			if step.Fetch {
				did = append(did, "fetch")
			}
			lines = append(lines, fmt.Sprintf("%-10s %-19s %s", status, phase, strings.Join(did, " ")))
		}
	}
	if diff := cmp.Diff(want, strings.TrimSpace(strings.Join(lines, "\n"))); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}

func TestAdvanceWarning(t *testing.T) {
	t.Parallel()
	once := Advance(State{Status: Success}, Report{Phase: PhaseRefreshFailed})
	if want := (Step{Next: State{Status: Success, Warning: "failed_refresh"}, Moved: true}); once != want {
		t.Errorf("a failed refresh without a detail: %+v, want %+v", once, want)
	}
	if again := Advance(once.Next, Report{Phase: PhaseRefreshFailed}); again.Moved {
		t.Errorf("told again: %+v", again)
	}
}

// Whatever the order and however often each report comes, the attempt ends in the same rank, which never falls, and no
// report that came before moves it again.
func TestAdvanceInAnyOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		reports := make([]Report, 1+random.IntN(6))
		most := Queued.rank()
		for i := range reports {
			reports[i] = Report{Phase: phases[random.IntN(len(phases))], Detail: fmt.Sprint(random.IntN(3))}
			most = max(most, Advance(State{Status: Queued}, reports[i]).Next.Status.rank())
		}
		for range 5 {
			told := slices.Concat(reports, reports[:random.IntN(len(reports)+1)])
			random.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
			state := State{Status: Queued}
			for _, r := range told {
				step := Advance(state, r)
				if step.Next.Status.rank() < state.Status.rank() {
					t.Fatalf("%v fell to %v by %v", state, step.Next, r)
				}
				if step.Late && step.Moved {
					t.Fatalf("%v: a late report moved to %v", state, step.Next)
				}
				if twice := Advance(step.Next, r); twice.Moved {
					t.Fatalf("%v told twice moves %v to %v", r, step.Next, twice.Next)
				}
				state = step.Next
			}
			if state.Status.rank() != most {
				t.Fatalf("%v end in %s", told, state.Status)
			}
		}
	}
}
