package sandbox

import (
	"cmp"
	"slices"
	"time"
)

// Movements as IMSS reports them: ALTA or REINGRESO, MODIFICACION DE SALARIO, BAJA.
const (
	reentry            = "reentry"
	salaryModification = "salary_modification"
	discharge          = "discharge"
)

// movement is one line of the IMSS record: base is the daily salary from then on,
// at a discharge the one that ended.
type movement struct {
	kind string
	on   time.Time
	base centavos
}

// spell is one job: an employer, its dates, and its movements, oldest first.
type spell struct {
	employer employer
	start    time.Time
	end      time.Time // zero = still there
	moves    []movement
	post     string // ISSSTE only, with terms
	terms    string
}

// base is the daily salary that the record shows: the last one known.
func (s spell) base() centavos { return s.moves[len(s.moves)-1].base }

// noEmployment is the share, in percent, of derived people who never had a
// formal job.
const noEmployment = 3

// firstDay keeps every amount in today's peso: no derived history starts before it.
var firstDay = day(1990, 1, 1)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// career invents the working life that belongs to a CURP and shows what was
// known of it on asOf. The life is rolled to its end first and cut after, so a
// later extraction continues the earlier one instead of contradicting it.
func career(platform string, f curpFacts, full bool, asOf time.Time) []spell {
	d := newDice("career", platform, f.text)
	never := d.chance(noEmployment)
	if never && !full {
		return nil
	}
	start := f.birth.AddDate(18, 0, d.n(6*365))
	if full { // the documented people have a history to show, however young
		start = f.birth.AddDate(18, 0, d.n(365))
	}
	if start.Before(firstDay) {
		start = firstDay.AddDate(0, 0, d.n(5*365))
	}
	lifeEnd := f.birth.AddDate(d.between(60, 67), 0, d.n(365))
	jobs := d.between(1, 7)
	if platform == "issste" {
		jobs = d.between(1, 3)
	}
	if full {
		jobs = d.between(4, 6)
	}
	stops := d.chance(12) && !full // leaves formal work for good after the last job
	level := d.level()
	var spells []spell
	for i := range jobs {
		s := spell{employer: d.employer(f.state), start: start}
		if platform == "issste" {
			s.employer = d.dependency(f.state)
			s.post, s.terms = d.pick(posts), d.pick([]string{"Base", "Base", "Confianza"})
		}
		length := d.jobDays()
		if full {
			length = d.between(200, 800)
		}
		s.end = start.AddDate(0, 0, length)
		if i == jobs-1 && !stops {
			s.end = lifeEnd
		}
		if !s.end.After(start) || !start.Before(lifeEnd) {
			break
		}
		s.moves = d.movements(s, level)
		spells = append(spells, s)
		start = s.end.AddDate(0, 0, d.pause(length))
		level = min(max(level*d.between(92, 135)/100, 700), 26000)
	}
	return cut(spells, asOf)
}

// level of pay in thousandths of the daily unit: most people earn little.
func (d dice) level() int {
	switch r := d.n(100); {
	case r < 60:
		return d.between(1500, 4000)
	case r < 92:
		return d.between(4000, 10000)
	default:
		return d.between(10000, 24000)
	}
}

// jobDays is the length of a job: a trial, some years, or a long stay.
func (d dice) jobDays() int {
	switch r := d.n(100); {
	case r < 25:
		return d.between(15, 180)
	case r < 65:
		return d.between(180, 1100)
	default:
		return d.between(1100, 4000)
	}
}

// pause is the days from one job's end to the next one's start; negative, a
// second job began before the first ended, as in the vendor's own sample.
func (d dice) pause(length int) int {
	switch r := d.n(100); {
	case r < 8 && length > 30:
		return -d.between(5, min(90, length-20))
	case r < 35:
		return d.between(1, 3)
	case r < 80:
		return d.between(10, 120)
	default:
		return d.between(120, 900)
	}
}

// movements of a job: the entry, one salary change early in each later year,
// the exit at the salary then in force.
func (d dice) movements(s spell, level int) []movement {
	spread := func(c centavos) centavos { return c * centavos(10000+d.n(400)) / 10000 }
	// The spread may lift a salary over the ceiling of 25 units, never under the floor.
	pay := func(year int) centavos {
		return min(spread(baseSalary(year, level)), max(25*unitIn(year), wageIn(year)*10493/10000))
	}
	base := pay(s.start.Year())
	moves := []movement{{reentry, s.start, base}}
	for y := s.start.Year() + 1; y <= s.end.Year(); y++ {
		on := day(y, time.January, 1+d.n(60))
		level = level * d.between(100, 104) / 100
		next := pay(y)
		if !on.Before(s.end) || on.Sub(s.start) < 60*24*time.Hour || next == base {
			continue
		}
		base = next
		moves = append(moves, movement{salaryModification, on, base})
	}
	return append(moves, movement{discharge, s.end, base})
}

// cut drops what had not happened by asOf.
func cut(spells []spell, asOf time.Time) []spell {
	var known []spell
	for _, s := range spells {
		if s.start.After(asOf) {
			continue
		}
		s.moves = slices.DeleteFunc(s.moves, func(m movement) bool { return m.on.After(asOf) })
		if s.end.After(asOf) {
			s.end = time.Time{}
		}
		known = append(known, s)
	}
	return known
}

// weeks sums a career the way IMSS does: a day counts once, however many
// employers paid contributions for it. The result is what the person was
// credited with; discounted weeks were given up for an unemployment
// withdrawal, reintegrated ones bought back.
func weeks(f curpFacts, spells []spell, asOf time.Time) (quoted, discounted, reintegrated int) {
	days := 0
	var covered time.Time // first day not yet counted
	idle := false
	for _, s := range byStart(spells) {
		end := s.end
		if end.IsZero() {
			end = asOf
		}
		end = end.AddDate(0, 0, 1)
		from := s.start
		if from.Before(covered) {
			from = covered
		} else if !covered.IsZero() && from.Sub(covered) > 46*24*time.Hour {
			idle = true // art. 191 LSS: a withdrawal needs 46 days without work
		}
		if end.After(from) {
			days += int(end.Sub(from).Hours() / 24)
			covered = end
		}
	}
	quoted = days / 7
	d := newDice("weeks", f.text)
	if idle && quoted > 60 && d.chance(30) {
		discounted = d.between(4, quoted/6)
		if d.chance(40) {
			reintegrated = d.between(1, discounted)
		}
	}
	return quoted, discounted, reintegrated
}

// byStart is needed because an overlap may begin a later job before an earlier one.
func byStart(spells []spell) []spell {
	return slices.SortedStableFunc(slices.Values(spells), func(a, b spell) int { return a.start.Compare(b.start) })
}

// newestFirst is the order of both lists in the vendor's samples.
func newestFirst(spells []spell) []spell {
	return slices.SortedStableFunc(slices.Values(spells), func(a, b spell) int {
		return cmp.Or(b.start.Compare(a.start), cmp.Compare(a.employer.name, b.employer.name))
	})
}
