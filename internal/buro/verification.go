package buro

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"cotejo/internal/lookup"
)

// Verification is one request at the vendor to look a person up in all its sources. Whose it is stands with the caller.
type Verification struct {
	ID         string
	ExternalID string // what we sent at its creation; "" when the vendor does not repeat it
	ConsentID  string
	Status     string // the vendor's word: in_progress, completed, …
	// The outcome is told by these alone (docs/vendor-buro.md#buro-outcome). nil: not in the answer, as in lists.
	DataAvailable, CanRetry *bool
	Entities                []string // the kinds of data there are; an open set
	Billable                *bool
	CreatedAt, UpdatedAt    time.Time // zero when not given
}

// What a report of this dialect may have as its detail. The vendor has no word of its own for these outcomes.
const (
	DetailNoData = "no_data"                      // an answer: every source was asked and has nothing
	DetailRetry  = "verification_error_can_retry" // nothing was found because something broke
	DetailError  = "verification_error"           // the same, without the vendor's word that trying again may help
)

// Report puts a verification's state into the words of an event, for an attempt whose final event never came. A status
// outside the known set is an outcome still to come.
func (v Verification) Report() lookup.Report {
	r := report(v.Status, v.DataAvailable, v.CanRetry, v.Entities)
	if r.Phase == lookup.PhaseUnknown {
		r.Phase = lookup.PhaseOpened
	}
	return r
}

// Kinds are the kinds of data that a success names; none at all where it says that there is nothing, and nil where it does
// not say.
func (v Verification) Kinds() []lookup.Entity { return entities(v.Report(), v.Entities) }

// report tells the four documented cases apart. "completed" is said of all of them; what was found is told by flags.
// Named entities weigh as much as data_available: a fetch too many costs one request, one too few costs the applicant.
func report(status string, available, retry *bool, entities []string) lookup.Report {
	switch status {
	case "in_progress":
		return lookup.Report{Phase: lookup.PhaseOpened}
	case "completed":
	case "failed": // in a client of 2025 only
		if on(retry) {
			return lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailRetry}
		}
		return lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailError}
	default:
		return lookup.Report{Phase: lookup.PhaseUnknown}
	}
	switch {
	case on(available), len(entities) > 0:
		return lookup.Report{Phase: lookup.PhaseSucceeded}
	case on(retry):
		return lookup.Report{Phase: lookup.PhaseFailed, Detail: DetailRetry}
	case available != nil:
		return lookup.Report{Phase: lookup.PhaseSucceeded, Detail: DetailNoData}
	}
	return lookup.Report{Phase: lookup.PhaseSucceeded} // not said: the data itself will tell
}

// verificationJSON is a verification in every answer that has one; the answer to a creation and the entries of a list
// hold a few of the fields.
type verificationJSON struct {
	ID         text       `json:"id"`
	Identifier text       `json:"identifier"`
	ExternalID text       `json:"external_id"`
	ConsentID  text       `json:"consent_id"`
	Status     text       `json:"status"`
	Available  flag       `json:"data_available"`
	CanRetry   flag       `json:"can_retry"`
	Entities   many[text] `json:"entities"`
	Billable   flag       `json:"is_billable"`
	CreatedAt  moment     `json:"created_at"`
	UpdatedAt  moment     `json:"updated_at"`
}

func (j verificationJSON) verification() Verification {
	return Verification{
		ID: string(j.ID), ExternalID: string(j.ExternalID), ConsentID: string(j.ConsentID), Status: string(j.Status),
		DataAvailable: j.Available.b, CanRetry: j.CanRetry.b, Entities: words(j.Entities), Billable: j.Billable.b,
		CreatedAt: j.CreatedAt.Time, UpdatedAt: j.UpdatedAt.Time,
	}
}

// words gives the texts that say something, each once, in the order received.
func words(list many[text]) []string {
	var out []string
	for _, t := range list {
		if t != "" && !slices.Contains(out, string(t)) {
			out = append(out, string(t))
		}
	}
	return out
}

