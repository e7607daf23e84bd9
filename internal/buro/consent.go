package buro

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Consent is a person's consent as the vendor keeps it. Whose it is stands with the caller.
type Consent struct {
	ID        string
	CreatedAt time.Time // zero when not given: lists leave it out
	// ExpiresAt counts, and is never worked out from CreatedAt: in both published samples it is one year and six hours
	// later (docs/vendor-buro.md#buro-consent).
	ExpiresAt time.Time
}

type consentJSON struct {
	ID         text   `json:"id"`
	Identifier text   `json:"identifier"`
	CreatedAt  moment `json:"created_at"`
	ExpiresAt  moment `json:"expires_at"`
}

func (j consentJSON) consent() Consent {
	return Consent{ID: string(j.ID), CreatedAt: j.CreatedAt.Time, ExpiresAt: j.ExpiresAt.Time}
}

// ConsentRequest is what the vendor records: who, from which address, and on which privacy notice.
type ConsentRequest struct {
	Identifier string `json:"identifier"`
	IP         string `json:"ip_address"`         // IPv4 or IPv6 of the browser in which consent was recorded
	NoticeURL  string `json:"privacy_notice_url"` // the lender's privacy notice
}

// check refuses what the vendor would refuse, so that a mistake in our settings is told from one of the person's data.
func (r ConsentRequest) check(op string) error {
	if _, err := person(op, r.Identifier); err != nil {
		return err
	}
	notice, err := url.Parse(r.NoticeURL)
	if _, ipErr := netip.ParseAddr(r.IP); ipErr != nil || err != nil || notice.Hostname() == "" || notice.Scheme != "https" && notice.Scheme != "http" {
		return &Error{Op: op, Code: CodeBadRequest, Kind: GiveUp}
	}
	return nil
}

// CreateConsent tells the vendor of a consent that we hold: POST /consents. It is good for every verification of the
// person until it expires; the vendor finds it by itself. Creating it again after an Ambiguous error is
// harmless as far as we know, and leaves two records.
func (c *Client) CreateConsent(ctx context.Context, identifier, ip, noticeURL string) (Consent, error) {
	const op = "create consent"
	in := ConsentRequest{Identifier: identifier, IP: ip, NoticeURL: noticeURL}
	if err := in.check(op); err != nil {
		return Consent{}, err
	}
	a, err := c.call(ctx, op, http.MethodPost, "/consents", nil, in)
	if err != nil {
		return Consent{}, err
	}
	var j consentJSON
	if err := a.read(op, &j); err != nil {
		return Consent{}, err
	}
	if err := a.about(op, identifier, j.Identifier); err != nil {
		return Consent{}, err
	}
	if j.ID == "" || j.ExpiresAt.IsZero() {
		return Consent{}, unreadable(op, a, nil) // one whose end is unknown could be used too long
	}
	return j.consent(), nil
}
