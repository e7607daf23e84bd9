package palenca

import (
	"context"
	"net/http"
	"time"

	"cotejo/internal/lookup"
)

// Account is the vendor's connection to one platform for one person. Its identifier is a CURP and is left out.
type Account struct {
	ID, UserID    string
	ExternalID    string // what we sent at its creation; "" when the vendor does not repeat it
	Country       string
	Platform      string
	Status        string // the vendor's word; "" in the answer to a creation
	StatusDetails string
	Warning       string
	NextStep      string    // "" for government sources, which need no second step
	CreatedAt     time.Time // zero when not given
	ConnectedAt   time.Time // last successful connection; zero when none
}

// Report puts the account's own status into the words of an event, for an attempt whose final event never came.
func (a Account) Report() lookup.Report { return report(a.Status, a.StatusDetails) }

// report maps the 13 statuses of the vendor's schema and the one of its oldest pages. Only four are documented; a
// status outside the set is an outcome still to come.
func report(status, details string) lookup.Report {
	r := lookup.Report{Phase: lookup.PhaseOpened, Detail: details}
	switch status {
	case "success":
		r.Phase = lookup.PhaseSucceeded
	case "incomplete", "requires_auth", "error_credentials", "error_otp":
		r.Phase = lookup.PhaseIncomplete
	case "error", "failed", "profile_unavailable":
		r.Phase = lookup.PhaseFailed
	}
	return r
}

// Login is one try of the vendor's at its source.
type Login struct {
	ID, AccountID         string
	Status, StatusDetails string
	Source                string // api, platform_retry, refresh, …
	CreatedAt, UpdatedAt  time.Time
}

// Report is what the login says, as an event would.
func (l Login) Report() lookup.Report { return report(l.Status, l.StatusDetails) }

// accountJSON is the account in every answer that has one. A creation's answer holds a few of the fields, the account
// page's older sample lacks some, and all but account_id may be null.
type accountJSON struct {
	ID            text   `json:"account_id"`
	UserID        text   `json:"user_id"`
	ExternalID    text   `json:"external_id"`
	Country       text   `json:"country"`
	Platform      text   `json:"platform"`
	Status        text   `json:"status"`
	StatusDetails text   `json:"status_details"`
	Warning       text   `json:"warning"`
	NextStep      text   `json:"next_step"`
	CreatedAt     moment `json:"created_at"`
	ConnectedAt   moment `json:"last_successful_connection"`
}

func (j accountJSON) account() Account {
	return Account{
		ID: string(j.ID), UserID: string(j.UserID), ExternalID: string(j.ExternalID), Country: string(j.Country),
		Platform: string(j.Platform), Status: string(j.Status), StatusDetails: string(j.StatusDetails),
		Warning: string(j.Warning), NextStep: string(j.NextStep), CreatedAt: j.CreatedAt.Time, ConnectedAt: j.ConnectedAt.Time,
	}
}

// CreateAccount asks the vendor for one person at one platform: POST /users/accounts, the call of its IMSS tutorial.
// identifier is a CURP; externalID comes back in webhooks and finds the account again. The vendor has no idempotency:
// after an Ambiguous error ask FindByExternalID before creating again. The answer tells that extraction began, not how
// it ends; Status is "" (docs/vendor.md#envelope).
//
// GiveUp: 401 and 403 (see KeyRefused), 409, 412 recent_login_successful, 422. Retry: 5xx, time-outs, broken connections.
// WaitUntil: 429.
func (c *Client) CreateAccount(ctx context.Context, identifier string, platform lookup.Platform, externalID string) (Account, error) {
	const op = "create account"
	a, err := c.call(ctx, op, http.MethodPost, "/users/accounts", struct {
		Identifier string          `json:"identifier"`
		Country    string          `json:"country"`
		Platform   lookup.Platform `json:"platform"`
		WidgetID   string          `json:"widget_id,omitempty"`
		ExternalID string          `json:"external_id,omitempty"`
	}{identifier, "mx", platform, c.widget, externalID})
	if err != nil {
		return Account{}, err
	}
	var j accountJSON
	if err := a.read(op, &j); err != nil {
		return Account{}, err
	}
	if !usableID(string(j.ID)) {
		// Created, perhaps, but under an id that no later request could use: Ambiguous, so it is looked for.
		return Account{}, unreadable(op, a.raw, a.header, nil)
	}
	return j.account(), nil
}

// Account asks how an account stands: GET /accounts/{id}. It is how an attempt is settled whose final event never came.
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	const op = "account"
	if err := checkID(op, id); err != nil {
		return Account{}, err
	}
	a, err := c.call(ctx, op, http.MethodGet, "/accounts/"+id, nil)
	if err != nil {
		return Account{}, err
	}
	var j accountJSON
	if err := a.read(op, &j); err != nil {
		return Account{}, err
	}
	if j.ID == "" {
		return Account{}, unreadable(op, a.raw, a.header, nil)
	}
	return j.account(), nil
}

