package sandbox

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// derived makes count valid CURPs of people born 1930-2012, the same each time.
func derived(count int) []string {
	r := rand.New(rand.NewPCG(7, 7))
	states := make([]string, 0, len(curpStates))
	for s := range curpStates {
		states = append(states, s)
	}
	sort.Strings(states)
	letters, cons := "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "BCDFGHJKLMNPQRSTVWXYZ"
	out := make([]string, count)
	for i := range out {
		birth := time.Date(1930+r.IntN(83), 1, 1+r.IntN(365), 0, 0, 0, 0, time.UTC)
		differ := "0"
		if birth.Year() >= 2000 {
			differ = "A"
		}
		c := fmt.Sprintf("%c%c%c%c%s%c%s%c%c%c%s", letters[r.IntN(26)], "AEIOUX"[r.IntN(6)], letters[r.IntN(26)], letters[r.IntN(26)],
			birth.Format("060102"), "HMX"[r.IntN(3)], states[r.IntN(len(states))], cons[r.IntN(21)], cons[r.IntN(21)], cons[r.IntN(21)], differ)
		out[i] = c + string(curpDigit(c))
	}
	return out
}

var asOf = day(2026, 11, 20)

func TestDerivedHistoriesHold(t *testing.T) {
	t.Parallel()
	registration := regexp.MustCompile(`^[A-Z]\d{7}10$`)
	empty, idle, overlapping, gaps, grown := 0, 0, 0, 0, 0
	for _, curp := range derived(2000) {
		facts, err := readCURP(curp)
		if err != nil {
			t.Fatalf("%s: %v", curp, err)
		}
		spells := careerOf("imss", curp, asOf)
		if facts.birth.AddDate(24, 0, 0).Before(asOf) {
			grown++
			if len(spells) == 0 {
				empty++
			}
		}
		if len(spells) > 7 {
			t.Errorf("%s: %d employers", curp, len(spells))
		}
		sum, current := 0, false
		for i, p := range spells {
			end := p.end
			if end.IsZero() {
				end, current = asOf, true
			}
			sum += int(end.Sub(p.start).Hours()/24) + 1
			if p.start.Before(facts.birth.AddDate(16, 0, 0)) || p.start.After(asOf) || end.Before(p.start) || end.After(asOf) {
				t.Errorf("%s: job from %v to %v", curp, p.start, p.end)
			}
			if !registration.MatchString(p.employer.registration) || p.employer.name != strings.ToUpper(p.employer.name) || p.employer.state == "" {
				t.Errorf("%s: employer %+v", curp, p.employer)
			}
			if i > 0 {
				before := spells[i-1]
				switch {
				case p.start.Before(before.start):
					t.Errorf("%s: jobs out of order", curp)
				case before.end.IsZero() || !p.start.After(before.end):
					overlapping++
				case p.start.Sub(before.end) > 30*24*time.Hour:
					gaps++
				}
			}
			checkMovements(t, curp, p)
		}
		if len(spells) > 0 && !current {
			idle++
		}
		q, d, b := weeks(facts, spells, asOf)
		if q < 0 || q > sum/7 || d < 0 || d > q || b < 0 || b > d || (len(spells) == 0) != (sum == 0) {
			t.Errorf("%s: weeks %d %d %d of %d days", curp, q, d, b, sum)
		}
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(grown) }
	if s := share(empty); s < 1.5 || s > 5 {
		t.Errorf("%.1f %% of the grown-up never had a job, want about 3", s)
	}
	for what, n := range map[string]int{"overlaps": overlapping, "gaps": gaps, "people without a current job": idle} {
		if n < 50 {
			t.Errorf("only %d %s in 2,000 lives", n, what)
		}
	}
}

func checkMovements(t *testing.T, curp string, p spell) {
	t.Helper()
	if p.moves[0].kind != reentry || !p.moves[0].on.Equal(p.start) {
		t.Errorf("%s: first movement %+v", curp, p.moves[0])
	}
	last := p.moves[len(p.moves)-1]
	if (last.kind == discharge) != !p.end.IsZero() || last.kind == discharge && !last.on.Equal(p.end) {
		t.Errorf("%s: last movement %+v of a job to %v", curp, last, p.end)
	}
	if last.base != p.base() {
		t.Errorf("%s: record says %d, last movement %d", curp, p.base(), last.base)
	}
	for i, m := range p.moves {
		year := m.on.Year()
		if m.kind == discharge { // at the salary of the year before, perhaps
			year = p.moves[i-1].on.Year()
		}
		if m.base < wageIn(year) || m.base > 25*unitIn(year) {
			t.Errorf("%s: %d in %d is outside the limits", curp, m.base, year)
		}
		if i > 0 && (!m.on.After(p.moves[i-1].on) || m.kind == salaryModification && m.base == p.moves[i-1].base) {
			t.Errorf("%s: movement %+v after %+v", curp, m, p.moves[i-1])
		}
	}
}

