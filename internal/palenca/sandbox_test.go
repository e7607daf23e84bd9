package palenca_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/sandbox"
	"cotejo/internal/webhook"
)

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
	events := make(chan webhook.Event, 32)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := palenca.ParseEvent(body)
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		events <- e
	}))
	t.Cleanup(receiver.Close)

	creds := server.Credentials()
	c, err := palenca.New(palenca.Options{BaseURL: vendor.URL + "/v1", Environment: lookup.Sandbox, Key: creds.APIKey, WidgetID: creds.WidgetID})
	if err != nil {
		t.Fatal(err)
	}
	widgets, err := c.Widgets(ctx)
	if err != nil || len(widgets) != 1 || widgets[0].ID != creds.WidgetID {
		t.Fatalf("widgets: %+v, %v", widgets, err)
	}
	hook, err := c.CreateWebhook(ctx, palenca.Webhook{URL: receiver.URL, Name: "Cotejo", Sandbox: true})
	if err != nil || hook.ID == "" || hook.Secret != "" {
		t.Fatalf("webhook: %+v, %v", hook, err)
	}

	tests := []struct {
		curp, attempt string
		want          lookup.Report
		state         lookup.PullState
	}{
		{"GATA000408HTLRLLA7", "0199de73-356c-7b56-a1ef-ca91b6bdb771", lookup.Report{Phase: lookup.PhaseSucceeded}, lookup.PullComplete},
		{"ZUAL000827HMCXRSA8", "0199de73-356c-7b56-a1ef-ca91b6bdb772", lookup.Report{Phase: lookup.PhaseSucceeded}, lookup.PullEmpty},
		{"POTP910411HASBMP04", "0199de73-356c-7b56-a1ef-ca91b6bdb773", lookup.Report{Phase: lookup.PhaseIncomplete, Detail: "curp_has_inconsistencies"}, ""},
		{"AUAT940412HCLQQM08", "0199de73-356c-7b56-a1ef-ca91b6bdb774", lookup.Report{Phase: lookup.PhaseFailed, Detail: "service_degradation"}, ""},
	}
	for _, tt := range tests { // one after the other, so that each event belongs to the person just asked about
		if _, found, err := c.FindByExternalID(ctx, tt.attempt); err != nil || found {
			t.Fatalf("%s: found %v before its creation, %v", tt.attempt, found, err)
		}
		account, err := c.CreateAccount(ctx, tt.curp, lookup.IMSS, tt.attempt)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []lookup.Report{{Phase: lookup.PhaseOpened, Detail: "pending_for_data"}, tt.want} {
			select {
			case e := <-events:
				if e.Report != want || e.AccountID != account.ID || e.ExternalID != tt.attempt {
					t.Errorf("event %+v, want %+v of %s", e, want, account.ID)
				}
			case <-ctx.Done():
				t.Fatal("no event came")
			}
		}
		found, ok, err := c.FindByExternalID(ctx, tt.attempt)
		if err != nil || !ok || found.ID != account.ID || found.Report() != tt.want {
			t.Errorf("found %v %+v, %v", ok, found, err)
		}
		logins, err := c.Logins(ctx, account.ID)
		if err != nil || len(logins) != 1 || logins[0].Report() != tt.want {
			t.Errorf("logins %+v, %v", logins, err)
		}
		if tt.state == "" {
			continue
		}
		h, raw, err := c.Employment(ctx, account.ID)
		if err != nil || palenca.State(h) != tt.state || len(raw.Body) == 0 {
			t.Errorf("employment: %s, %v", palenca.State(h), err)
		}
		if g := employment.Gist(h); (g.Records > 0) != (tt.state == lookup.PullComplete) {
			t.Errorf("gist %+v", g)
		}
		p, _, err := c.Profile(ctx, account.ID)
		if err != nil || p.FullName() == "" || p.NSS() == "" {
			t.Errorf("profile: name given %v, NSS given %v, %v", p.FullName() != "", p.NSS() != "", err)
		}
	}

	hook.Events, hook.Active = []string{"login.error"}, true
	if _, err := c.UpdateWebhook(ctx, hook); err != nil {
		t.Error(err)
	}
	if err := c.DeleteWebhook(ctx, hook.ID); err != nil {
		t.Error(err)
	}
	if err := c.DeleteWebhook(ctx, hook.ID); err != nil {
		t.Errorf("deleting twice: %v", err)
	}
	if hooks, err := c.Webhooks(ctx); err != nil || len(hooks) != 0 {
		t.Errorf("webhooks left: %d, %v", len(hooks), err)
	}
}
