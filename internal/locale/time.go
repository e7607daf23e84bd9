package locale

import (
	"strconv"
	"time"
)

// Date writes a calendar date, "15 mar 2024" or "15 Mar 2024". A date is a
// date: the day printed is the one t carries, whatever the reader's zone. The
// zero time is "".
func (p *Printer) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	year, month, day := t.Date()
	return strconv.Itoa(day) + " " + p.T("format.month.m"+strconv.Itoa(int(month))) + " " + strconv.Itoa(year)
}

// DateTime writes an instant in the reader's zone, to the second:
// "15 mar 2024, 11:39:23". The zero time is "".
func (p *Printer) DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return p.Date(t.In(p.zone)) + ", " + p.Clock(t)
}

// Clock writes the time of day of an instant in the reader's zone, "11:39:23".
// The zero time is "".
func (p *Printer) Clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.zone).Format(time.TimeOnly)
}

const (
	justNow  = 5 * time.Second
	halfDay  = 12 * time.Hour // up to here hours say more than "ayer" does
	dayNames = 7              // up to here days are counted, then the date is given
)

// Ago writes t as seen from now: "hace 3 min", "hace 5 h", "ayer",
// "hace 4 días", "en 2 h", and the date once it is more than a week away. Days
// are calendar days in the reader's zone. Units are cut, never rounded up. The
// zero time is "".
func (p *Printer) Ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	direction, gap := "past", now.Sub(t)
	if gap < 0 {
		direction, gap = "future", -gap
	}
	days := calendarDays(t.In(p.zone), now.In(p.zone))
	if direction == "future" {
		days = -days
	}
	switch {
	case gap < justNow:
		return p.T("format.ago.now")
	case gap < time.Minute:
		return p.ago(direction, "second", int(gap/time.Second))
	case gap < time.Hour:
		return p.ago(direction, "minute", int(gap/time.Minute))
	case gap < halfDay || days == 0:
		return p.ago(direction, "hour", int(gap/time.Hour))
	case days <= dayNames:
		return p.ago(direction, "day", days)
	}
	return p.Date(t.In(p.zone))
}

func (p *Printer) ago(direction, unit string, n int) string {
	return p.T("format.ago."+direction+"."+unit, "Count", n)
}

// calendarDays counts the midnights from one instant to another, by the
// calendar of their zone; daylight saving makes hours useless for it.
func calendarDays(from, to time.Time) int {
	return int(midnight(to).Sub(midnight(from)) / (24 * time.Hour))
}

// midnight is the date of t as an instant in UTC, where every day has 24 hours.
func midnight(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Span writes a duration in its two largest units, "1 min 21 s", "2 h 5 min",
// "3 d 4 h"; "48 s"; with a tenth below ten seconds, "4.2 s"; and in
// milliseconds below one, "312 ms". It is cut, never rounded up. A negative
// span, the trace of two clocks that disagree, keeps its sign.
func (p *Printer) Span(d time.Duration) string {
	if d < 0 {
		if d == -1<<63 { // has no positive twin
			d++
		}
		return "-" + p.Span(-d)
	}
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		tenths := int64(d / (100 * time.Millisecond))
		text := strconv.FormatInt(tenths/10, 10)
		if tenths%10 != 0 {
			text += "." + strconv.FormatInt(tenths%10, 10)
		}
		return text + " s"
	case d < time.Minute:
		return two(d, time.Second, " s", 0, "")
	case d < time.Hour:
		return two(d, time.Minute, " min", time.Second, " s")
	case d < day:
		return two(d, time.Hour, " h", time.Minute, " min")
	}
	return two(d, day, " d", time.Hour, " h")
}

// two writes d in a large unit and what is left in a small one, if anything.
// The abbreviations are the international ones, the same in both languages.
func two(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	text := group(strconv.FormatInt(int64(d/large), 10)) + largeName
	if small == 0 || d%large/small == 0 {
		return text
	}
	return text + " " + strconv.FormatInt(int64(d%large/small), 10) + smallName
}

// Months writes the calendar time between two dates, both ends counted, in
// years and months, "1 año 2 meses", or in days when it is under a month,
// "19 días". What is left over is cut: a tenure is never overstated. It is ""
// when a date is missing or from is after to.
func (p *Printer) Months(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	from, end := midnight(from), midnight(to).AddDate(0, 0, 1)
	if !from.Before(end) {
		return ""
	}
	months := 12*(end.Year()-from.Year()) + int(end.Month()) - int(from.Month())
	if end.Day() < from.Day() {
		months--
	}
	years, rest := months/12, months%12
	switch {
	case months == 0:
		return p.T("format.tenure.days", "Count", calendarDays(from, end))
	case years == 0:
		return p.T("format.tenure.months", "Count", rest)
	case rest == 0:
		return p.T("format.tenure.years", "Count", years)
	}
	return p.T("format.tenure.years", "Count", years) + " " + p.T("format.tenure.months", "Count", rest)
}
