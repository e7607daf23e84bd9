package buro

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a slim image has no zone database

	"cotejo/internal/lookup"
)

// Kind is what a caller should do about an Error.
type Kind string

const (
	Retry     Kind = "retry"      // the same request may work later
	GiveUp    Kind = "give_up"    // the same request will not work
	WaitUntil Kind = "wait_until" // not before Error.Until
)

// Codes of the vendor that callers act upon (docs/vendor-buro.md#buro-errors).
const (
	CodeConsentRequired = "consent_required"
	CodeDailyLimit      = "daily_verification_limit_exceeded"
)

// Codes of ours, for failures to which the vendor gave no name.
const (
	CodeTimeout       = "timeout"           // no whole answer in time
	CodeNoReach       = "connection_failed" // nothing was sent
	CodeCut           = "connection_cut"    // the connection broke after sending
	CodeTLS           = "tls_failed"        // the certificate did not convince us
	CodeCanceled      = "canceled"          // our side gave up
	CodeRedirected    = "redirected"        // the key is never carried to another address
	CodeUnreadable    = "unreadable_answer" // not JSON, or not of a shape we know
	CodeTooLarge      = "answer_too_large"
	CodeUnbounded     = "search_unbounded"      // a list could not be read to its end, so "not found" cannot be said
	CodeBadID         = "bad_id"                // refused before sending: not an id that the vendor could have made
	CodeBadIdentifier = "bad_identifier"        // refused before sending: neither CURP nor RFC
	CodeBadRequest    = "bad_request"           // refused before sending: a value that no request may have
	CodeOtherPerson   = "other_person"          // the answer names somebody else
	CodeChanged       = "changed_while_reading" // the data was replaced between two of its pages
	CodeFileAddress   = "file_address_refused"  // refused before sending: not an address to fetch a document from
	CodeFileRefused   = "file_refused"          // the document's link has expired or leads nowhere
)

// Error is every way in which a request can fail once it was this package's turn. Its text is made of our own words
// and of a code and a request id that passed a filter: no URL, body, key or personal data can be in it.
type Error struct {
	Op        string // "create verification", "employment", …
	Status    int    // HTTP status, 0 when no answer came
	Code      string // the vendor's code, else one of ours; letters, underscores and a short number only
	Kind      Kind
	Until     time.Time // for WaitUntil; may also come with Retry when the vendor named a time
	RequestID string    // X-Request-Id, for the vendor's support
	Ambiguous bool      // the vendor may have acted on the request although no usable answer came back
	cause     error     // context.Canceled, context.DeadlineExceeded or nil: nothing that could quote a URL
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("buro: " + e.Op + ": " + e.Code)
	if e.Status != 0 {
		b.WriteString(" (" + strconv.Itoa(e.Status) + ")")
	}
	if e.RequestID != "" {
		b.WriteString(" request " + e.RequestID)
	}
	return b.String()
}

// Unwrap lets errors.Is tell a cancellation of ours from a fault of the vendor.
func (e *Error) Unwrap() error { return e.cause }

// KeyRefused tells that the vendor refused our key itself, so that every further request would fail alike. The place a
// document is fetched from knows no key of ours, so its 403 says nothing of it.
func (e *Error) KeyRefused() bool {
	return (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) && e.Code != CodeFileRefused
}

// Daily tells that this person was asked about twice today already. It says nothing about anybody else, and nothing
// before Until will change it (docs/vendor-buro.md#buro-limits).
func (e *Error) Daily() bool { return e.Code == CodeDailyLimit }

// ConsentRequired tells that the vendor knows no valid consent of this person: CreateConsent has to come first.
func (e *Error) ConsentRequired() bool { return e.Code == CodeConsentRequired }

// Detail gives the code to keep with an attempt whose creation was refused (GiveUp).
func (e *Error) Detail() string {
	switch {
	case e.Status == http.StatusUnauthorized && e.KeyRefused():
		return lookup.CodeUnauthorized
	case e.Status == http.StatusForbidden && e.KeyRefused():
		return lookup.CodeForbidden
	case e.ConsentRequired(), e.Daily():
		return e.Code
	}
	return lookup.CodeRejected
}

// window is the vendor's rate-limit window; a 429 that names no reset ends after it (docs/vendor-buro.md#buro-limits).
const window = time.Minute

// longestWait bounds what a reset header may ask for.
const longestWait = 24 * time.Hour

// refused turns an HTTP answer that is not a success into an Error.
func refused(op string, status int, header http.Header, body []byte) *Error {
	e := &Error{Op: op, Status: status, Code: codeIn(body), RequestID: requestID(header)}
	if e.Code == "" {
		e.Code = codeFor(status)
	}
	switch {
	case e.Daily():
		e.Kind, e.Until = WaitUntil, tomorrow(time.Now())
	case status == http.StatusTooManyRequests:
		e.Kind, e.Until = WaitUntil, resetAt(header, time.Now())
	case status >= 500, status == http.StatusRequestTimeout:
		// A gateway answers 5xx for a request that the machine behind it may well have carried out.
		e.Kind, e.Ambiguous = Retry, true
		if header.Get("Retry-After") != "" {
			e.Until = resetAt(header, time.Now())
		}
	default:
		e.Kind = GiveUp
	}
	return e
}

