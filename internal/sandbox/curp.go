package sandbox

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// The sandbox reads CURPs by itself: a mistake in Cotejo's own parser must not
// be repeated by the vendor it is tested against. Rules: "Instructivo normativo
// para la asignación de la CURP", DOF 18-10-2021.

var (
	errCURPFormat = errors.New("not a CURP")
	errCURPDigit  = errors.New("check digit does not match")
)

var curpPattern = regexp.MustCompile(`^[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z]\d$`)

// curpStates maps the entity letters of a CURP to the name IMSS prints.
var curpStates = map[string]string{
	"AS": "AGUASCALIENTES", "BC": "BAJA CALIFORNIA", "BS": "BAJA CALIFORNIA SUR", "CC": "CAMPECHE",
	"CL": "COAHUILA", "CM": "COLIMA", "CS": "CHIAPAS", "CH": "CHIHUAHUA", "DF": "CIUDAD DE MÉXICO",
	"DG": "DURANGO", "GT": "GUANAJUATO", "GR": "GUERRERO", "HG": "HIDALGO", "JC": "JALISCO",
	"MC": "ESTADO DE MÉXICO", "MN": "MICHOACÁN", "MS": "MORELOS", "NT": "NAYARIT", "NL": "NUEVO LEÓN",
	"OC": "OAXACA", "PL": "PUEBLA", "QT": "QUERÉTARO", "QR": "QUINTANA ROO", "SP": "SAN LUIS POTOSÍ",
	"SL": "SINALOA", "SR": "SONORA", "TC": "TABASCO", "TS": "TAMAULIPAS", "TL": "TLAXCALA",
	"VZ": "VERACRUZ", "YN": "YUCATÁN", "ZS": "ZACATECAS", "NE": "CIUDAD DE MÉXICO", // born abroad
}

// curpFacts is what the eighteen characters say about their owner.
type curpFacts struct {
	text  string
	birth time.Time // UTC midnight
	woman bool
	state string // federal entity in IMSS spelling
}

// readCURP returns errCURPFormat for text that cannot be a CURP at all and
// errCURPDigit, together with the facts, when only the last digit is wrong:
// the two have different outcomes (docs/sandbox.md#any-other-curp).
func readCURP(text string) (curpFacts, error) {
	if !curpPattern.MatchString(text) {
		return curpFacts{}, errCURPFormat
	}
	state, ok := curpStates[text[11:13]]
	if !ok {
		return curpFacts{}, errCURPFormat
	}
	century := "19" // position 17 is a digit for births up to 1999, a letter after
	if text[16] > '9' {
		century = "20"
	}
	birth, err := time.Parse("20060102", century+text[4:10])
	if err != nil {
		return curpFacts{}, errCURPFormat
	}
	facts := curpFacts{text: text, birth: birth, woman: text[10] == 'M', state: state}
	if curpDigit(text) != text[17] {
		return facts, errCURPDigit
	}
	return facts, nil
}

// curpDigit computes the eighteenth character. Ñ never occurs in a CURP but
// holds its place in the alphabet, hence the shift from O onwards.
func curpDigit(text string) byte {
	sum := 0
	for i := range 17 {
		c, v := text[i], 0
		switch {
		case c <= '9':
			v = int(c - '0')
		case c <= 'N':
			v = int(c-'A') + 10
		default:
			v = int(c-'A') + 11
		}
		sum += v * (18 - i)
	}
	return byte('0' + (10-sum%10)%10)
}

// nssDigit computes the eleventh digit of a social security number: Luhn over
// the first ten, weights 1,2,1,2… from the left.
func nssDigit(ten string) byte {
	sum := 0
	for i := range 10 {
		p := int(ten[i]-'0') * (1 + i%2)
		sum += p/10 + p%10
	}
	return byte('0' + (10-sum%10)%10)
}

const vowels = "AEIOU"

// nameLetters gives the three letters by which a CURP quotes a name: initial,
// first inner vowel, first inner consonant; X where there is none, and for Ñ.
func nameLetters(name string) (initial, vowel, consonant byte) {
	vowel, consonant = 'X', 'X'
	seenConsonant := false
	for i, r := range name {
		c := byte('X')
		if r != 'Ñ' {
			c = byte(r)
		}
		switch {
		case i == 0:
			initial = c
		case strings.IndexByte(vowels, c) >= 0:
			if vowel == 'X' {
				vowel = c
			}
		case !seenConsonant:
			consonant, seenConsonant = c, true
		}
	}
	return initial, vowel, consonant
}
