package sandbox

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// rfcFacts is what a tax number says about its owner.
type rfcFacts struct {
	text     string
	business bool      // 12 characters
	since    time.Time // birth or foundation
}

var (
	errRFC     = errors.New("not an RFC")
	rfcPattern = regexp.MustCompile(`^[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{2}[A0-9]$`)
)

// readRFC takes an RFC by its form: letters, a date, three more. Its check
// digit is no reason to refuse, since the tax authority has given out numbers
// that fail it; one of them is in the vendor's own pages.
func readRFC(text string) (rfcFacts, error) {
	if !rfcPattern.MatchString(text) {
		return rfcFacts{}, errRFC
	}
	letters := []rune(text)
	n := len(letters) - 9
	digits := string(letters[n : n+6])
	// An RFC does not tell its century: hardly anybody works who was born before
	// 1910, and few companies are older than 1940.
	century, other := "19", "20"
	if digits < "10" || n == 3 && digits < "40" {
		century, other = other, century
	}
	since, err := time.Parse("20060102", century+digits)
	if err != nil {
		since, err = time.Parse("20060102", other+digits) // 29 February
	}
	if err != nil {
		return rfcFacts{}, errRFC
	}
	return rfcFacts{text: text, business: n == 3, since: since}, nil
}

const rfcAlphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"

// rfcDigit computes the last character, modulo 11 over the others with the
// weights 13 to 2; a business's number is filled with a blank in front.
func rfcDigit(others string) byte {
	letters := []rune(others)
	if len(letters) == 11 {
		letters = append([]rune{' '}, letters...)
	}
	alphabet, sum := []rune(rfcAlphabet), 0
	for i, r := range letters {
		for v, a := range alphabet {
			if a == r {
				sum += v * (13 - i)
			}
		}
	}
	switch m := sum % 11; m {
	case 0:
		return '0'
	case 1:
		return 'A'
	default:
		return byte('0' + 11 - m)
	}
}

const homoclave = "ABCDEFGHIJKLMNPQRSTUVWXYZ123456789"

// rfcOf is the tax number of a person: the first ten characters are the CURP's.
func rfcOf(f curpFacts) string { return withHomoclave(f.text[:10]) }

func withHomoclave(stem string) string {
	d := newDice("rfc", stem)
	stem += string(homoclave[d.n(len(homoclave))]) + string(homoclave[d.n(len(homoclave))])
	return stem + string(rfcDigit(stem))
}

// personOf invents the CURP that belongs to a person's RFC, so that one person
// has one name under both numbers.
func personOf(r rfcFacts) curpFacts {
	for _, p := range everyone {
		if len(p.CURP) == 18 && p.CURP[:10] == r.text[:10] {
			if f, err := readCURP(p.CURP); err == nil && rfcOf(f) == r.text {
				return f
			}
		}
	}
	d := newDice("curp of", r.text)
	const consonants = "BCDFGHJKLMNPRSTV"
	text := []byte(plain(r.text)[:10])
	if strings.IndexByte(vowels, text[1]) < 0 {
		text[1] = 'X'
	}
	text = append(text, "HM"[d.n(2)])
	text = append(text, d.pick([]string{"DF", "MC", "JC", "NL", "PL", "GT", "VZ"})...)
	for range 3 {
		text = append(text, consonants[d.n(len(consonants))])
	}
	century := byte('0')
	if r.since.Year() >= 2000 {
		century = 'A'
	}
	text = append(text, century)
	f, _ := readCURP(string(append(text, curpDigit(string(text)))))
	return f
}

// plain replaces the letters that an RFC may hold and a CURP cannot.
func plain(rfc string) string { return strings.NewReplacer("Ñ", "X", "&", "X").Replace(rfc) }

// legalName invents the name of a business, whose first words begin with the
// letters of its RFC.
func legalName(r rfcFacts) (legal, commercial string) {
	d := newDice("business", r.text)
	words, initials := make([]string, 3), plain(r.text)
	for i, list := range [][]string{trades, coined, coined} {
		var fit []string
		for _, w := range list {
			if w[0] == initials[i] && !strings.Contains(w, " ") {
				fit = append(fit, w)
			}
		}
		if words[i] = initials[i:i+1] + "ALDEMAR"; len(fit) > 0 {
			words[i] = d.pick(fit)
		}
	}
	return strings.Join(words, " ") + ", " + d.pick(forms), words[1]
}
