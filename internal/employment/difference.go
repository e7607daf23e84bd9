package employment

import (
	"math/big"
	"slices"
	"strconv"
	"time"
)

// ChangeKind is what differs between two histories of one person. Each has its word in the message files under difference.kind.
type ChangeKind string

const (
	NewJob       ChangeKind = "new_job"       // a record that was not there before
	EndedJob     ChangeKind = "ended_job"     // open before, with an end date now
	ReopenedJob  ChangeKind = "reopened_job"  // with an end date before, open now
	GoneJob      ChangeKind = "gone_job"      // the source no longer reports it
	BaseSalary   ChangeKind = "base_salary"   //
	Monthly      ChangeKind = "monthly"       //
	EmployerName ChangeKind = "employer_name" // the same spell under another name
	Field        ChangeKind = "field"         // any other value of a record, or of the person's standing
)

// Change is one difference. Values are the texts received, dates as 2006-01-02; "" means absent.
type Change struct {
	Kind          ChangeKind
	Record        Record // the record after, or before when it is gone; zero for what belongs to no record
	Name          string // of the field: start, end, registration, quoted_weeks, …
	Before, After string
}

// Difference lists what differs between two histories of one person: records that came, ended, reopened or went, then
// what changed in those that stayed, then the person's standing. Amounts are compared as numbers and shown as received:
// 1150.50 and 1150.5 are one salary. Spellings of an employer that differ in case, spacing or dots only are one name,
// and so is a registration with its check digit the one without.
//
// Records have no identity of their own at either vendor. They are paired by what least often changes, in rounds: employer's
// registration and start date, name and start date, start and end date, registration alone, name alone. In the last three only what is without
// a rival on both sides is paired; of several alike, in the order received.
func Difference(before, after History) []Change {
	pairs, gone, fresh := pair(before.Records, after.Records)
	var changes []Change
	for _, i := range fresh {
		r := after.Records[i]
		changes = append(changes, Change{Kind: NewJob, Record: r, After: span(r)})
	}
	for _, p := range pairs {
		changes = append(changes, ends(before.Records[p.a], after.Records[p.b])...)
	}
	for _, i := range gone {
		r := before.Records[i]
		changes = append(changes, Change{Kind: GoneJob, Record: r, Before: span(r)})
	}
	for _, p := range pairs {
		changes = append(changes, inside(before.Records[p.a], after.Records[p.b])...)
	}
	return append(changes, standing(before, after)...)
}

type couple struct{ a, b int }

// pair finds the records that are the same spell; both lists of the rest are in the order received.
func pair(before, after []Record) (pairs []couple, gone, fresh []int) {
	freeA, freeB := indexes(before), indexes(after)
	for _, same := range []struct {
		key  func(Record) string
		lone bool // only when nothing else has the key
	}{
		{func(r Record) string { return key(FoldRegistration(r.Registration), date(r.Start), r.Institution) }, false},
		{func(r Record) string { return key(normal(r.Employer), date(r.Start), r.Institution) }, false},
		{func(r Record) string { return key(date(r.Start), "-"+date(r.End), r.Institution) }, true},
		{func(r Record) string { return key(FoldRegistration(r.Registration), "-", r.Institution) }, true},
		{func(r Record) string { return key(normal(r.Employer), "-", r.Institution) }, true},
	} {
		of := func(records []Record, free []int) map[string][]int {
			byKey := map[string][]int{}
			for _, i := range free {
				if k := same.key(records[i]); k != "" {
					byKey[k] = append(byKey[k], i)
				}
			}
			return byKey
		}
		a, b := of(before, freeA), of(after, freeB)
		for _, i := range slices.Clone(freeA) {
			k := same.key(before[i])
			if k == "" || len(b[k]) == 0 || same.lone && (len(a[k]) > 1 || len(b[k]) > 1) {
				continue
			}
			j := b[k][0]
			b[k] = b[k][1:]
			pairs = append(pairs, couple{i, j})
			freeA = without(freeA, i)
			freeB = without(freeB, j)
		}
	}
	slices.SortFunc(pairs, func(x, y couple) int { return x.b - y.b })
	return pairs, freeA, freeB
}

// key joins what tells records apart; without the first two there is none.
func key(first, second, third string) string {
	if first == "" || second == "" {
		return ""
	}
	return first + "\x00" + second + "\x00" + third
}

func indexes(records []Record) []int {
	all := make([]int, len(records))
	for i := range all {
		all[i] = i
	}
	return all
}

func without(list []int, one int) []int {
	return slices.DeleteFunc(list, func(i int) bool { return i == one })
}

// ends tells whether a spell ended or is open again.
func ends(a, b Record) []Change {
	switch {
	case a.Open() && !b.Open():
		return []Change{{Kind: EndedJob, Record: b, Name: "end", After: date(b.End)}}
	case !a.Open() && b.Open():
		return []Change{{Kind: ReopenedJob, Record: b, Name: "end", Before: date(a.End)}}
	}
	return nil
}

// inside tells what changed within a spell.
func inside(a, b Record) (changes []Change) {
	add := func(kind ChangeKind, name, before, after string) {
		changes = append(changes, Change{Kind: kind, Record: b, Name: name, Before: before, After: after})
	}
	if !sameAmount(a.BaseSalary, b.BaseSalary) {
		add(BaseSalary, "base_salary", a.BaseSalary, b.BaseSalary)
	}
	if !sameAmount(a.Monthly, b.Monthly) {
		add(Monthly, "monthly", a.Monthly, b.Monthly)
	}
	if normal(a.Employer) != normal(b.Employer) {
		add(EmployerName, "employer", a.Employer, b.Employer)
	}
	if !a.Start.Equal(b.Start) {
		add(Field, "start", date(a.Start), date(b.Start))
	}
	if !a.Open() && !b.Open() && !a.End.Equal(b.End) {
		add(Field, "end", date(a.End), date(b.End))
	}
	if FoldRegistration(a.Registration) != FoldRegistration(b.Registration) {
		add(Field, "registration", a.Registration, b.Registration)
	}
	for _, f := range []struct{ name, before, after string }{
		{"state", a.State, b.State}, {"job_title", a.JobTitle, b.JobTitle},
		{"designation", a.Designation, b.Designation}, {"modality", a.Modality, b.Modality},
		{"payment_frequency", a.PayFrequency, b.PayFrequency}, {"institution", a.Institution, b.Institution},
	} {
		if f.before != f.after {
			add(Field, f.name, f.before, f.after)
		}
	}
	return changes
}

// standing tells what changed of the person as a whole. The days counted in a record and the weeks grow by themselves, but
// the weeks are what a lender asks for, so they are told.
func standing(a, b History) (changes []Change) {
	for _, f := range []struct{ name, before, after string }{
		{"status", a.Status, b.Status}, {"end_of_rights", a.EndOfRight, b.EndOfRight},
		{"quoted_weeks", count(a.Weeks.Quoted), count(b.Weeks.Quoted)},
		{"discounted_weeks", count(a.Weeks.Discounted), count(b.Weeks.Discounted)},
		{"reintegrated_weeks", count(a.Weeks.Reintegrated), count(b.Weeks.Reintegrated)},
	} {
		if f.before != f.after {
			changes = append(changes, Change{Kind: Field, Name: f.name, Before: f.before, After: f.after})
		}
	}
	return changes
}

// sameAmount compares amounts as numbers; texts that are none are compared as they are.
func sameAmount(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// span writes a spell as its two dates with a slash between (ISO 8601), an open end being empty.
func span(r Record) string { return date(r.Start) + "/" + date(r.End) }

func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}
