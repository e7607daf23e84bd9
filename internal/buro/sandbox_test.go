package buro_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/buro"
	"cotejo/internal/lookup"
	"cotejo/internal/sandbox"
	"cotejo/internal/webhook"
)

// arrival is one delivery as a receiver of ours got it.
type arrival struct {
	request webhook.Request
	event   webhook.Event
	facts   buro.Facts
}

// TestAgainstTheSandbox lets the client talk to the vendor in a box. The two share no code, so each is a check of how
// the other reads the vendor's pages.
func TestAgainstTheSandbox(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := sandbox.Open(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); server.Close() })
	vendor := httptest.NewServer(server.Handler())
	t.Cleanup(vendor.Close)
	arrivals := make(chan arrival, 32)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, f, err := buro.ParseEvent(body)
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		in := webhook.Request{Method: r.Method, Body: body, At: time.Now()}
		for name, values := range r.Header {
			for _, value := range values {
				in.Header = append(in.Header, webhook.Header{Name: name, Value: value})
			}
		}
		arrivals <- arrival{in, e, f}
	}))
	t.Cleanup(receiver.Close)
	c, err := buro.New(buro.Options{BaseURL: vendor.URL, Environment: lookup.Sandbox, Key: server.Credentials().BuroKey})
	if err != nil {
		t.Fatal(err)
	}

	address, description := receiver.URL, "Cotejo"
	hook, err := c.CreateWebhook(ctx, buro.WebhookChange{URL: &address, Description: &description,
		Authentication: &buro.Authentication{JWT: &buro.JWT{Secret: "0123456789abcdef0123456789abcdef", Lifetime: time.Hour}}})
	if err != nil || !hook.Active {
		t.Fatalf("webhook %v, active %v, %v", hook, hook.Active, err)
	}
	key, err := webhook.DecodeSecret(string(hook.Secret), false)
	if err != nil {
		t.Fatal(err)
	}
	policy := webhook.Policy{
		Signature: &webhook.SignaturePolicy{Required: true, Secrets: []webhook.Secret{{ID: "1", Key: key}}},
		JWT:       &webhook.JWTPolicy{Secrets: []webhook.Secret{{ID: "2", Key: []byte("0123456789abcdef0123456789abcdef")}}},
	}

	tests := []struct {
		identifier, attempt string
		want                lookup.Report
		entities            []string
		records             bool
	}{
		{"GATA000408HTLRLLA7", "0199de73-356c-7b56-a1ef-ca91b6bdb771", lookup.Report{Phase: lookup.PhaseSucceeded},
			[]string{"profile", "invoices", "employment", "employment_files"}, true},
		{"ZUAL000827HMCXRSA8", "0199de73-356c-7b56-a1ef-ca91b6bdb772", lookup.Report{Phase: lookup.PhaseSucceeded}, []string{"profile"}, false},
		{"POTP910411HASBMP04", "0199de73-356c-7b56-a1ef-ca91b6bdb773", lookup.Report{Phase: lookup.PhaseSucceeded, Detail: buro.DetailNoData}, nil, false},
		{"AUAT940412HCLQQM08", "0199de73-356c-7b56-a1ef-ca91b6bdb774", lookup.Report{Phase: lookup.PhaseFailed, Detail: buro.DetailRetry}, nil, false},
	}
	for _, tt := range tests { // one after the other, so that each event belongs to the person just asked about
		if _, err := c.CreateVerification(ctx, tt.identifier, tt.attempt); !refusedFor(err, buro.CodeConsentRequired) {
			t.Fatalf("without consent: %v", err)
		}
		if held, err := c.CreateConsent(ctx, tt.identifier, "192.0.2.7", "https://lender.example/privacy"); err != nil || !held.ExpiresAt.After(time.Now()) {
			t.Fatalf("consent %+v, %v", held, err)
		}
		if _, found, err := c.FindByExternalID(ctx, tt.identifier, tt.attempt); err != nil || found {
			t.Fatalf("found %v before its creation, %v", found, err)
		}
		v, err := c.CreateVerification(ctx, tt.identifier, tt.attempt)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case a := <-arrivals:
			if a.event.Report != tt.want || a.event.AccountID != v.ID || a.event.ExternalID != tt.attempt || a.facts.Identifier != tt.identifier ||
				!cmp.Equal(a.facts.Entities, tt.entities) {
				t.Errorf("event %+v, facts %+v, want %+v of %s", a.event, a.facts, tt.want, v.ID)
			}
			if out := webhook.Verify(policy, a.request); out.Cause != webhook.CauseNone {
				t.Errorf("the delivery is refused: %s", out.Cause)
			}
		case <-ctx.Done():
			t.Fatal("no event came")
		}
		found, ok, err := c.FindByExternalID(ctx, tt.identifier, tt.attempt)
		if err != nil || !ok || found.ID != v.ID || found.Report() != tt.want {
			t.Errorf("found %v %+v, %v", ok, found, err)
		}
		h, linked, raws, err := c.Employment(ctx, tt.identifier)
		if err != nil || len(h.Records) > 0 != tt.records || len(linked) > 0 != tt.records || len(linked) > 2 || len(raws) != 1 {
			t.Errorf("%d records, %d files, %d answers, %v", len(h.Records), len(linked), len(raws), err)
		}
		p, extra, _, err := c.Profile(ctx, tt.identifier)
		if known := len(tt.entities) > 0; err != nil || (p.NSS() != "") != known || (extra.EmploymentStatus != "") != known {
			t.Errorf("NSS given %v, status %q, %v", p.NSS() != "", extra.EmploymentStatus, err)
		}
		invoices, _, err := c.Invoices(ctx, tt.identifier)
		if err != nil || !invoices.Complete || len(invoices.List) > 0 != tt.records {
			t.Errorf("%d invoices, complete %v, %v", len(invoices.List), invoices.Complete, err)
		}
		files, _, err := c.EmploymentFiles(ctx, tt.identifier)
		if err != nil || len(files) > 0 != tt.records {
			t.Errorf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			data, contentType, err := c.FetchFile(ctx, f.URL)
			if err != nil || contentType != "application/pdf" || !strings.HasPrefix(string(data), "%PDF-") {
				t.Errorf("%s: %d bytes as %s, %v", f.Name, len(data), contentType, err)
			}
		}
		if _, _, _, err := c.Earnings(ctx, tt.identifier); err != nil {
			t.Error(err)
		}
	}

	if list, err := c.OutboundIPs(ctx); err != nil || len(list) == 0 {
		t.Errorf("addresses %v, %v", list, err)
	}
	off := false
	if got, err := c.UpdateWebhook(ctx, hook.ID, buro.WebhookChange{Active: &off}); err != nil || got.Active {
		t.Errorf("switched off: %v, %v", got.Active, err)
	}
	if hooks, err := c.Webhooks(ctx); err != nil || len(hooks) != 1 || hooks[0].Secret != "" {
		t.Errorf("%d webhooks, %v", len(hooks), err)
	}
	for range 2 { // the second finds nothing, which is what was wanted
		if err := c.DeleteWebhook(ctx, hook.ID); err != nil {
			t.Error(err)
		}
	}
}

func refusedFor(err error, code string) bool {
	var e *buro.Error
	return errors.As(err, &e) && e.Code == code
}
