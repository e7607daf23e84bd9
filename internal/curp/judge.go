package curp

import (
	"fmt"
	"strings"
	"time"
)

// oldest is the age above which a birth date is asked about. The check digit
// cannot see 0 for A at position 17 (their ranks differ by ten), and that slip
// makes someone born in 2000 a hundred years older.
const oldest = 110

// initials are positions 1–4: two letters of the first surname, one of the
// second, one of the given name.
func initials(t []rune, _ time.Time) finding {
	for i, r := range t[:min(4, len(t))] {
		fits := isLetter
		if i == 1 {
			fits = isInnerVowel
		}
		if f, bad := fault(i+1, r, letters, fits); bad {
			return f
		}
	}
	switch {
	case len(t) > 1 && !isInnerVowel(t[1]):
		return warned("vowel_unusual", "Position", 2, "Got", string(t[1]))
	case len(t) < 4:
		return typing("initials")
	}
	return passed("initials")
}

// isInnerVowel holds for position 2: the first inner vowel of the surname, X
// where there is none or where the four letters would spell a rude word.
func isInnerVowel(r rune) bool { return isVowel(r) || r == 'X' }

// birth is positions 5–10, YYMMDD; position 17 gives the century.
func birth(t []rune, today time.Time) finding {
	typed := t[4:min(10, len(t))]
	for i, r := range typed {
		if f, bad := fault(i+5, r, digits, isDigit); bad {
			return f
		}
	}
	if len(typed) < 4 {
		return typing("birth_typing")
	}
	month := number(string(typed[2:4]))
	if month < 1 || month > 12 {
		return blocked("month_absent", "Month", string(typed[2:4]))
	}
	if len(typed) < 6 {
		return typing("birth_typing")
	}
	yy, day := number(string(typed[:2])), number(string(typed[4:]))
	switch {
	case day == 0:
		return blocked("day_zero")
	case day > date(2000, month+1, 0).Day(): // 2000 was a leap year: the most a month can have
		// A note per month, so that a translator sees whole sentences.
		return finding{Block, fmt.Sprintf("curp.part.day_absent_%02d", month), "curp.reason.day_absent", []any{"Day", day}}
	}
	return born(yy, month, day, century(t), today)
}

// century is 1900 or 2000 by position 17, 0 while that does not say.
func century(t []rune) int {
	switch {
	case len(t) > 16 && isDigit(t[16]):
		return 1900
	case len(t) > 16 && isLetter(t[16]):
		return 2000
	}
	return 0
}

// born judges a day that exists in some year against the centuries possible.
func born(yy, month, day, century int, today time.Time) finding {
	y, m, d := today.Date()
	now := date(y, int(m), d)
	if century == 0 {
		early, late := date(1900+yy, month, day), date(2000+yy, month, day)
		switch {
		case early.Day() != day && late.Day() != day:
			return blocked("leap_absent", "Year", fmt.Sprintf("%02d", yy))
		case late.Day() != day || late.After(now):
			century = 1900
		case early.Day() != day:
			century = 2000
		default:
			return passed("birth_either", "Birth", early, "Later", late)
		}
	}
	at := date(century+yy, month, day)
	years := age(at, now)
	switch {
	case at.Day() != day: // only 29 February rolls over to 1 March here
		return blocked("leap_absent", "Year", fmt.Sprint(century+yy))
	case at.After(now):
		return blocked("birth_future", "Birth", at)
	case years > oldest:
		return warned("age_unlikely", "Birth", at, "Years", years, "Count", years)
	}
	return passed("birth", "Birth", at, "Years", years, "Count", years)
}

// date is a calendar date; a day past the month's end rolls over.
func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// age is the number of birthdays had by now.
func age(birth, now time.Time) int {
	years := now.Year() - birth.Year()
	if now.Month() < birth.Month() || now.Month() == birth.Month() && now.Day() < birth.Day() {
		years--
	}
	return years
}

// sexState is positions 11–13: H, M or X, and the state of birth.
func sexState(t []rune, _ time.Time) finding {
	t = t[10:min(13, len(t))]
	if f, bad := fault(11, t[0], letters, isSex); bad {
		return f
	}
	if !isSex(t[0]) {
		return blocked("sex_unknown", "Got", string(t[0]))
	}
	sex := strings.ToLower(string(t[0]))
	if len(t) == 1 {
		return typing("sex_" + sex)
	}
	if f, bad := fault(12, t[1], letters, startsState); bad {
		return f
	}
	if !startsState(t[1]) {
		return blocked("state_start", "Code", string(t[1]))
	}
	if len(t) == 2 {
		return typing("sex_" + sex)
	}
	if f, bad := fault(13, t[2], letters, func(r rune) bool { return isState(string([]rune{t[1], r})) }); bad {
		return f
	}
	switch code := string(t[1:]); {
	case !isState(code):
		return blocked("state_unknown", "Code", code)
	case code == abroad:
		return passed("abroad_" + sex)
	default:
		return passed("state_"+sex, "State", StateName(code))
	}
}

func isSex(r rune) bool { return r == 'H' || r == 'M' || r == 'X' }

// consonants are positions 14–16: the first inner consonant of both surnames
// and the given name, X where there is none.
func consonants(t []rune, _ time.Time) finding {
	t = t[13:min(16, len(t))]
	for i, r := range t {
		if f, bad := fault(i+14, r, letters, isConsonant); bad {
			return f
		}
	}
	for i, r := range t {
		if !isConsonant(r) {
			return warned("consonant_unusual", "Position", i+14, "Got", string(r))
		}
	}
	if len(t) < 3 {
		return typing("consonants")
	}
	return passed("consonants")
}

// differentiator is position 17: a digit for births up to 1999, a letter since.
func differentiator(t []rune, _ time.Time) finding {
	if f, bad := fault(17, t[16], either, isLetter); bad {
		return f
	}
	if isDigit(t[16]) {
		return passed("until_1999")
	}
	return passed("since_2000")
}

// digit is position 18. Where an earlier character has no rank, there is
// nothing to compare with, and that earlier part has said so.
func digit(t []rune, _ time.Time) finding {
	if f, bad := fault(18, t[17], digits, isDigit); bad {
		return f
	}
	want, ok := CheckDigit(string(t[:17]))
	switch {
	case !ok:
		return typing("digit_unknown")
	case rune(want) != t[17]:
		return warned("digit_differs", "Expected", string(rune(want)), "Got", string(t[17]))
	}
	return passed("digit")
}
