package curp

import "strings"

// alphabet orders the characters for the check digit. Ñ has its place (24) even
// though no CURP carries one: leaving it out shifts O to Z by one.
const alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"

var rank = ranks(alphabet)

func ranks(alphabet string) map[rune]int {
	m := make(map[rune]int)
	for _, r := range alphabet {
		m[r] = len(m)
	}
	return m
}

// CheckDigit computes position 18 from the 17 characters before it: the ranks,
// weighted 18 down to 2, are summed, and the digit brings the sum to a multiple
// of ten. It reports false for another length or a character outside 0–9, A–Z, Ñ.
func CheckDigit(first17 string) (byte, bool) {
	sum, weight := 0, Length
	for _, r := range first17 {
		n, ok := rank[r]
		if !ok || weight < 2 {
			return 0, false
		}
		sum += n * weight
		weight--
	}
	if weight != 1 {
		return 0, false
	}
	return byte('0' + (10-sum%10)%10), true
}

func isDigit(r rune) bool     { return '0' <= r && r <= '9' }
func isLetter(r rune) bool    { return 'A' <= r && r <= 'Z' }
func isVowel(r rune) bool     { return strings.ContainsRune("AEIOU", r) }
func isConsonant(r rune) bool { return isLetter(r) && !isVowel(r) }

// notPlain tells what is neither an ASCII letter, in either case, nor a digit.
func notPlain(r rune) bool { return !isDigit(r) && !isLetter(r) && !isLetter(r-'a'+'A') }

// number reads a text known to be digits.
func number(digits string) int {
	n := 0
	for _, r := range digits {
		n = n*10 + int(r-'0')
	}
	return n
}
