package buro

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Raw is an answer as it came, for the caller to keep: what is shown later can be traced to these bytes.
type Raw struct {
	Body   []byte
	Status int
	Took   time.Duration // from sending to the last byte, without waiting for a turn
	SHA256 [32]byte      // of Body
}

// MaxAnswer is the largest answer read, in bytes. A page of a hundred invoices is well under 1 MB.
const MaxAnswer = 8 << 20

// answer is a 2xx answer. There is no envelope: the body is the object itself (docs/vendor-buro.md#buro-calls).
type answer struct {
	raw    Raw
	header http.Header
}

// call makes one request. Errors are *Error, except for what Wait returned. The answer's raw part is filled whenever an
// answer came, be it a refusal. path is made of constants and of segments that person or checkID let through.
func (c *Client) call(ctx context.Context, op, method, path string, query url.Values, in any) (answer, error) {
	if c.wait != nil {
		if err := c.wait(ctx); err != nil {
			return answer{}, err // nothing was sent; the caller's own error tells it how to go on
		}
	}
	req, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return answer{}, &Error{Op: op, Code: CodeBadID, Kind: GiveUp}
	}
	raw, header, err := c.send(c.http, req, op, MaxAnswer)
	if err != nil {
		return answer{}, err
	}
	a := answer{raw: raw, header: header}
	if raw.Status >= 200 && raw.Status <= 299 {
		c.obey(raw.Status, header)
		return a, nil
	}
	e := refused(op, raw.Status, header, raw.Body)
	if !e.Daily() {
		// The daily limit is one person's: the connection goes on with everybody else.
		c.obey(raw.Status, header)
	}
	return a, e
}

// request builds the HTTP request.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-API-Key", c.key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "cotejo")
	if c.sandbox {
		req.Header.Set("x-sandbox", "true")
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// send carries out one request and reads its whole answer, whatever its status.
func (c *Client) send(h *http.Client, req *http.Request, op string, most int64) (Raw, http.Header, error) {
	// Once a header is on its way, silence no longer proves that the vendor did nothing.
	var sent atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	}))
	start := time.Now()
	res, err := h.Do(req)
	if err != nil {
		return Raw{}, nil, broken(op, err, sent.Load())
	}
	defer res.Body.Close()
	// One byte more than allowed tells an answer that fits exactly from one that was cut by us.
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		e := broken(op, err, true)
		e.Status, e.RequestID = res.StatusCode, requestID(res.Header)
		return Raw{}, nil, e
	}
	if int64(len(body)) > most {
		return Raw{}, nil, &Error{Op: op, Status: res.StatusCode, Code: CodeTooLarge, Kind: GiveUp, Ambiguous: true, RequestID: requestID(res.Header)}
	}
	return Raw{Body: body, Status: res.StatusCode, Took: time.Since(start), SHA256: sha256.Sum256(body)}, res.Header, nil
}

// obey passes on that the vendor wants to be left alone: it said 429, or this answer used up the window, so that the
// next request of any process would be refused. Of the latter nothing is made without a reset: a 429 will tell.
func (c *Client) obey(status int, h http.Header) {
	if c.onLimit == nil {
		return
	}
	usedUp := h.Get("X-RateLimit-Remaining") == "0" && h.Get("X-RateLimit-Reset") != ""
	if usedUp || status == http.StatusTooManyRequests {
		c.onLimit(resetAt(h, time.Now()))
	}
}

// read decodes an answer whose body must be one JSON value.
func (a answer) read(op string, into any) error {
	b := bytes.TrimSpace(a.raw.Body)
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return unreadable(op, a, nil)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return unreadable(op, a, err)
	}
	return nil
}

// has tells whether an answer has a member, be it null. Some other service's JSON decodes to nothing at all, and nothing
// must come from the vendor before it is shown as "none" or leads to another, billed creation.
func (a answer) has(name string) bool {
	var top map[string]json.RawMessage
	return json.Unmarshal(a.raw.Body, &top) == nil && top[name] != nil
}

// about refuses an answer that names another person than the one asked about. Data is keyed by person, so a mistake on
// the way (a cache, a relay) would show one applicant's history as another's (docs/vendor-buro.md#buro-identifier).
func (a answer) about(op, identifier string, who text) error {
	if named(who, identifier) {
		return nil
	}
	return &Error{Op: op, Status: a.raw.Status, Code: CodeOtherPerson, Kind: GiveUp, Ambiguous: true, RequestID: requestID(a.header)}
}

// named tells whether an answer is about a person; one that names nobody is taken at its address.
func named(who text, identifier string) bool {
	return who == "" || strings.EqualFold(strings.TrimSpace(string(who)), identifier)
}

// none tells that the vendor says, in its own words, that there is nothing of a kind. A 404 without one of these codes
// is no such statement: a wrong base URL gives one too, and would show every applicant as never employed.
func none(err error, codes ...string) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound && slices.Contains(codes, e.Code)
}

// Lists come in pages of at most a hundred entries (docs/vendor-buro.md#buro-calls).
const (
	pageSize = 100
	maxPages = 50

	// maxList is the most that is read of all pages of one list, in bytes: a worker holds them until they are stored.
	maxList = 64 << 20
)

// pagination stands beside every list; no page promises its fields, so they may be absent.
type pagination struct {
	Page  count `json:"page"`
	Items count `json:"total_items"`
	Pages count `json:"total_pages"`
}

// pages reads the list of that name to its end. read gets each page's answer and gives the number of its entries. whole is false when
// there is reason to think that entries are missing, so that a part never passes for everything. A refusal of the first
// page is returned as it is, with its answer among raws; one of a later page too, since half a list is none. CodeTooLarge when all pages together are.
func (c *Client) pages(ctx context.Context, op, path string, query url.Values, list string, read func(answer) (int, error)) (raws []Raw, whole bool, err error) {
	q := url.Values{"items_per_page": {strconv.Itoa(pageSize)}}
	for name, values := range query {
		q[name] = values
	}
	total, size := 0, 0
	for page := 1; page <= maxPages; page++ {
		q.Set("page", strconv.Itoa(page))
		a, err := c.call(ctx, op, http.MethodGet, path, q, nil)
		if a.raw.Status != 0 {
			raws = append(raws, a.raw)
		}
		if err != nil {
			return raws, false, err
		}
		if size += len(a.raw.Body); size > maxList {
			return raws, false, &Error{Op: op, Status: a.raw.Status, Code: CodeTooLarge, Kind: GiveUp, RequestID: requestID(a.header)}
		}
		var top struct {
			Pagination pagination `json:"pagination"`
		}
		if err := a.read(op, &top); err != nil {
			return raws, false, err
		}
		if !a.has(list) {
			return raws, false, unreadable(op, a, nil)
		}
		info := top.Pagination
		if page > 1 && info.Page.n != nil && *info.Page.n != page {
			return raws, false, nil // the same page again: its entries would count twice
		}
		n, err := read(a)
		if err != nil {
			return raws, false, err
		}
		total += n
		last := n < pageSize
		if info.Pages.n != nil {
			last = page >= *info.Pages.n
		}
		switch {
		case last:
			return raws, info.Items.n == nil || total >= *info.Items.n, nil
		case n == 0:
			return raws, false, nil // more pages were announced than have anything on them
		}
	}
	return raws, false, nil
}
