package live

import (
	"maps"
	"slices"
	"sync"
)

// inbox is what one page has still to be told: the latest state of each thing, once, however slow the page is.
type inbox[T any] struct {
	wake chan struct{}
	mu   sync.Mutex
	todo map[int64]T
	all  bool
}

// newInbox starts with everything to be looked at, so that what changed while the page travelled is shown too.
func newInbox[T any]() *inbox[T] {
	b := &inbox[T]{wake: make(chan struct{}, 1), all: true}
	b.wake <- struct{}{}
	return b
}

// Wake signals that Take has something.
func (b *inbox[T]) Wake() <-chan struct{} { return b.wake }

// Take gives the changes since the last call, in the order of their ids. resync tells that some may have been missed, so
// that everything shown has to be looked at again.
func (b *inbox[T]) Take() (changes []T, resync bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(b.todo)) {
		changes = append(changes, b.todo[id])
	}
	resync = b.all
	b.todo, b.all = nil, false
	return changes, resync
}

// put never blocks.
func (b *inbox[T]) put(id int64, change T) {
	b.mu.Lock()
	if b.todo == nil {
		b.todo = map[int64]T{}
	}
	b.todo[id] = change
	b.mu.Unlock()
	b.signal()
}

func (b *inbox[T]) lookAgain() {
	b.mu.Lock()
	b.all = true
	b.mu.Unlock()
	b.signal()
}

func (b *inbox[T]) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Rendering keeps what was rendered of a change, so that one rendering serves every watcher that would get the same.
type Rendering struct {
	mu       sync.Mutex
	rendered map[string]string
}

// Render gives what render makes of the change, made once per key. The key holds all that the rendering depends on
// beside the change: role, language, zone, page.
func (c *Rendering) Render(key string, render func() (string, error)) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text, ok := c.rendered[key]; ok {
		return text, nil
	}
	text, err := render()
	if err != nil {
		return "", err
	}
	if c.rendered == nil {
		c.rendered = map[string]string{}
	}
	c.rendered[key] = text
	return text, nil
}