// A later extraction continues an earlier one: what was over then is unchanged.
func TestLaterExtractionContinuesTheEarlier(t *testing.T) {
	t.Parallel()
	opt := cmp.AllowUnexported(spell{}, employer{}, movement{})
	for _, curp := range derived(300) {
		before, after := careerOf("imss", curp, asOf.AddDate(-2, 0, 0)), careerOf("imss", curp, asOf)
		if len(after) < len(before) {
			t.Fatalf("%s: a job vanished", curp)
		}
		for i, p := range before {
			if p.end.IsZero() {
				after[i].end = time.Time{}
				after[i].moves = after[i].moves[:len(p.moves)]
			}
			if diff := cmp.Diff(p, after[i], opt); diff != "" {
				t.Fatalf("%s: %s", curp, diff)
			}
		}
	}
}

func TestWeeksCountADayOnce(t *testing.T) {
	t.Parallel()
	facts, _ := readCURP(gata)
	full := spell{start: day(2020, 1, 1), end: day(2020, 1, 14)}
	inside := spell{start: day(2020, 1, 3), end: day(2020, 1, 9)}
	tail := spell{start: day(2020, 1, 10), end: day(2020, 1, 21)}
	for name, c := range map[string]struct {
		spells []spell
		want   int
	}{
		"one":         {[]spell{full}, 2},
		"inside":      {[]spell{full, inside}, 2},
		"tail":        {[]spell{full, tail}, 3},
		"any order":   {[]spell{tail, inside, full}, 3},
		"still there": {[]spell{{start: asOf.AddDate(0, 0, -6)}}, 1},
		"none":        {nil, 0},
	} {
		if got, _, _ := weeks(facts, c.spells, asOf); got != c.want {
			t.Errorf("%s: %d weeks, want %d", name, got, c.want)
		}
	}
}

func TestNamesFitTheirCURP(t *testing.T) {
	t.Parallel()
	all := derived(2000)
	for _, p := range people {
		all = append(all, p.CURP)
	}
	for _, curp := range all {
		facts, _ := readCURP(curp)
		given, first, second := personName(facts)
		i1, v1, c1 := nameLetters(first)
		i3, _, c3 := nameLetters(given)
		i2, c2 := byte('X'), byte('X')
		if second != "" {
			i2, _, c2 = nameLetters(second)
		}
		if curp[1] == 'X' {
			v1 = 'X'
		}
		got := []byte{i1, v1, i2, i3, c1, c2, c3}
		want := []byte{curp[0], curp[1], curp[2], curp[3], curp[13], curp[14], curp[15]}
		if string(got) != string(want) {
			t.Errorf("%s: %s %s %s", curp, given, first, second)
		}
		nss := socialSecurityNumber(facts)
		if len(nss) != 11 || nssDigit(nss[:10]) != nss[10] || nss[4:6] != curp[4:6] {
			t.Errorf("%s: NSS %s", curp, nss)
		}
	}
}

func TestISSSTEHasNoWeeksAndNoRegistration(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, curp := range derived(200) {
		e := employment(&account{Platform: "issste", Identifier: curp, LastSuccess: asOf}, false)
		if e.Info.Quoted != nil || e.Info.Discounted != nil || e.Info.Reintegrated != nil || len(*e.Events) != 0 {
			t.Fatalf("%s: %+v", curp, e.Info)
		}
		for _, h := range e.History {
			seen++
			if h.Registration != nil || h.Designation == nil || h.PaymentDays == nil || !slices.Contains(dependencies, h.Employer) {
				t.Fatalf("%s: %+v", curp, h)
			}
		}
	}
	if seen == 0 {
		t.Error("nobody works for the state")
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	baby := "GATA250408HTLRLLA" // eighteen months old
	baby += string(curpDigit(baby))
	unborn := "GATA300408HTLRLLA"
	unborn += string(curpDigit(unborn))
	for curp, want := range map[string]outcome{
		"SABC560626MDFLRN01": {Status: "success"},
		"SABC560626MDFLRN02": {Status: "incomplete", Details: "curp_not_found_in_renapo"}, // digit
		baby:                 {Status: "success", Warning: "no_employment_records", empty: true},
		unborn:               {Status: "incomplete", Details: "curp_not_found_in_renapo"},
	} {
		if got := outcomeOf("imss", curp, asOf); got != want {
			t.Errorf("%s: %+v, want %+v", curp, got, want)
		}
	}
}
