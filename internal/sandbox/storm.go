package sandbox

import (
	"fmt"
	"strconv"
)

// storm lets cases strike events by chance, each with its share of all events.
// Chance is no matter of timing: it follows from the seed, the person and the
// event's name, so that a run can be repeated and a person asked for twice
// meets the same weather twice.
type storm struct {
	Seed  int                `json:"seed"`
	Share map[string]float64 `json:"share"` // case → 0 … 1; cases of events only
}

func (st *storm) check() error {
	if st == nil {
		return nil
	}
	var sum float64
	for name, share := range st.Share {
		known := false
		for _, dialect := range both {
			c := caseIn(name, dialect)
			known = known || c != nil && c.stage == onEvent
		}
		if !known {
			return fmt.Errorf("storm.share: no case of an event is called %q", name)
		}
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("storm.share.%s: %v is not 0-1", name, share)
		}
		sum += share
	}
	if sum > 1 {
		return fmt.Errorf("storm.share: the shares make %v, more than every event", sum)
	}
	return nil
}

// strike tells which case strikes an event, nil for none. In Palenca the roll
// of the created event decides for both of an account whether they change
// places: when the outcome is known, the created event has long been sent.
func (st *storm) strike(l letter) *uglyCase {
	if st == nil {
		return nil
	}
	const fine = 1 << 30
	roll := float64(newDice("storm", strconv.Itoa(st.Seed), l.dialect, l.person, l.action).n(fine)) / fine
	for i, c := range uglyCases { // in the order of the list, so that a roll means the same everywhere
		share := st.Share[c.name]
		if caseIn(c.name, l.dialect) != &uglyCases[i] || c.stage != onEvent {
			continue
		}
		if roll >= share {
			roll -= share
			continue
		}
		if c.name == "out_of_order" && l.dialect == palenca && l.final || !c.possible(l) {
			return nil
		}
		return &uglyCases[i]
	}
	return nil
}
