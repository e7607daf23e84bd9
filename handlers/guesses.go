package handlers

import (
	"hash/maphash"
	"sync"
)

// guesses has the passwords given for one account judged one after the other, so that many at once cannot all pass before
// the first wrong one is counted. Each process has its own: with two, one guess more may slip through.
type guesses struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
}

func newGuesses() *guesses { return &guesses{seed: maphash.MakeSeed()} }

// take waits for the account's turn and gives what ends it.
func (g *guesses) take(email string) (done func()) {
	lock := &g.locks[maphash.String(g.seed, email)%uint64(len(g.locks))]
	lock.Lock()
	return lock.Unlock
}
