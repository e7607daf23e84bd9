package buro

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// MaxBulk is the most entries of one bulk, by the newest page; older clients knew 100 (docs/vendor-buro.md#buro-bulk).
const MaxBulk = 100_000

// VerificationRequest is one entry of a bulk of verifications.
type VerificationRequest struct {
	Identifier string `json:"identifier"`
	ExternalID string `json:"external_id,omitempty"`
}

// Bulk is how a bulk stands. What a metric does not say is nil.
type Bulk struct {
	ID                                   string
	Type                                 string // consent or verification
	Status                               string // "" when not given
	Total, Completed, Failed, InProgress *int
	CreatedAt                            time.Time
}

// BulkItem is one entry of a bulk and what became of it.
type BulkItem struct {
	Identifier string // the CURP or RFC as received: personal data
	ExternalID string
	ID         string // of the verification or consent; "" when there is none
	Status     string // an open set
	Code       string // status_code, whose catalogue is not published; "" when not given
}

// LogValue keeps the person out of logs.
func (i BulkItem) LogValue() slog.Value { return slog.StringValue(i.ID) }

// CreateVerificationBulk asks for many people at once: POST /verifications/bulk. It gives the bulk's id and nothing of
// its entries. Each one still counts towards its person's two a day. After an Ambiguous error there is no way to find
// the bulk; its entries are found one by one with FindByExternalID.
func (c *Client) CreateVerificationBulk(ctx context.Context, list []VerificationRequest) (string, error) {
	const op = "create verification bulk"
	for _, r := range list {
		if _, err := person(op, r.Identifier); err != nil {
			return "", err
		}
	}
	return c.createBulk(ctx, op, "/verifications/bulk", len(list), struct {
		Verifications []VerificationRequest `json:"verifications"`
	}{list})
}

// CreateConsentBulk tells the vendor of many consents at once: POST /consents/bulk, whose body is the bare list.
func (c *Client) CreateConsentBulk(ctx context.Context, list []ConsentRequest) (string, error) {
	const op = "create consent bulk"
	for _, r := range list {
		if err := r.check(op); err != nil {
			return "", err
		}
	}
	return c.createBulk(ctx, op, "/consents/bulk", len(list), list)
}

func (c *Client) createBulk(ctx context.Context, op, path string, n int, in any) (string, error) {
	if n < 1 || n > MaxBulk {
		return "", &Error{Op: op, Code: CodeBadRequest, Kind: GiveUp}
	}
	a, err := c.call(ctx, op, http.MethodPost, path, nil, in)
	if err != nil {
		return "", err
	}
	var j struct {
		BulkID text `json:"bulk_id"`
		ID     text `json:"id"`
	}
	if err := a.read(op, &j); err != nil {
		return "", err
	}
	id := first(j.BulkID, j.ID)
	if !usableID(id) {
		return "", unreadable(op, a, nil)
	}
	return id, nil
}

// Bulk asks how a bulk stands: GET /bulks/{id}. The vendor advises about one question every 30 seconds.
func (c *Client) Bulk(ctx context.Context, id string) (Bulk, error) {
	const op = "bulk"
	if err := checkID(op, id); err != nil {
		return Bulk{}, err
	}
	a, err := c.call(ctx, op, http.MethodGet, "/bulks/"+id, nil, nil)
	if err != nil {
		return Bulk{}, err
	}
	var j struct {
		BulkID    text   `json:"bulk_id"`
		ID        text   `json:"id"`
		Type      text   `json:"type"`
		Status    text   `json:"status"`
		CreatedAt moment `json:"created_at"`
		Metrics   struct {
			Total      count `json:"total"`
			Completed  count `json:"completed"`
			Failed     count `json:"failed"`
			InProgress count `json:"in_progress"`
		} `json:"metrics"`
	}
	if err := a.read(op, &j); err != nil {
		return Bulk{}, err
	}
	if j.Metrics.Total.n == nil {
		return Bulk{}, unreadable(op, a, nil) // JSON, but nobody's bulk
	}
	b := Bulk{
		ID: first(j.BulkID, j.ID), Type: string(j.Type), Status: string(j.Status), CreatedAt: j.CreatedAt.Time,
		Total: j.Metrics.Total.n, Completed: j.Metrics.Completed.n, Failed: j.Metrics.Failed.n, InProgress: j.Metrics.InProgress.n,
	}
	if b.ID == "" {
		b.ID = id
	}
	return b, nil
}

var statusForm = regexp.MustCompile(`^[a-z_]{0,32}$`)

// BulkItems gives one page of a bulk's entries, counted from 1: GET /bulks/{id}/items. more tells that another page
// follows. status narrows the list by the vendor's word, such as "error"; "" gives all.
func (c *Client) BulkItems(ctx context.Context, id, status string, page int) (items []BulkItem, more bool, err error) {
	const op = "bulk items"
	if err := checkID(op, id); err != nil {
		return nil, false, err
	}
	if page < 1 || !statusForm.MatchString(status) {
		return nil, false, &Error{Op: op, Code: CodeBadRequest, Kind: GiveUp}
	}
	q := url.Values{"page": {strconv.Itoa(page)}, "items_per_page": {strconv.Itoa(pageSize)}}
	if status != "" {
		q.Set("status", status)
	}
	a, err := c.call(ctx, op, http.MethodGet, "/bulks/"+id+"/items", q, nil)
	if err != nil {
		return nil, false, err
	}
	var j struct {
		Items many[struct {
			Identifier     text `json:"identifier"`
			ExternalID     text `json:"external_id"`
			ID             text `json:"id"`
			VerificationID text `json:"verification_id"`
			ConsentID      text `json:"consent_id"`
			Status         text `json:"status"`
			Code           text `json:"status_code"`
		}] `json:"items"`
		Pagination pagination `json:"pagination"`
	}
	if err := a.read(op, &j); err != nil {
		return nil, false, err
	}
	if !a.has("items") {
		return nil, false, unreadable(op, a, nil)
	}
	if p := j.Pagination.Page.n; p != nil && *p != page {
		return nil, false, &Error{Op: op, Status: a.raw.Status, Code: CodeUnbounded, Kind: GiveUp, RequestID: requestID(a.header)}
	}
	for _, i := range j.Items {
		items = append(items, BulkItem{
			Identifier: string(i.Identifier), ExternalID: string(i.ExternalID), ID: first(i.VerificationID, i.ID, i.ConsentID),
			Status: string(i.Status), Code: string(i.Code),
		})
	}
	more = len(j.Items) >= pageSize
	if total := j.Pagination.Pages.n; total != nil {
		more = page < *total && len(j.Items) > 0
	}
	return items, more, nil
}

// CancelBulk stops what of a bulk has not begun: DELETE /bulks/{id}. One that the vendor no longer knows is no error.
func (c *Client) CancelBulk(ctx context.Context, id string) error {
	const op = "cancel bulk"
	if err := checkID(op, id); err != nil {
		return err
	}
	_, err := c.call(ctx, op, http.MethodDelete, "/bulks/"+id, nil, nil)
	if none(err, "bulk_verification_not_found", "bulk_not_found") {
		return nil
	}
	return err
}
