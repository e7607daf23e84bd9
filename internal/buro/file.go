package buro

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// MaxFile is the largest document fetched, in bytes. The reports of IMSS are well under 1 MB.
const MaxFile = 20 << 20

// errElsewhere stops a redirect that leads to another place than the link itself.
var errElsewhere = errors.New("redirected elsewhere")

// FetchFile downloads a document by its pre-signed link. It dies after 15 minutes, so this is done as soon as the link
// is known; CodeFileRefused then means that EmploymentFiles has to be asked again. The link is vendor data: only https
// is followed (this machine's sandbox excepted), to its own host only, and our key is never sent along.
//
// The content type is what the server said, without parameters, "" when it said nothing usable; callers decide what
// they store and must never let a browser guess.
func (c *Client) FetchFile(ctx context.Context, link string) (data []byte, contentType string, err error) {
	const op = "fetch file"
	u, err := url.Parse(link)
	if err != nil || !c.fetchable(u) {
		return nil, "", &Error{Op: op, Code: CodeFileAddress, Kind: GiveUp}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, "", &Error{Op: op, Code: CodeFileAddress, Kind: GiveUp}
	}
	req.Header.Set("User-Agent", "cotejo")
	own := *c.http
	own.Jar = nil // a cookie would be one more thing to send to strangers
	own.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > 3 || to.URL.Scheme != u.Scheme || !strings.EqualFold(to.URL.Host, u.Host) {
			return errElsewhere
		}
		return nil
	}
	raw, header, err := c.send(&own, req, op, MaxFile)
	if err != nil {
		return nil, "", err
	}
	switch {
	case raw.Status == http.StatusTooManyRequests, raw.Status >= 500, raw.Status == http.StatusRequestTimeout:
		return nil, "", &Error{Op: op, Status: raw.Status, Code: codeFor(raw.Status), Kind: Retry}
	case raw.Status != http.StatusOK:
		return nil, "", &Error{Op: op, Status: raw.Status, Code: CodeFileRefused, Kind: GiveUp}
	case len(raw.Body) == 0:
		return nil, "", &Error{Op: op, Status: raw.Status, Code: CodeUnreadable, Kind: Retry}
	}
	contentType, _, err = mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		contentType = ""
	}
	return raw.Body, contentType, nil
}

// fetchable tells whether a link may be followed. This machine is off limits unless the vendor itself is on it:
// otherwise an answer could make us read what listens only here.
func (c *Client) fetchable(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" || u.User != nil {
		return false
	}
	if loopback(host) {
		return c.local && (u.Scheme == "http" || u.Scheme == "https")
	}
	return u.Scheme == "https"
}
