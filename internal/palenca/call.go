package palenca

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
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

// MaxAnswer is the largest answer read, in bytes. A working life of history is well under 1 MB.
const MaxAnswer = 8 << 20

// answer is an opened envelope (docs/vendor.md#envelope).
type answer struct {
	raw    Raw
	header http.Header
	data   json.RawMessage // nil when null or absent
	pages  int             // pagination.total_pages, 0 when absent
}

// call makes one request and opens the envelope of its answer. Errors are *Error, except for what Wait returned. The
// answer's raw part is filled whenever an answer came, be it a refusal.
func (c *Client) call(ctx context.Context, op, method, path string, in any) (answer, error) {
	if c.wait != nil {
		if err := c.wait(ctx); err != nil {
			return answer{}, err // nothing was sent; the caller's own error tells it how to go on
		}
	}
	req, err := c.request(ctx, method, path, in)
	if err != nil {
		return answer{}, &Error{Op: op, Code: CodeBadID, Kind: GiveUp}
	}
	// Once a header is on its way, silence no longer proves that the vendor did nothing.
	var sent atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	}))
	start := time.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, broken(op, err, sent.Load())
	}
	defer res.Body.Close()
	// One byte more than allowed tells an answer that fits exactly from one that was cut by us.
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		e := broken(op, err, true)
		e.Status, e.RequestID = res.StatusCode, requestID(res.Header)
		return answer{}, e
	}
	if len(body) > MaxAnswer {
		return answer{}, &Error{Op: op, Status: res.StatusCode, Code: CodeTooLarge, Kind: GiveUp, Ambiguous: true, RequestID: requestID(res.Header)}
	}
	a := answer{header: res.Header}
	// From here on the answer is kept whatever it says: a refusal is evidence too.
	a.raw = Raw{Body: body, Status: res.StatusCode, Took: time.Since(start), SHA256: sha256.Sum256(body)}
	c.obey(res)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return a, refused(op, res.StatusCode, res.Header, body)
	}
	return a, a.open(op)
}

// request builds the HTTP request. Personal data only ever goes into the body (docs/vendor.md#envelope): path segments
// are checked ids, and there is no query.
func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("x-api-key", c.key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "cotejo")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// obey passes on that the vendor wants to be left alone: it said 429, or this answer used up the window, so that the
// next request of any process would be refused. Of the latter nothing is made without a reset: a 429 will tell.
func (c *Client) obey(res *http.Response) {
	if c.onLimit == nil {
		return
	}
	usedUp := res.Header.Get("X-RateLimit-Remaining") == "0" && res.Header.Get("X-RateLimit-Reset") != ""
	if usedUp || res.StatusCode == http.StatusTooManyRequests {
		c.onLimit(resetAt(res.Header, time.Now()))
	}
}

// open reads the envelope of a 2xx answer. "success": false there is a refusal like any other.
func (a *answer) open(op string) error {
	if len(bytes.TrimSpace(a.raw.Body)) == 0 && a.raw.Status == http.StatusNoContent {
		return nil // a deletion may answer so; where data is needed, read objects
	}
	var e struct {
		Success    *bool           `json:"success"`
		Data       json.RawMessage `json:"data"`
		Pagination *struct {
			Pages count `json:"total_pages"`
		} `json:"pagination"`
	}
	if err := json.Unmarshal(a.raw.Body, &e); err != nil {
		return unreadable(op, a.raw, a.header, nil)
	}
	if e.Success != nil && !*e.Success {
		return refused(op, a.raw.Status, a.header, a.raw.Body)
	}
	if e.Success == nil && e.Data == nil {
		return unreadable(op, a.raw, a.header, nil) // JSON, but nobody's envelope
	}
	if !bytes.Equal(bytes.TrimSpace(e.Data), []byte("null")) {
		a.data = e.Data
	}
	if e.Pagination != nil && e.Pagination.Pages.n != nil {
		a.pages = *e.Pagination.Pages.n
	}
	return nil
}

// read decodes the data of an answer. Without data it is an error: callers for which nothing is an answer look first.
func (a *answer) read(op string, into any) error {
	if a.data == nil {
		return unreadable(op, a.raw, a.header, nil)
	}
	if err := json.Unmarshal(a.data, into); err != nil {
		return unreadable(op, a.raw, a.header, err)
	}
	return nil
}

// missing tells that the vendor answered 404. What that means depends on the question, so callers decide.
func missing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}
