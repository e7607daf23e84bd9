package views

import (
	"github.com/google/uuid"

	"cotejo/internal/webhook"
)

// subscriptionOptions offer subscriptions by name.
func subscriptionOptions(list []webhook.Subscription) []Option {
	options := make([]Option, len(list))
	for i, s := range list {
		options[i] = Option{Value: s.UID.String(), Word: s.Name}
	}
	return options
}

func (v BenchPage) subscriptions() []Option {
	return append([]Option{{Word: v.T("hooks.bench.no_subscription")}}, subscriptionOptions(v.Subscriptions)...)
}

// looked tells whether there is a result to show.
func (v BenchPage) looked() bool { return v.Outcome != nil || len(v.Findings) > 0 }

// schemeFindings are the findings of one scheme.
type schemeFindings struct {
	Scheme   webhook.Scheme
	Findings []webhook.Finding
}

// byScheme groups the findings; both the groups and what is in them keep the order in which they came.
func (v BenchPage) byScheme() []schemeFindings {
	var groups []schemeFindings
	at := map[webhook.Scheme]int{}
	for _, f := range v.Findings {
		i, ok := at[f.Scheme]
		if !ok {
			i = len(groups)
			at[f.Scheme] = i
			groups = append(groups, schemeFindings{Scheme: f.Scheme})
		}
		groups[i].Findings = append(groups[i].Findings, f)
	}
	return groups
}

// schemeWord names a scheme.
func schemeWord(p Page, s webhook.Scheme) string { return p.T("verify.scheme." + string(s)) }

// resultState gives a result the state of a step, and so its icon and colour.
func resultState(r webhook.Result) string {
	switch r {
	case webhook.Pass:
		return stepPass
	case webhook.Fail:
		return stepFail
	case webhook.Warn:
		return stepNote
	}
	return stepSkip
}

// reasonWords says what a check or a finding found.
func reasonWords(p Page, id string, args []any) string { return p.Say(Note{ID: id, Args: args}) }

// title and explanation of a cause that Verify refuses for; "" for any other cause.
func verifyTitle(p Page, cause webhook.Cause) string { return verifyText(p, cause, "title") }

func verifyText(p Page, cause webhook.Cause, part string) string {
	if id := "verify.cause." + string(cause) + "." + part; cause != webhook.CauseNone && p.P.Has(id) {
		return p.T(id)
	}
	return ""
}

// causeWord names a cause in a few words; one that we do not know is shown as it was recorded.
func causeWord(p Page, cause webhook.Cause) string {
	if id := "deliveries.cause." + string(cause); p.P.Has(id) {
		return p.T(id)
	}
	return orElse(verifyTitle(p, cause), string(cause))
}

func comparePath(a, b uuid.UUID) string {
	return "/deliveries/" + a.String() + "/compare/" + b.String()
}

// only counts the lines that stand on one side alone.
func only(lines []DiffLine) int {
	n := 0
	for _, line := range lines {
		if line.Kind != LineSame {
			n++
		}
	}
	return n
}
