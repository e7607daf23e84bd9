package db_test

import (
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// hookSettings ask for nothing, as the form has them.
func hookSettings(change ...func(*webhook.Settings)) webhook.Settings {
	s := webhook.Settings{Signature: webhook.SignatureOff, SignatureHeader: webhook.DefaultSignatureHeader, SignatureEncoding: webhook.Base64,
		Addresses: webhook.AddressOff, WindowMinutes: 20}
	for _, f := range change {
		f(&s)
	}
	return s
}

// everything asks for all that can be asked for together.
func everything(s *webhook.Settings) {
	s.Signature, s.JWT, s.Headers, s.Standard, s.Addresses = webhook.SignatureRequired, true, true, true, webhook.AddressEnforce
}

func (b *bench) secret(hook uuid.UUID, kind webhook.SecretKind, name, text string, overlap time.Duration) uuid.UUID {
	b.t.Helper()
	uid, err := b.AddSecret(b.ctx, hook, db.NewSecret{Kind: kind, Name: name, Text: text, Raw: true, Overlap: overlap}, b.by)
	b.must(err)
	return uid
}

func TestHookRoundTrip(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	made, err := b.AddHook(b.ctx, b.sandbox, "Otra", "a token of its own", []string{"login.success"}, hookSettings(everything), b.by)
	b.must(err)
	found, policy, err := b.HookByToken(b.ctx, "a token of its own")
	b.must(err)
	if diff := cmp.Diff(hookSettings(everything), found.Settings); diff != "" || found.UID != made.UID || !cmp.Equal(found.Events, []string{"login.success"}) {
		t.Errorf("%s %+v", diff, found)
	}
	if got := policy.String(); got != "signature+jwt+headers+standard+address" {
		t.Errorf("asks for %s", got)
	}
	// Everything is asked for and nothing is set: nothing passes, and each check says so.
	outcome := webhook.Verify(policy, webhook.Request{Method: "POST", Body: []byte("{}"), At: time.Now()})
	for _, c := range outcome.Checks {
		if c.Result != webhook.Fail {
			t.Errorf("%s: %s", c.Scheme, c.Result)
		}
	}
	if _, err := b.Hook(b.ctx, lookup.Production, made.UID); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("in the other environment: %v", err)
	}
	b.must(b.ChangeHook(b.ctx, made.UID, "Nueva", []string{"*"}, hookSettings(), b.by))
	b.must(b.SawHook(b.ctx, made.UID, "vendor-7", true))
	// A list that was asked for before the hook was registered anew says nothing of what it is now.
	b.must(b.ComparedHook(b.ctx, made.UID, "vendor-6", false))
	changed, err := b.Hook(b.ctx, lookup.Sandbox, made.UID)
	b.must(err)
	if changed.Name != "Nueva" || changed.VendorID != "vendor-7" || !changed.VendorActive || changed.Asks() || changed.ChangedBy != b.by.Name || changed.TokenTail == "" {
		t.Errorf("changed: %+v", changed)
	}
	b.secret(made.UID, webhook.KindJWT, "", "a secret to go", 0)
	b.must(b.DeleteHook(b.ctx, made.UID, b.by))
	if _, _, err := b.HookByToken(b.ctx, "a token of its own"); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	for name, act := range map[string]func() error{
		"change": func() error { return b.ChangeHook(b.ctx, made.UID, "x", nil, hookSettings(), b.by) },
		"switch": func() error { return b.SwitchHook(b.ctx, made.UID, true, b.by) },
		"delete": func() error { return b.DeleteHook(b.ctx, made.UID, b.by) },
		"show":   func() error { _, err := b.HookAddress(b.ctx, made.UID, b.by); return err },
	} {
		if err := act(); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s of a deleted one: %v", name, err)
		}
	}
	if n := value[int](b, `select count(*) from subscription_secrets`); n != 0 {
		t.Errorf("%d secrets of a deleted one", n)
	}
}

func TestSecretsOfAHook(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(b.ChangeHook(b.ctx, b.hook.UID, "hook", []string{"*"}, hookSettings(everything), b.by))
	const old, replacement = "the old secret text", "the new secret text"
	b.secret(b.hook.UID, webhook.KindJWT, "", old, 0)
	b.secret(b.hook.UID, webhook.KindJWT, "", replacement, time.Hour)
	b.secret(b.hook.UID, webhook.KindHeader, "X-Lender", old, 0)
	b.secret(b.hook.UID, webhook.KindHeader, "x-lender", replacement, time.Hour)
	b.secret(b.liveHook.UID, webhook.KindJWT, "", "of another hook", 0)
	hook, policy, err := b.HookByToken(b.ctx, "token of sandbox")
	b.must(err)
	if len(policy.JWT.Secrets) != 2 || string(policy.JWT.Secrets[0].Key) != replacement || !policy.JWT.Secrets[0].NotAfter.IsZero() ||
		time.Until(policy.JWT.Secrets[1].NotAfter) < 59*time.Minute {
		t.Errorf("%d secrets: newest first, the older with an end in an hour", len(policy.JWT.Secrets))
	}
	if h := policy.Headers; len(h) != 1 || len(h[0].Secrets) != 2 || string(h[0].Secrets[0].Key) != replacement || !h[0].Secrets[0].NotAfter.IsZero() ||
		time.Until(h[0].Secrets[1].NotAfter) < 59*time.Minute {
		t.Errorf("%d headers of one name, want its two values, the newest first", len(h))
	}
	if len(hook.Secrets) == 0 || hook.Secrets[0].Name == "" {
		t.Error("the names of secret headers are not noted")
	}
	for text, want := range map[string]bool{old: true, replacement: true, "": false, "of another hook": false} {
		if has, err := b.HasSecret(b.ctx, b.hook.UID, webhook.KindJWT, text); err != nil || has != want {
			t.Errorf("has %q: %v %v", text, has, err)
		}
	}
	for _, text := range []string{old, replacement} {
		if n := value[int](b, `select count(*) from subscription_secrets where position($1::bytea in sealed) > 0`, []byte(text)); n != 0 {
			t.Errorf("%d secrets in the clear", n)
		}
	}
	// A secret sealed for one row opens in no other.
	b.exec(`update subscription_secrets set sealed = (select sealed from subscription_secrets order by id limit 1) where subscription_id = $1`, b.liveHook.ID)
	b.must(b.ChangeHook(b.ctx, b.liveHook.UID, "hook", []string{"*"}, hookSettings(everything), b.by))
	if _, _, err := b.HookByToken(b.ctx, "token of production"); err == nil || strings.Contains(err.Error(), old) {
		t.Errorf("a secret of another row: %v", err)
	}
}

