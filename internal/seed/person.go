package seed

import (
	"fmt"
	"strings"
	"time"

	"cotejo/internal/curp"
)

var (
	surnames = strings.Fields(`ABARCA ACEVEDO AGUIRRE ALARCON ARELLANO BALDERAS BARRERA BELTRAN BERMUDEZ BRAVO CAMACHO CANTU CARDENAS
		CERVANTES CONTRERAS DELGADO DUARTE ESCOBEDO ESQUIVEL FIGUEROA FONSECA GALINDO GRANADOS GUERRERO HINOJOSA HUERTA IBARRA JARAMILLO
		JUAREZ LEDESMA LOZANO MACIAS MALDONADO MENDOZA MONTOYA NAVARRO NORIEGA OLVERA OROZCO PACHECO PALACIOS PERALTA QUINTANA RANGEL
		RENDON ROBLEDO SALAZAR SANDOVAL SOLIS TAMAYO TREJO URBINA VALDEZ VILLEGAS ZAMBRANO ZEPEDA`)
	women = strings.Fields(`ADRIANA BEATRIZ CAROLINA DANIELA ELENA FABIOLA GABRIELA HILDA IRENE JIMENA KARINA LETICIA MARISOL NATALIA OLIVIA
		PATRICIA ROCIO SOFIA TERESA URSULA VERONICA YOLANDA`)
	men = strings.Fields(`ALBERTO BENJAMIN CESAR DANIEL EDUARDO FERNANDO GERARDO HECTOR IGNACIO JAVIER LEONARDO MANUEL NICOLAS OSCAR PEDRO
		RICARDO SALVADOR TOMAS ULISES VICENTE`)
	states = strings.Fields(`AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS`)

	// rude are four letters that RENAPO changes to X at position 2 ("Instructivo normativo para la asignación de la
	// CURP", DOF 18-10-2021, annex of inconvenient words), as far as the names above spell them.
	rude = strings.Fields(`BACA BUEI BUEY CACA CACO CAGA CAGO COGE COJA COJE COJO COLA CULO FALO FETO GETA JETA JOTO LOCA LOCO MAME MAMO MEAR
		MEAS MEON MOCO MULA MULO NACA NACO PEDA PEDO PENE PUTA PUTO QULO RATA ROBA ROBE ROBO RUIN SENO TETA VACA VAGA VAGO`)
)

// person is who a lookup is about.
type person struct {
	curp  string
	given string
	last  string
	nss   string
	birth time.Time
	state string // name of the state of birth, in the capitals that sources print
	woman bool
}

const (
	youngest = 20
	ageSpan  = 40 * 365 // days
)

// person invents the owner of the CURP number k. Birthday and state alone tell the first 467,200 people apart: the
// stride, prime to their number, runs through all of them before it repeats one.
func (m *maker) person(k int64) person {
	who := *m
	who.Rand = newMaker(Plan{FirstID: k ^ 1<<40}, 0).Rand // the same person in every lookup about them
	m = &who
	all := int64(ageSpan * len(states))
	n := k * 179_424_673 % all
	p := person{woman: m.chance(48)}
	base := time.Date(2025-youngest, time.December, 31, 0, 0, 0, 0, time.UTC)
	p.birth = base.AddDate(0, 0, -int(n%ageSpan))
	code := states[n/ageSpan]
	p.state = strings.ToUpper(curp.StateName(code))
	first, second := pick(m, surnames), pick(m, surnames)
	sex, names := "H", men
	if p.woman {
		sex, names = "M", women
	}
	p.given, p.last = pick(m, names), first+" "+second

	four := string([]byte{first[0], inner(first, true), second[0], p.given[0]})
	for _, word := range rude {
		if four == word {
			four = four[:1] + "X" + four[2:]
		}
	}
	century := byte('0' + m.IntN(3))
	if p.birth.Year() >= 2000 {
		century = byte('A' + m.IntN(3))
	}
	text := four + p.birth.Format("060102") + sex + code +
		string([]byte{inner(first, false), inner(second, false), inner(p.given, false), century})
	digit, _ := curp.CheckDigit(text) // all characters have a rank
	p.curp = text + string(digit)

	ten := fmt.Sprintf("%02d%02d%02d%04d", 1+m.IntN(96), (p.birth.Year()+18)%100, p.birth.Year()%100, m.IntN(10000))
	p.nss = ten + luhn(ten)
	return p
}

// inner is the first vowel, or consonant, after a name's first letter; X where there is none.
func inner(name string, vowel bool) byte {
	for _, c := range []byte(name[1:]) {
		if strings.IndexByte("AEIOU", c) >= 0 == vowel {
			return c
		}
	}
	return 'X'
}

// luhn gives the digit that ends a social security number.
func luhn(ten string) string {
	sum := 0
	for i, c := range ten {
		n := int(c-'0') * (1 + i%2)
		sum += n/10 + n%10
	}
	return string(rune('0' + (10-sum%10)%10))
}
