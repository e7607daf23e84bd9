package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// user is the vendor's worker: the holder of accounts and of external_id.
type user struct {
	ID         string    `json:"id"`
	Seq        int       `json:"seq"`
	ExternalID *string   `json:"external_id,omitempty"`
	WidgetID   string    `json:"widget_id"`
	Accounts   []string  `json:"accounts,omitempty"` // oldest first
	CreatedAt  time.Time `json:"created_at"`
}

// account is the connection of a user to one platform. What was extracted is
// not stored: it follows from the identifier and the day of the last success.
type account struct {
	ID          string    `json:"id"`
	Seq         int       `json:"seq"`
	UserID      string    `json:"user_id"`
	WidgetID    string    `json:"widget_id"`
	Country     string    `json:"country"`
	Platform    string    `json:"platform"`
	Identifier  string    `json:"identifier"`
	GovID       string    `json:"gov_id"`
	BulkID      string    `json:"bulk_id,omitempty"`
	Status      string    `json:"status"`
	Details     string    `json:"status_details,omitempty"`
	Warning     string    `json:"warning,omitempty"`
	Logins      []string  `json:"logins"` // oldest first, never empty
	CreatedAt   time.Time `json:"created_at"`
	LastSuccess time.Time `json:"last_success,omitzero"` // data exists, as of this day
}

