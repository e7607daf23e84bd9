// Package consent holds a person's consent to a lookup as it was recorded. Salary data needs express consent under
// Mexican law (LFPDPPP 2025, art. 7; our reading, see docs/privacy.md), so no attempt exists without one: the schema holds that.
package consent

import "time"

// Means are the ways in which consent may have been given. Each has a word in the message files.
var Means = []string{"branch", "paper", "web", "phone"}

// KnownMeans tells whether m is one of Means.
func KnownMeans(m string) bool {
	for _, k := range Means {
		if k == m {
			return true
		}
	}
	return false
}

// Record is one consent.
type Record struct {
	GivenAt       time.Time
	ExpiresAt     time.Time
	NoticeVersion string
	Means         string
	Purpose       string
	IP            string // of the browser in which the analyst recorded it
}

// Lifetime is how long a recorded consent may be used unless the settings say otherwise.
const Lifetime = 365 * 24 * time.Hour

// Live tells whether the consent may be used at t.
func (r Record) Live(t time.Time) bool { return !t.Before(r.GivenAt) && t.Before(r.ExpiresAt) }

// PurposeCredit is the one purpose that the console's form records. Data is used for what the notice says and nothing
// else (LFPDPPP 2025, art. 11; our reading).
const PurposeCredit = "credit-assessment"
