package views

import (
	"slices"

	"cotejo/internal/webhook"
)

// deliveryStep is one check of a delivery and how it ended. Check is set for an authentication, which words itself.
type deliveryStep struct {
	Name, State string
	Check       *webhook.Check
}

// The states of a step. What comes after a failed one was not reached; what comes after receipt waits for processing.
const (
	stepPass = "pass"
	stepFail = "fail"
	stepSkip = "skip"
	stepWait = "wait"
	stepNote = "note"
)

// stepAuthentic stands for all authentications of a delivery whose checks were not kept.
const stepAuthentic = "authentic"

// deliverySteps lists the checks in the order in which they run, judged by the verdict and its cause.
func deliverySteps(d webhook.Delivery) []deliveryStep {
	atReceipt := []string{"address", "enabled", "size"}
	later := []string{"readable", "pair", "known", "order", "fact"}
	failed := failedStep(d)
	var steps []deliveryStep
	state := stepPass
	run := func(names []string) {
		for _, name := range names {
			this := state
			if name == failed {
				this, state = stepFail, stepSkip
			}
			steps = append(steps, deliveryStep{Name: name, State: this})
		}
	}
	run(atReceipt)
	if state == stepPass {
		for i, c := range d.Checks {
			steps = append(steps, deliveryStep{State: resultState(c.Result), Check: &d.Checks[i]})
			if c.Result == webhook.Fail && d.Verdict == webhook.Refused {
				state = stepSkip
			}
		}
		if len(d.Checks) == 0 && failed == stepAuthentic {
			run([]string{stepAuthentic})
		}
	}
	run([]string{"bytes"})
	switch {
	case state == stepSkip:
	case d.Verdict == webhook.Refused || d.Verdict == webhook.Duplicate && failed == "":
		state = stepSkip // stopped, by a check that has no step of its own
	case d.ProcessedAt.IsZero() && failed == "":
		state = stepWait
	}
	run(later)
	return steps
}

// failedStep names the check that decided, "" when all passed.
func failedStep(d webhook.Delivery) string {
	if slices.Contains(webhook.VerifyCauses, d.Cause) {
		return stepAuthentic
	}
	switch d.Cause {
	case webhook.CauseDisabled:
		return "enabled"
	case webhook.CauseTooLarge, webhook.CauseMethod:
		return "size"
	case webhook.CauseSameBytes:
		return "bytes"
	case webhook.CauseUnreadable:
		return "readable"
	case webhook.CauseForeign:
		return "pair"
	case webhook.CauseUnknownEvent:
		return "known"
	case webhook.CauseLate:
		return "order"
	case webhook.CauseSameFact:
		return "fact"
	}
	switch {
	case d.Verdict == webhook.Unmatched:
		return "pair"
	case d.Verdict == webhook.Refused && d.Answered == 405:
		return "size"
	}
	return ""
}

func stepIcon(state string) string {
	switch state {
	case stepPass:
		return "check"
	case stepFail:
		return "x"
	case stepNote:
		return "info"
	case stepWait:
		return "clock"
	}
	return "ignored"
}
