package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"cotejo/db"
	"cotejo/internal/buro"
	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

// verify asks Buró for a verification, under a consent that it has recorded. Each creation may be billed and there are two
// a day (docs/vendor-buro.md#buro-limits), so nothing is created that may be there already.
func (w *createAccount) verify(ctx context.Context, c connection.Connection, e db.Errand) error {
	external := e.AttemptUID.String()
	making := &creation{db: w.db, attemptID: e.AttemptID}
	client, err := w.buro(ctx, c, making.before)
	if err != nil {
		return err
	}
	if !e.SentAt.IsZero() {
		v, ok, err := client.FindByExternalID(ctx, e.Identifier(), external)
		if err != nil {
			return unsure{fmt.Errorf("look for attempt %d at the vendor: %w", e.AttemptID, err)}
		}
		if ok {
			return w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: v.ID, Found: true})
		}
	}
	for {
		reused, err := w.consent(ctx, client, e)
		if err != nil {
			return aside{err}
		}
		making.now = true
		v, err := client.CreateVerification(ctx, e.Identifier(), external)
		making.now = false
		var refused *buro.Error
		if errors.As(err, &refused) && refused.ConsentRequired() && reused {
			// The vendor lost or ended what it held; it is told anew, once.
			if err := w.db.VendorConsentEnded(ctx, e); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		return w.db.AttemptTaken(ctx, e.AttemptID, db.Taken{AccountID: v.ID, Took: time.Since(making.began)})
	}
}

// In the sandbox a consent is nobody's, so what is not set up there need not stop a trial (RFC 2606, RFC 5737).
const (
	testNotice = "https://institucion.example/aviso-de-privacidad"
	testIP     = "192.0.2.1"
)

// errConsentIncomplete tells that our consent lacks what the vendor demands, which only a person can mend.
var errConsentIncomplete = errors.New("the consent has no address or no notice to link to")

// consent makes sure that the vendor has recorded our consent, and tells whether it had already. Its own expiry counts,
// and is never worked out (docs/vendor-buro.md#buro-consent).
func (w *createAccount) consent(ctx context.Context, client *buro.Client, e db.Errand) (reused bool, err error) {
	switch _, err := w.db.LiveVendorConsent(ctx, e); {
	case err == nil:
		return true, nil
	case !errors.Is(err, db.ErrNotFound):
		return false, err
	}
	ip, notice := e.Consent.IP, e.Consent.NoticeURL
	if e.Environment == lookup.Sandbox {
		ip, notice = cmp.Or(ip, testIP), cmp.Or(notice, testNotice)
	}
	began := time.Now()
	held, err := client.CreateConsent(ctx, e.Identifier(), ip, notice)
	var refused *buro.Error
	if errors.As(err, &refused) && refused.Code == buro.CodeBadRequest {
		return false, errConsentIncomplete
	}
	if err != nil {
		return false, err
	}
	return false, w.db.VendorConsented(ctx, e, held.ID, notice, held.ExpiresAt, time.Since(began))
}