func TestAtMostThreeSecrets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range webhook.MaxSecrets {
		b.secret(b.hook.UID, webhook.KindSignature, "", "text", time.Hour)
	}
	more := db.NewSecret{Kind: webhook.KindSignature, Text: "text", Raw: true, Overlap: time.Hour}
	if _, err := b.AddSecret(b.ctx, b.hook.UID, more, b.by); !errors.Is(err, db.ErrTooManySecrets) {
		t.Errorf("the fourth: %v", err)
	}
	more.Overlap = 0
	if _, err := b.AddSecret(b.ctx, b.hook.UID, more, b.by); err != nil {
		t.Errorf("one that ends the others at once: %v", err)
	}
	if n := value[int](b, `select count(*) from subscription_secrets where expires_at is null or expires_at > clock_timestamp()`); n != 1 {
		t.Errorf("%d live", n)
	}
	b.secret(b.hook.UID, webhook.KindHeader, "X-A", "text", time.Hour) // another kind has its own three
}

func TestTokensOfAHook(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(b.ChangeHook(b.ctx, b.hook.UID, "hook", []string{"*"}, hookSettings(func(s *webhook.Settings) { s.Token = true }), b.by))
	b.secret(b.hook.UID, webhook.KindClient, "cotejo-a", "client secret", 0)
	b.secret(b.hook.UID, webhook.KindClient, "cotejo-b", "client secret", 0) // beside it, not instead
	_, policy, err := b.HookByToken(b.ctx, "token of sandbox")
	b.must(err)
	now := time.Now()
	for _, client := range []string{"cotejo-a", "cotejo-b"} {
		b.must(b.IssueToken(b.ctx, client, "client secret", "token of "+client, time.Hour))
	}
	for name, wrong := range map[string][2]string{"secret": {"cotejo-a", "Client secret"}, "client": {"cotejo-c", "client secret"}, "NUL": {"a\x00", "x"}, "bytes": {"\xff", "x"}} {
		if err := b.IssueToken(b.ctx, wrong[0], wrong[1], "x", time.Hour); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
	state := func(token string, at time.Time, want webhook.TokenState) {
		t.Helper()
		if got := policy.Token.Valid(sha256.Sum256([]byte(token)), at); got != want {
			t.Errorf("%s at %v: %s, want %s", token, at.Sub(now).Round(time.Minute), got, want)
		}
	}
	state("token of cotejo-a", now, webhook.TokenValid)
	state("token of cotejo-b", now.Add(59*time.Minute), webhook.TokenValid)
	state("token of cotejo-b", now.Add(61*time.Minute), webhook.TokenExpired)
	state("token of nobody", now, webhook.TokenUnknown)
	b.must(b.RevokeTokens(b.ctx, b.hook.UID, b.by))
	state("token of cotejo-a", now, webhook.TokenValid) // as of its receipt, before
	state("token of cotejo-a", time.Now().Add(time.Minute), webhook.TokenRevoked)
	_, other, err := b.HookByToken(b.ctx, "token of production")
	b.must(err)
	if other.Token != nil {
		t.Error("a hook that asks for no token has a policy of them")
	}
}

func TestOutboundAddresses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, second := netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/64")
	b.must(b.SetOutbound(b.ctx, b.sandbox.ID, []netip.Prefix{first}, b.by))
	b.must(b.SetOutbound(b.ctx, b.sandbox.ID, []netip.Prefix{second, netip.MustParsePrefix("2001:db8::7/64"), second}, b.by)) // as carelessly as a list may be written
	known := func() []string {
		t.Helper()
		p, err := b.Outbound(b.ctx, b.sandbox.ID)
		b.must(err)
		var list []string
		for _, prefix := range p.Known {
			list = append(list, prefix.String())
		}
		return list
	}
	if got := known(); !cmp.Equal(got, []string{first.String(), second.String()}) {
		t.Errorf("both lists hold for a week: %v", got)
	}
	b.exec(`update outbound_addresses set seen_at = now() - interval '9 days' where address = $1`, first)
	b.must(b.SetOutbound(b.ctx, b.sandbox.ID, []netip.Prefix{second}, b.by))
	if got := known(); !cmp.Equal(got, []string{second.String()}) {
		t.Errorf("what was not listed for over a week: %v", got)
	}
	if p, err := b.Outbound(b.ctx, b.production.ID); err != nil || len(p.Known) != 0 {
		t.Errorf("of the other connection: %v %v", p.Known, err)
	}
}