// Logins lists the vendor's tries for an account, in the order received: GET /accounts/{id}/logins. One account has
// several after a retry or a refresh; the payload of a webhook does not say which one it tells of.
func (c *Client) Logins(ctx context.Context, id string) ([]Login, error) {
	const op = "logins"
	if err := checkID(op, id); err != nil {
		return nil, err
	}
	a, err := c.call(ctx, op, http.MethodGet, "/accounts/"+id+"/logins", nil)
	if err != nil || a.data == nil {
		return nil, err
	}
	var j struct {
		Logins many[struct {
			ID            text   `json:"id"`
			AccountID     text   `json:"account_id"`
			Status        text   `json:"status"`
			StatusDetails text   `json:"status_details"`
			Source        text   `json:"source"`
			CreatedAt     moment `json:"created_at"`
			UpdatedAt     moment `json:"updated_at"`
		}] `json:"logins"`
	}
	if err := a.read(op, &j); err != nil {
		return nil, err
	}
	var logins []Login
	for _, l := range j.Logins {
		logins = append(logins, Login{
			ID: string(l.ID), AccountID: string(l.AccountID), Status: string(l.Status), StatusDetails: string(l.StatusDetails),
			Source: string(l.Source), CreatedAt: l.CreatedAt.Time, UpdatedAt: l.UpdatedAt.Time,
		})
	}
	return logins, nil
}

// The search for a user by external id takes a span of dates. The reference page calls the latest date start_date and
// the earliest end_date, a later post of the vendor's has it the other way round; whichever the server follows, the
// other order finds nothing. Both are asked before we say "not there", because that answer leads to a second, billed
// creation (docs/vendor.md#envelope).
const (
	searchBack  = 400 * 24 * time.Hour
	searchAhead = 48 * time.Hour
	searchSize  = 100
	searchPages = 10
)

// FindByExternalID finds the newest account that was created with externalID; false when the vendor has none. It makes
// two or three requests as a rule, ten searches at most for each order of dates. An error never means "none".
func (c *Client) FindByExternalID(ctx context.Context, externalID string) (Account, bool, error) {
	if absent(externalID) {
		// Half of the vendor's users have none; the newest of them is nobody we know.
		return Account{}, false, &Error{Op: "search users", Code: CodeBadID, Kind: GiveUp}
	}
	late, early := time.Now().Add(searchAhead).UTC().Format(time.DateOnly), time.Now().Add(-searchBack).UTC().Format(time.DateOnly)
	for _, span := range [][2]string{{late, early}, {early, late}} {
		users, err := c.searchUsers(ctx, externalID, span)
		if err != nil {
			return Account{}, false, err
		}
		var newest Account // an account without a date counts as the oldest
		for _, user := range users {
			accounts, err := c.accountsOf(ctx, user)
			if err != nil {
				return Account{}, false, err
			}
			for _, a := range accounts {
				if newest.ID == "" || a.CreatedAt.After(newest.CreatedAt) {
					newest = a
				}
			}
		}
		if newest.ID != "" {
			newest.ExternalID = externalID
			return newest, true, nil
		}
	}
	return Account{}, false, nil
}

// searchUsers gives the ids of the users with exactly this external id. The vendor's filter is not relied upon: an
// answer may hold strangers, and a list of strangers too long to read through is an error, not a "no".
func (c *Client) searchUsers(ctx context.Context, externalID string, span [2]string) ([]string, error) {
	const op = "search users"
	type options struct {
		Size int `json:"items_per_page"`
		Page int `json:"page"`
	}
	var found []string
	for page := 1; page <= searchPages; page++ {
		a, err := c.call(ctx, op, http.MethodPost, "/users/search", struct {
			Start      string  `json:"start_date"`
			End        string  `json:"end_date"`
			ExternalID string  `json:"external_id"`
			Options    options `json:"options"`
		}{span[0], span[1], externalID, options{searchSize, page}})
		if missing(err) && codeIn(a.raw.Body) != "" { // the vendor's own "none", not a stranger's 404 page
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		var j struct {
			Users many[struct {
				ID         text `json:"user_id"`
				ExternalID text `json:"external_id"`
			}] `json:"users"`
		}
		if a.data != nil {
			if err := a.read(op, &j); err != nil {
				return nil, err
			}
		}
		for _, u := range j.Users {
			if string(u.ExternalID) == externalID && usableID(string(u.ID)) {
				found = append(found, string(u.ID))
			}
		}
		// Without pagination in the answer, a page that is not full is the last.
		if len(found) > 0 || page >= a.pages && len(j.Users) < searchSize {
			return found, nil
		}
	}
	return nil, &Error{Op: op, Code: CodeUnbounded, Kind: GiveUp}
}

// accountsOf lists the accounts of a user; one that the vendor does not know has none. Entries without a usable id are
// left out, because nothing could be asked about them.
func (c *Client) accountsOf(ctx context.Context, user string) ([]Account, error) {
	const op = "accounts of user"
	a, err := c.call(ctx, op, http.MethodGet, "/users/"+user+"/accounts", nil)
	if missing(err) && codeIn(a.raw.Body) != "" {
		return nil, nil
	}
	if err != nil || a.data == nil {
		return nil, err
	}
	var j struct {
		Accounts many[accountJSON] `json:"accounts"`
	}
	if err := a.read(op, &j); err != nil {
		return nil, err
	}
	var accounts []Account
	for _, one := range j.Accounts {
		if usableID(string(one.ID)) {
			accounts = append(accounts, one.account())
		}
	}
	return accounts, nil
}