// login is one attempt to extract an account; DueAt is set while it runs.
type login struct {
	ID            string    `json:"id"`
	Seq           int       `json:"seq"`
	AccountID     string    `json:"account_id"`
	BulkID        string    `json:"bulk_id,omitempty"`
	Source        string    `json:"source"`
	Status        string    `json:"status"`
	Details       string    `json:"status_details,omitempty"`
	LastAction    string    `json:"last_action"` // the event a resend repeats
	DueAt         time.Time `json:"due_at,omitzero"`
	Authenticated time.Time `json:"authenticated_at,omitzero"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// webhook is an address to tell about the accounts of one widget.
type webhook struct {
	ID         string   `json:"id"`
	Seq        int      `json:"seq"`
	URL        string   `json:"url"`
	Name       string   `json:"name"`
	WidgetID   string   `json:"widget_id"`
	IsSandbox  bool     `json:"is_sandbox"`
	IsActive   bool     `json:"is_active"`
	Sign       bool     `json:"sign_request"`
	PrivateKey string   `json:"private_key"` // base64url of 32 bytes
	Events     []string `json:"events"`
}

// wants tells whether an event of the sandbox goes to w.
func (w *webhook) wants(action string) bool {
	return w.IsActive && w.IsSandbox && (slices.Contains(w.Events, "*") || slices.Contains(w.Events, action))
}

// widget groups users and webhooks, as at the vendor.
type widget struct {
	ID        string    `json:"id"`
	Seq       int       `json:"seq"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// States of a delivery; only pending ones have work left.
const (
	sending   = "pending"
	delivered = "delivered"
	exhausted = "failed"    // all attempts used
	dropped   = "dropped"   // by the switch drop_webhooks
	abandoned = "abandoned" // its webhook was deleted or switched off meanwhile
)

// delivery is one event on its way to one webhook.
type delivery struct {
	ID           string    `json:"id"`
	Seq          int       `json:"seq"`
	WebhookID    string    `json:"webhook_id"`
	AccountID    string    `json:"account_id"`
	Action       string    `json:"action"`
	URL          string    `json:"url"`
	Body         string    `json:"body"` // the exact text sent
	State        string    `json:"state"`
	Attempts     []attempt `json:"attempts"`
	NextAt       time.Time `json:"next_at,omitzero"`
	After        string    `json:"after,omitempty"` // earlier delivery whose first attempt goes first …
	HoldUntil    time.Time `json:"hold_until,omitzero"`
	BadSignature bool      `json:"bad_signature,omitempty"`
	Dialect      string    `json:"dialect,omitempty"` // "" = palenca
	Ugly         string    `json:"ugly,omitempty"`    // the case it plays (ugly.go)
	Signed       string    `json:"signed,omitempty"`  // the text that was signed, when it is not Body
	Shape        string    `json:"shape,omitempty"`   // huge, deep, empty: what Body becomes on its way out
	Token        string    `json:"token,omitempty"`   // expired, none: the JWT it carries
	Swap         bool      `json:"swap,omitempty"`    // waits for the next event to go first
	CreatedAt    time.Time `json:"created_at"`
}

// swapKey names the events among which a delivery changes places: Palenca's
// order is that of one account, Buró's that of a whole webhook, since a
// verification has one event only.
func (d *delivery) swapKey() string {
	if d.Dialect == buro {
		return d.WebhookID
	}
	return d.WebhookID + " " + d.AccountID
}

// attempt is one call of a delivery, whatever came of it.
type attempt struct {
	At     time.Time `json:"at"`
	Millis int64     `json:"duration_ms"`
	Status int       `json:"status,omitempty"` // 0 = no answer
	Error  string    `json:"error,omitempty"`
}

// table is one kind of row, by id. put and remove note the change for the
// next commit of the journal.
type table[T any] struct {
	kind string
	rows map[string]*T
	log  *journal
}

func newTable[T any](log *journal, kind string) *table[T] {
	t := &table[T]{kind: kind, rows: map[string]*T{}, log: log}
	log.kinds[kind] = t
	return t
}

func (t *table[T]) get(id string) *T { return t.rows[id] }

func (t *table[T]) put(id string, row *T) {
	t.rows[id] = row
	t.log.note(t.kind, id, row)
}

func (t *table[T]) remove(id string) {
	delete(t.rows, id)
	t.log.note(t.kind, id, nil)
}

// load takes one row back from the journal; null removes it.
func (t *table[T]) load(id string, text json.RawMessage) error {
	if len(text) == 0 || string(text) == "null" {
		delete(t.rows, id)
		return nil
	}
	row := new(T)
	if err := json.Unmarshal(text, row); err != nil {
		return err
	}
	t.rows[id] = row
	return nil
}

func (t *table[T]) each(f func(id string, row any)) {
	for id, row := range t.rows {
		f(id, row)
	}
}

// sorted returns the rows that keep allows, oldest first.
func sorted[T any](t *table[T], seq func(*T) int, keep func(*T) bool) []*T {
	var out []*T
	for _, row := range t.rows {
		if keep == nil || keep(row) {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b *T) int { return cmp.Compare(seq(a), seq(b)) })
	return out
}

// store is everything the sandbox remembers. The server's lock guards it.
type store struct {
	log        *journal
	users      *table[user]
	accounts   *table[account]
	logins     *table[login]
	webhooks   *table[webhook]
	widgets    *table[widget]
	deliveries *table[delivery]
	switches   *table[switches] // one row, "all"
	perDay     *table[int]      // "platform CURP day" → creations, for the daily limit
	notices    *table[notice]

	consents      *table[consent]
	verifications *table[verification]
	endpoints     *table[endpoint]
	bulks         *table[bulk]
	findings      *table[finding] // by identifier
	perBuroDay    *table[int]     // "identifier day" → verifications

	seq      int
	finished []string          // ids of deliveries without work left, oldest first
	newest   map[string]string // identifier → its newest consent
}

func newStore(log *journal) *store {
	return &store{
		log:        log,
		users:      newTable[user](log, "user"),
		accounts:   newTable[account](log, "account"),
		logins:     newTable[login](log, "login"),
		webhooks:   newTable[webhook](log, "webhook"),
		widgets:    newTable[widget](log, "widget"),
		deliveries: newTable[delivery](log, "delivery"),
		switches:   newTable[switches](log, "switches"),
		perDay:     newTable[int](log, "per_day"),
		notices:    newTable[notice](log, "notice"),

		consents:      newTable[consent](log, "buro_consent"),
		verifications: newTable[verification](log, "buro_verification"),
		endpoints:     newTable[endpoint](log, "buro_webhook"),
		bulks:         newTable[bulk](log, "buro_bulk"),
		findings:      newTable[finding](log, "buro_finding"),
		perBuroDay:    newTable[int](log, "buro_per_day"),

		newest: map[string]string{},
	}
}

// next numbers rows in order of creation.
func (st *store) next() int {
	st.seq++
	return st.seq
}

// recount restores what is derived from the rows, after a load.
func (st *store) recount() {
	highest(st, st.users, func(r *user) int { return r.Seq })
	highest(st, st.accounts, func(r *account) int { return r.Seq })
	highest(st, st.logins, func(r *login) int { return r.Seq })
	highest(st, st.webhooks, func(r *webhook) int { return r.Seq })
	highest(st, st.widgets, func(r *widget) int { return r.Seq })
	highest(st, st.notices, func(r *notice) int { return r.Seq })
	highest(st, st.verifications, func(r *verification) int { return r.Seq })
	highest(st, st.endpoints, func(r *endpoint) int { return r.Seq })
	highest(st, st.bulks, func(r *bulk) int { return r.Seq })
	for _, c := range sorted(st.consents, func(c *consent) int { return c.Seq }, nil) {
		st.seq = max(st.seq, c.Seq)
		st.newest[c.Identifier] = c.ID
	}
	for _, r := range sorted(st.deliveries, func(d *delivery) int { return d.Seq }, nil) {
		st.seq = max(st.seq, r.Seq)
		if r.State != sending {
			st.finished = append(st.finished, r.ID)
		}
	}
}

func highest[T any](st *store, t *table[T], seq func(*T) int) {
	for _, r := range t.rows {
		st.seq = max(st.seq, seq(r))
	}
}

// keptDeliveries bounds the log of finished deliveries.
const keptDeliveries = 5000

// finish closes a delivery and forgets the oldest finished ones.
func (st *store) finish(d *delivery, state string) {
	d.State, d.NextAt = state, time.Time{}
	st.deliveries.put(d.ID, d)
	st.finished = append(st.finished, d.ID)
	for len(st.finished) > keptDeliveries {
		st.deliveries.remove(st.finished[0])
		st.finished = st.finished[1:]
	}
}
