package sandbox

import "testing"

func TestCreatedThenOutcome(t *testing.T) {
	t.Parallel()
	for _, p := range people {
		t.Run(p.Status+" "+p.Details, func(t *testing.T) {
			t.Parallel()
			b, r := open(t, Config{}), receive(t, nil)
			b.subscribe(r.URL, "")
			made := b.create(p.CURP)
			for _, want := range []struct{ action, details string }{{"login.created", "pending_for_data"}, {"login." + p.Status, p.Details}} {
				got := r.next(t).event.Data
				details := ""
				if got.StatusDetails != nil {
					details = *got.StatusDetails
				}
				if got.WebhookAction != want.action || details != want.details || got.AccountID != made.AccountID || string(got.ExternalID) != `"None"` {
					t.Errorf("got %+v (%s), want %v", got, details, want)
				}
			}
		})
	}
}
