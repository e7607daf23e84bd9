package webhook_test

import (
	"crypto/sha256"
	"net/netip"
	"testing"
	"time"

	"cotejo/internal/webhook"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	two := []webhook.HeaderSecret{header("X-Api-Key", "k-1"), header("X-Client-Id", "c-1")}
	for name, c := range map[string]struct {
		policy  []webhook.HeaderSecret
		headers []string
		cause   webhook.Cause
		reason  string
		header  string
	}{
		"all":                {headers: []string{"x-api-key", "k-1", "X-CLIENT-ID", "c-1"}, reason: "ok"},
		"one":                {policy: two[:1], headers: []string{"X-Api-Key", "k-1"}, reason: "ok"},
		"none":               {cause: webhook.CauseHeaderMissing, reason: "missing", header: "X-Api-Key"},
		"second missing":     {headers: []string{"X-Api-Key", "k-1"}, cause: webhook.CauseHeaderMissing, reason: "missing", header: "X-Client-Id"},
		"first wrong":        {headers: []string{"X-Api-Key", "k-2", "X-Client-Id", "c-1"}, cause: webhook.CauseHeaderMismatch, reason: "mismatch", header: "X-Api-Key"},
		"second wrong":       {headers: []string{"X-Api-Key", "k-1", "X-Client-Id", "c-2"}, cause: webhook.CauseHeaderMismatch, reason: "mismatch", header: "X-Client-Id"},
		"longer":             {headers: []string{"X-Api-Key", "k-11", "X-Client-Id", "c-1"}, cause: webhook.CauseHeaderMismatch, reason: "mismatch", header: "X-Api-Key"},
		"empty":              {headers: []string{"X-Api-Key", "", "X-Client-Id", "c-1"}, cause: webhook.CauseHeaderMismatch, reason: "mismatch", header: "X-Api-Key"},
		"capitals count":     {headers: []string{"X-Api-Key", "K-1", "X-Client-Id", "c-1"}, cause: webhook.CauseHeaderMismatch, reason: "mismatch", header: "X-Api-Key"},
		"twice":              {headers: []string{"X-Api-Key", "k-1", "X-Api-Key", "k-1", "X-Client-Id", "c-1"}, cause: webhook.CauseHeaderMismatch, reason: "repeated", header: "X-Api-Key"},
		"no value kept":      {policy: []webhook.HeaderSecret{{Name: "X-Api-Key"}}, headers: []string{"X-Api-Key", ""}, cause: webhook.CauseHeaderMismatch, reason: "no_value", header: "X-Api-Key"},
		"older, in overlap":  {policy: []webhook.HeaderSecret{replaced(time.Hour)}, headers: []string{"X-Api-Key", "old"}, reason: "ok"},
		"newer, in overlap":  {policy: []webhook.HeaderSecret{replaced(time.Hour)}, headers: []string{"X-Api-Key", "new"}, reason: "ok"},
		"older, at its end":  {policy: []webhook.HeaderSecret{replaced(0)}, headers: []string{"X-Api-Key", "old"}, reason: "ok"},
		"older, after it":    {policy: []webhook.HeaderSecret{replaced(-time.Second)}, headers: []string{"X-Api-Key", "old"}, cause: webhook.CauseHeaderMismatch, reason: "retired", header: "X-Api-Key"},
		"newer, after it":    {policy: []webhook.HeaderSecret{replaced(-time.Second)}, headers: []string{"X-Api-Key", "new"}, reason: "ok"},
		"both at once":       {policy: []webhook.HeaderSecret{replaced(time.Hour)}, headers: []string{"X-Api-Key", "old", "X-Api-Key", "new"}, cause: webhook.CauseHeaderMismatch, reason: "repeated", header: "X-Api-Key"},
		"no value, not sent": {policy: []webhook.HeaderSecret{{Name: "X-Api-Key"}}, cause: webhook.CauseHeaderMismatch, reason: "no_value", header: "X-Api-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := c.policy
			if policy == nil {
				policy = two
			}
			got := only(t, webhook.Policy{Headers: policy}, request(t, c.headers...))
			if got.Cause != c.cause || got.ReasonID != "verify.header."+c.reason {
				t.Errorf("got %q, %s", got.Cause, got.ReasonID)
			}
			if c.header != "" && got.Args[1] != c.header {
				t.Errorf("names %v, want %s", got.Args[1], c.header)
			}
		})
	}
}

// replaced is a header whose value was rotated; the older one is good for so long after the receipt.
func replaced(left time.Duration) webhook.HeaderSecret {
	return webhook.HeaderSecret{Name: "X-Api-Key", Secrets: []webhook.Secret{{Key: []byte("new")}, {Key: []byte("old"), NotAfter: at.Add(left)}}}
}

