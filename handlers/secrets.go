package handlers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// overlaps are how long older secrets may stay good beside a new one.
var overlaps = map[string]time.Duration{"0h": 0, "1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}

const overlapDefault = db.VendorOverlap

// addSecret adds or rotates a secret. One made here is shown once, on this answer.
func (c *Console) addSecret(w http.ResponseWriter, r *http.Request) error {
	s, form, err := c.openHook(r)
	if err != nil {
		return err
	}
	page, err := c.subscriptionPage(w, r, s)
	if err != nil {
		return err
	}
	typed := views.SecretValues{Kind: form.Get("kind"), Name: form.Get("name"), Text: form.Raw("text"), Raw: form.Bool("raw"), Overlap: form.Get("overlap")}
	n := db.NewSecret{Kind: webhook.SecretKind(typed.Kind), Name: typed.Name, Text: typed.Text, Raw: typed.Raw, Overlap: overlaps[typed.Overlap]}
	if _, known := overlaps[typed.Overlap]; !known {
		n.Overlap = overlapDefault // a rotation never loses anything unless told to
	}
	made := n.Text == "" || n.Kind == webhook.KindClient
	if page.SecretErrors = checkSecret(&n); len(page.SecretErrors) > 0 {
		page.Secret = typed
		page.Secret.Text = "" // never sent back
		return web.Invalid(w, r, views.Subscription(page))
	}
	_, err = c.DB.AddSecret(r.Context(), s.UID, n, visitOf(r).actor)
	if errors.Is(err, db.ErrTooManySecrets) {
		page.Secret = typed
		page.Secret.Text = "" // never sent back
		page.SecretErrors = map[string]views.Note{"text": {ID: "hooks.secret.too_many", Args: []any{"Max", webhook.MaxSecrets}}}
		return web.Invalid(w, r, views.Subscription(page))
	} else if err != nil {
		return failed(err)
	}
	var shown []views.OnceSecret
	if made {
		shown = append(shown, views.OnceSecret{Kind: string(n.Kind), Name: n.Name, Text: n.Text})
	}
	if s.Dialect == lookup.Buro && n.Kind != webhook.KindSignature {
		// The vendor shows us this one from now on; what it has sent until then passes by the ones before.
		more, err := c.announce(r.Context(), s)
		if err != nil {
			return c.vendorFailed(w, r, s, err)
		}
		shown = append(shown, more...)
	}
	if len(shown) == 0 {
		return c.done(w, r, hookPath(s), "subscriptions.flash.secret_added")
	}
	return c.showSecrets(w, r, s, shown)
}

// makeSecrets makes what a subscription asks for and has no live secret of, so that the vendor can be told one.
func (c *Console) makeSecrets(ctx context.Context, s webhook.Subscription) (made []views.OnceSecret, err error) {
	has, err := c.DB.VendorAuth(ctx, s)
	if err != nil || has.Kind() != "" {
		return nil, err
	}
	for kind, asked := range map[webhook.SecretKind]bool{webhook.KindJWT: s.JWT, webhook.KindHeader: s.Headers, webhook.KindClient: s.Token} {
		if !asked {
			continue
		}
		n := db.NewSecret{Kind: kind, Overlap: overlapDefault}
		if kind == webhook.KindHeader {
			n.Name = defaultHeader
		}
		checkSecret(&n) // makes the text
		if _, err := c.DB.AddSecret(ctx, s.UID, n, audit.Actor{Name: "cotejo"}); err != nil {
			return nil, err
		}
		made = append(made, views.OnceSecret{Kind: string(kind), Name: n.Name, Text: n.Text})
	}
	return made, nil
}

// defaultHeader is the header that Buró is told to send when nobody named one.
const defaultHeader = "X-Cotejo-Key"

// showSecrets answers the act that made secrets with the subscription's page, and the secrets on it this once.
func (c *Console) showSecrets(w http.ResponseWriter, r *http.Request, s webhook.Subscription, once []views.OnceSecret) error {
	s, err := c.DB.Hook(r.Context(), s.Environment, s.UID) // with the secret among its notes
	if err != nil {
		return failed(err)
	}
	page, err := c.subscriptionPage(w, r, s)
	if err != nil {
		return err
	}
	page.Once = once
	return web.Render(w, r, http.StatusOK, views.Subscription(page))
}

// checkSecret judges a secret at its field and makes one where none was typed.
func checkSecret(n *db.NewSecret) map[string]views.Note {
	problems := map[string]views.Note{}
	var err error
	switch n.Kind {
	case webhook.KindSignature:
		if n.Text == "" {
			n.Text, n.Raw = newHookToken(), false
		}
		_, err = webhook.DecodeSecret(n.Text, n.Raw)
	case webhook.KindStandard:
		if n.Text == "" {
			var raw [32]byte
			rand.Read(raw[:])
			n.Text = "whsec_" + base64.StdEncoding.EncodeToString(raw[:])
		}
		_, err = webhook.DecodeStandardSecret(n.Text)
	case webhook.KindJWT:
		if n.Text == "" {
			n.Text = newHookToken()
		}
		_, err = webhook.DecodeSecret(n.Text, true)
	case webhook.KindHeader:
		if id := webhook.CheckHeaderName(n.Name); id != "" {
			problems["name"] = views.Note{ID: id}
		}
		if n.Text == "" {
			n.Text = newHookToken()
		}
		_, err = webhook.DecodeSecret(n.Text, true)
	case webhook.KindClient:
		// A client of our token endpoint: both halves are made here, so that neither is weak.
		n.Name, n.Text = "cotejo-"+strings.ToLower(rand.Text())[:12], newHookToken()
	default:
		problems["kind"] = views.Note{ID: "hooks.secret.kind_bad"}
	}
	if n.Kind != webhook.KindHeader && n.Kind != webhook.KindClient {
		n.Name = ""
	}
	var wrong *webhook.SecretError
	if errors.As(err, &wrong) {
		problems["text"] = views.Note{ID: wrong.ReasonID}
	}
	return problems
}

func (c *Console) endSecret(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	secret, err := uuid.Parse(r.PathValue("secret"))
	if err != nil {
		return web.NotFound(err)
	}
	if err := c.DB.EndSecret(r.Context(), s.UID, secret, visitOf(r).actor); err != nil {
		return failed(err)
	}
	if s.Dialect != lookup.Buro {
		return c.done(w, r, hookPath(s), "subscriptions.flash.secret_ended")
	}
	return c.announced(w, r, s, "subscriptions.flash.secret_ended") // it may have been the one that the vendor shows
}

func (c *Console) revokeTokens(w http.ResponseWriter, r *http.Request) error {
	s, _, err := c.openHook(r)
	if err != nil {
		return err
	}
	if err := c.DB.RevokeTokens(r.Context(), s.UID, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, hookPath(s), "subscriptions.flash.revoked")
}