// codeFor names an answer in which the vendor put no code.
func codeFor(status int) string {
	switch {
	case status >= 300 && status < 400:
		return CodeRedirected
	case status == http.StatusUnauthorized:
		return "unauthorized"
	case status == http.StatusForbidden:
		return "forbidden"
	case status == http.StatusNotFound:
		return "not_found"
	case status == http.StatusRequestTimeout:
		return CodeTimeout
	case status == http.StatusConflict:
		return "conflict"
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		return "validation_error"
	case status == http.StatusTooManyRequests:
		return "too_many_requests"
	case status >= 500:
		return "server_error"
	}
	return "refused"
}

// codeWord is the form of every code the vendor publishes. Anything else, such as a body that quotes our own request
// back, is not repeated.
var codeWord = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

func word(s string) string {
	if s = strings.ToLower(s); len(s) <= 64 && codeWord.MatchString(s) {
		return s
	}
	return ""
}

// codeIn finds the vendor's code in a refusal: error.code, or error itself when it is a string, as the 401 has it. code
// at the top is on no page; relays write it.
func codeIn(body []byte) string {
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		return ""
	}
	var inner map[string]json.RawMessage
	_ = json.Unmarshal(top["error"], &inner) // absent or a string: inner stays nil
	for _, raw := range []json.RawMessage{inner["code"], top["error"], top["code"]} {
		var s string
		if json.Unmarshal(raw, &s) == nil && word(s) != "" {
			return word(s)
		}
	}
	return ""
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); requestIDForm.MatchString(id) && !personStart.MatchString(id) {
		return id
	}
	return ""
}

// resetAt tells when the vendor will listen again, by the headers of its sister API: X-RateLimit-Reset is a Unix time.
// Retry-After is understood too, since proxies send it. A time that is past or absurd gives one window from now.
func resetAt(h http.Header, now time.Time) time.Time {
	var at time.Time
	if s, err := strconv.ParseFloat(h.Get("X-RateLimit-Reset"), 64); err == nil && s > 0 && s < 1e11 {
		at = time.Unix(int64(s), 0)
	} else if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 && s <= int(longestWait.Seconds()) {
		at = now.Add(time.Duration(s) * time.Second)
	} else if t, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		at = t
	}
	if !at.After(now) || at.After(now.Add(longestWait)) {
		at = now.Add(window)
	}
	return at.UTC()
}

// mexicoCity is where the vendor's day is counted, as we take it (docs/vendor-buro.md#buro-limits).
var mexicoCity = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		return time.FixedZone("CST", -6*3600) // no summer time there since October 2022
	}
	return zone
})

// tomorrow is the first moment of the next day in Mexico City.
func tomorrow(now time.Time) time.Time {
	y, m, d := now.In(mexicoCity()).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, mexicoCity()).UTC()
}

// broken turns a failure of the connection into an Error. sent tells whether any part of the request may have left.
// The transport's own error is a *url.Error that quotes the address and with it a CURP, so none of its text is kept.
func broken(op string, err error, sent bool) *Error {
	e := &Error{Op: op, Kind: Retry, Ambiguous: sent}
	var netErr net.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errElsewhere):
		e.Code, e.Kind, e.Ambiguous = CodeRedirected, GiveUp, false
	case errors.Is(err, context.Canceled):
		e.Code, e.cause = CodeCanceled, context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		e.Code, e.cause = CodeTimeout, context.DeadlineExceeded
	case errors.As(err, &cert):
		e.Code = CodeTLS
	case sent:
		e.Code = CodeCut
	default:
		e.Code = CodeNoReach
	}
	return e
}

// unreadable is for a 2xx answer that we cannot use. A write may have been carried out, hence Ambiguous.
func unreadable(op string, a answer, err error) *Error {
	e := &Error{Op: op, Status: a.raw.Status, Code: CodeUnreadable, Kind: Retry, Ambiguous: true, RequestID: requestID(a.header)}
	var field shapeError
	if errors.As(err, &field) {
		// The answer came whole and will look the same next time.
		e.Code, e.Kind = string(field), GiveUp
	}
	return e
}

// shapeError names a value that is there but cannot be read. It never passes for an absent one: a spell whose end we
// cannot read must not look like one that goes on.
type shapeError string

const (
	badText    shapeError = "unreadable_text"
	badAmount  shapeError = "unreadable_amount"
	badCount   shapeError = "unreadable_count"
	badDate    shapeError = "unreadable_date"
	badFlag    shapeError = "unreadable_flag"
	badAddress shapeError = "unreadable_address"
	badRow     shapeError = "unreadable_row" // a row of which nothing was understood
)

func (s shapeError) Error() string { return fmt.Sprintf("buro: %s", string(s)) }