func TestToken(t *testing.T) {
	t.Parallel()
	issued := sha256.Sum256([]byte("tok"))
	state := func(s webhook.TokenState) func([sha256.Size]byte, time.Time) webhook.TokenState {
		return func(sum [sha256.Size]byte, when time.Time) webhook.TokenState {
			if sum != issued || !when.Equal(at) {
				return webhook.TokenUnknown
			}
			return s
		}
	}
	for name, c := range map[string]struct {
		state   webhook.TokenState
		headers []string
		cause   webhook.Cause
		reason  string
	}{
		"valid":          {webhook.TokenValid, bearer("tok"), "", "ok"},
		"expired":        {webhook.TokenExpired, bearer("tok"), webhook.CauseTokenExpired, "expired"},
		"revoked":        {webhook.TokenRevoked, bearer("tok"), webhook.CauseTokenRevoked, "revoked"},
		"unknown":        {webhook.TokenUnknown, bearer("tok"), webhook.CauseTokenUnknown, "unknown"},
		"a state unsaid": {"", bearer("tok"), webhook.CauseTokenUnknown, "unknown"},
		"another":        {webhook.TokenValid, bearer("tok2"), webhook.CauseTokenUnknown, "unknown"},
		"missing":        {webhook.TokenValid, nil, webhook.CauseTokenMissing, "missing"},
		"basic":          {webhook.TokenValid, []string{"Authorization", "Basic tok"}, webhook.CauseTokenMissing, "missing"},
		"twice":          {webhook.TokenValid, append(bearer("tok"), bearer("x")...), webhook.CauseTokenUnknown, "repeated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, webhook.Policy{Token: &webhook.TokenPolicy{Valid: state(c.state)}}, request(t, c.headers...))
			if got.Cause != c.cause || got.ReasonID != "verify.token."+c.reason {
				t.Errorf("got %q, %s", got.Cause, got.ReasonID)
			}
		})
	}
	if got := only(t, webhook.Policy{Token: &webhook.TokenPolicy{}}, request(t, bearer("tok")...)); got.Cause != webhook.CauseTokenUnknown {
		t.Errorf("without anybody to ask: %q", got.Cause)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	known := []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/64")}
	fresh, old := at.Add(-6*24*time.Hour), at.Add(-8*24*time.Hour)
	for name, c := range map[string]struct {
		addr      string
		known     []netip.Prefix
		refreshed time.Time
		enforced  webhook.Result // what enforcing makes of it; warning makes no Fail
		reason    string
	}{
		"known":                  {"192.0.2.7", known, fresh, webhook.Pass, "ok"},
		"known through IPv6":     {"::ffff:192.0.2.7", known, fresh, webhook.Pass, "ok"},
		"known network":          {"2001:db8::1", known, fresh, webhook.Pass, "ok"},
		"known, in a zone":       {"2001:db8::1%eth0", known, fresh, webhook.Pass, "ok"},
		"known, list old":        {"192.0.2.7", known, old, webhook.Warn, "known_stale"},
		"known, never refreshed": {"192.0.2.7", known, time.Time{}, webhook.Warn, "known_stale"},
		"unknown":                {"192.0.2.8", known, fresh, webhook.Fail, "unknown"},
		"unknown, list old":      {"192.0.2.8", known, old, webhook.Fail, "unknown_stale"},
		"no list":                {"192.0.2.7", nil, time.Time{}, webhook.Fail, "no_list"},
		"no address":             {"", known, fresh, webhook.Fail, "unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t)
			if c.addr != "" {
				r.Addr = netip.MustParseAddr(c.addr)
			}
			p := webhook.AddressPolicy{Mode: webhook.AddressEnforce, Known: c.known, RefreshedAt: c.refreshed}
			got := only(t, webhook.Policy{Addresses: &p}, r)
			if got.Result != c.enforced || got.ReasonID != "verify.address."+c.reason || (got.Cause == webhook.CauseAddressUnknown) != (c.enforced == webhook.Fail) {
				t.Errorf("enforced: %s, %q, %s", got.Result, got.Cause, got.ReasonID)
			}
			p.Mode = webhook.AddressWarn
			want := c.enforced
			if want == webhook.Fail {
				want = webhook.Warn
			}
			if got := only(t, webhook.Policy{Addresses: &p}, r); got.Result != want || got.Cause != "" {
				t.Errorf("warned: %s, %q, want %s", got.Result, got.Cause, want)
			}
			p.Mode = webhook.AddressOff
			if out := webhook.Verify(webhook.Policy{Addresses: &p}, r); len(out.Checks) != 0 || out.Refused {
				t.Errorf("off: %+v", out)
			}
		})
	}
}
