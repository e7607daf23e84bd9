package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// dice is a reproducible source of choices: the same words give the same
// rolls on every machine and after every restart. PCG's sequence is fixed by
// its definition; the reduction to a range is ours for the same reason.
type dice struct{ src *rand.PCG }

// newDice seeds by SHA-256 over the words, each ended by a zero byte, so that
// ("ab","c") and ("a","bc") differ.
func newDice(words ...string) dice {
	h := sha256.New()
	for _, w := range words {
		h.Write([]byte(w))
		h.Write([]byte{0})
	}
	sum := h.Sum(nil)
	return dice{rand.NewPCG(binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:]))}
}

// n returns 0 … limit-1. The modulo's bias is far below anything visible here.
func (d dice) n(limit int) int { return int(d.src.Uint64() % uint64(limit)) }

// between returns lo … hi, both included.
func (d dice) between(lo, hi int) int { return lo + d.n(hi-lo+1) }

// chance is true in percent of the rolls.
func (d dice) chance(percent int) bool { return d.n(100) < percent }

func (d dice) pick(words []string) string { return words[d.n(len(words))] }

// digits returns count decimal digits.
func (d dice) digits(count int) string {
	b := make([]byte, count)
	for i := range b {
		b[i] = byte('0' + d.n(10))
	}
	return string(b)
}
