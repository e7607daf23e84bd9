package curp

import (
	"fmt"
	"strings"
	"unicode"
)

// kind is what a position takes.
type kind int

const (
	letters kind = iota
	digits
	either
)

// slips are the look-alikes people type and scanners read, both ways. Where a
// digit may stand for several letters, the one that fits the place is offered.
var slips = map[rune]string{
	'O': "0", 'Q': "0", 'I': "1", 'L': "1", 'Z': "2", 'S': "5", 'G': "6", 'B': "8",
	'0': "OQD", '1': "IL", '2': "Z", '5': "S", '6': "G", '8': "B",
}

var unaccented = map[rune]rune{
	'Á': 'A', 'À': 'A', 'Ä': 'A', 'Â': 'A', 'É': 'E', 'È': 'E', 'Ë': 'E', 'Ê': 'E', 'Í': 'I', 'Ì': 'I', 'Ï': 'I', 'Î': 'I',
	'Ó': 'O', 'Ò': 'O', 'Ö': 'O', 'Ô': 'O', 'Ú': 'U', 'Ù': 'U', 'Ü': 'U', 'Û': 'U',
}

// fault says why r cannot stand at position pos (from 1); false when it can.
// fits tells which letter would make sense there, so that no nonsense is offered.
func fault(pos int, r rune, want kind, fits func(rune) bool) (finding, bool) {
	plain := isDigit(r) || isLetter(r)
	switch {
	case plain && (want == either || isDigit(r) == (want == digits)):
		return finding{}, false
	case want == digits && !unicode.IsDigit(r):
		return wanted("digit", pos, r, isDigit), true
	case want == letters && !unicode.IsLetter(r) && (plain || !unicode.IsDigit(r)):
		return wanted("letter", pos, r, fits), true
	case r == 'Ñ' && want == letters && (pos <= 4 || pos >= 14):
		// The registry writes X for Ñ in the letters taken from a name.
		return blocked("enye", "Position", pos), true
	case unaccented[r] != 0 && (want == either || fits(unaccented[r])):
		return blocked("accent", "Position", pos, "Got", show(r), "Suggest", string(unaccented[r])), true
	}
	return blocked("symbol", "Position", pos, "Got", show(r)), true
}

// wanted is the finding that a digit or a letter belongs at pos, naming the
// look-alike when r is one.
func wanted(what string, pos int, r rune, fits func(rune) bool) finding {
	args := []any{"Position", pos, "Got", show(r)}
	if i := strings.IndexFunc(slips[r], fits); i >= 0 {
		return blocked(what+"_slip", append(args, "Suggest", slips[r][i:i+1])...)
	}
	return blocked(what+"_wanted", args...)
}

// show makes a character safe to quote: marks, controls and direction overrides
// would bend the sentence around them.
func show(r rune) string {
	if unicode.IsGraphic(r) && !unicode.IsMark(r) && !unicode.IsSpace(r) {
		return string(r)
	}
	return fmt.Sprintf("U+%04X", r)
}