// CreateVerification asks the vendor to look a person up: POST /verifications, answered with 202. externalID comes back
// in webhooks and finds the verification again. The vendor has no idempotency, and the second attempt of a day is the
// last: after an Ambiguous error ask FindByExternalID before creating again (docs/vendor-buro.md#buro-limits).
//
// GiveUp: consent_required (see ConsentRequired), validation_error, 401 and 403 (see KeyRefused). WaitUntil: the daily
// limit (see Daily), until tomorrow in Mexico City; any other 429. Retry: 5xx, time-outs, broken connections.
func (c *Client) CreateVerification(ctx context.Context, identifier, externalID string) (Verification, error) {
	const op = "create verification"
	if _, err := person(op, identifier); err != nil {
		return Verification{}, err
	}
	a, err := c.call(ctx, op, http.MethodPost, "/verifications", nil, struct {
		Identifier string `json:"identifier"`
		ExternalID string `json:"external_id,omitempty"`
	}{identifier, externalID})
	if err != nil {
		return Verification{}, err
	}
	var j verificationJSON
	if err := a.read(op, &j); err != nil {
		return Verification{}, err
	}
	if err := a.about(op, identifier, j.Identifier); err != nil {
		return Verification{}, err
	}
	if !usableID(string(j.ID)) {
		// Created, perhaps, but under an id that no later request could use: Ambiguous, so it is looked for.
		return Verification{}, unreadable(op, a, nil)
	}
	return j.verification(), nil
}

// Verification asks how a verification stands: GET /verifications/{id}. It is how an attempt is settled whose final
// event never came.
func (c *Client) Verification(ctx context.Context, id string) (Verification, error) {
	const op = "verification"
	if err := checkID(op, id); err != nil {
		return Verification{}, err
	}
	a, err := c.call(ctx, op, http.MethodGet, "/verifications/"+id, nil, nil)
	if err != nil {
		return Verification{}, err
	}
	var j verificationJSON
	if err := a.read(op, &j); err != nil {
		return Verification{}, err
	}
	if j.ID == "" || j.Status == "" {
		return Verification{}, unreadable(op, a, nil)
	}
	return j.verification(), nil
}

// Verifications lists a person's verifications in the vendor's order: GET /verifications. Entries have no flags, so
// their Report does not tell data from none: ask Verification. It is an error when the list cannot be read to its end.
func (c *Client) Verifications(ctx context.Context, identifier string) ([]Verification, error) {
	const op = "verifications"
	if _, err := person(op, identifier); err != nil {
		return nil, err
	}
	var list []Verification
	_, whole, err := c.pages(ctx, op, "/verifications", url.Values{"identifier": {identifier}}, "verifications", func(a answer) (int, error) {
		var j struct {
			Verifications many[verificationJSON] `json:"verifications"`
		}
		if err := a.read(op, &j); err != nil {
			return 0, err
		}
		for _, one := range j.Verifications {
			// The filter is the vendor's; that it worked is seen to here, as far as entries say whose they are.
			if named(one.Identifier, identifier) && usableID(string(one.ID)) {
				list = append(list, one.verification())
			}
		}
		return len(j.Verifications), nil
	})
	switch {
	case none(err, "verification_not_found", "verifications_not_found"):
		return nil, nil
	case err != nil:
		return nil, err
	case !whole:
		return nil, &Error{Op: op, Code: CodeUnbounded, Kind: GiveUp}
	}
	return list, nil
}

// FindByExternalID finds the verification of a person that was created with externalID, with its flags; false when the
// vendor has none. It makes two requests as a rule. An error never means "none", because "none" leads to another
// creation: billed, and one of two a day.
func (c *Client) FindByExternalID(ctx context.Context, identifier, externalID string) (Verification, bool, error) {
	if absent(externalID) {
		return Verification{}, false, &Error{Op: "verifications", Code: CodeBadID, Kind: GiveUp}
	}
	list, err := c.Verifications(ctx, identifier)
	if err != nil {
		return Verification{}, false, err
	}
	at := slices.IndexFunc(list, func(v Verification) bool { return v.ExternalID == externalID })
	if at < 0 {
		return Verification{}, false, nil
	}
	v, err := c.Verification(ctx, list[at].ID)
	if err != nil {
		return Verification{}, false, err
	}
	if v.ExternalID == "" {
		v.ExternalID = externalID
	}
	return v, true, nil
}
