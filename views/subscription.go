package views

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// Adding tells whether the page is the form of a new subscription.
func (v SubscriptionPage) Adding() bool { return v.Subscription.UID == uuid.Nil }

func (v SubscriptionPage) path(act string) string { return subscriptionPath(v.Subscription.UID, act) }

func (v SubscriptionPage) action() templ.SafeURL {
	if v.Adding() {
		return v.Act("/subscriptions")
	}
	return templ.SafeURL(v.path(""))
}

// events are the boxes to tick: every event, those that the dialect documents, and any other that was chosen before.
func (v SubscriptionPage) events() []string {
	list := append([]string{webhookAll}, v.Offered...)
	for _, event := range v.Values.Events {
		if !slices.Contains(list, event) {
			list = append(list, event)
		}
	}
	return list
}

// eventWord explains an event that we know, and gives "" for one that we do not.
func eventWord(p Page, event string) string {
	id := "hooks.event." + strings.ReplaceAll(event, ".", "_")
	if event == webhookAll {
		id = "hooks.event.all"
	}
	if !p.P.Has(id) {
		return ""
	}
	return p.T(id)
}

func (v SubscriptionPage) buro() bool { return v.Dialect == lookup.Buro }

// renewable tells whether the vendor has a key of its own for this subscription, which it can be asked to replace.
func (v SubscriptionPage) renewable() bool {
	return v.Subscription.VendorID != "" && v.Subscription.Signature != webhook.SignatureOff
}

// onceHow says what to do with a secret that is shown once: Buró was told it by its API.
func (v SubscriptionPage) onceHow() string {
	if v.buro() {
		return v.T("hooks.once.told")
	}
	return v.T("hooks.once.how")
}

// addressWord writes one address or a block of them.
func addressWord(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func signatureOptions(p Page) []Option {
	return options(p, "hooks.signature.", webhook.SignatureOff, webhook.SignatureOptional, webhook.SignatureRequired)
}

func addressOptions(p Page) []Option {
	return options(p, "hooks.addresses.", webhook.AddressOff, webhook.AddressWarn, webhook.AddressEnforce)
}

// options offers values with the word and the sentence that a group of messages has for each.
func options[V ~string](p Page, group string, values ...V) []Option {
	list := make([]Option, len(values))
	for i, value := range values {
		list[i] = Option{Value: string(value), Word: p.T(group + string(value)), Help: p.T(group + string(value) + "_why")}
	}
	return list
}

// encodingOptions need no translation: the names are the standards' own.
func encodingOptions(p Page) []Option {
	list := make([]Option, len(webhook.Encodings))
	for i, e := range webhook.Encodings {
		list[i] = Option{Value: string(e), Word: p.T("hooks.encoding." + string(e))}
	}
	return list
}

func kindOptions(p Page) []Option {
	list := make([]Option, len(SecretKinds))
	for i, kind := range SecretKinds {
		list[i] = Option{Value: string(kind), Word: p.T("hooks.kind." + string(kind))}
	}
	return list
}

func overlapOptions(p Page) []Option {
	list := make([]Option, len(Overlaps))
	for i, overlap := range Overlaps {
		list[i] = Option{Value: overlap, Word: p.T("hooks.overlap.for_" + overlap)}
	}
	return list
}

// secretGroup is what a subscription has of one kind of secret.
type secretGroup struct {
	Kind  webhook.SecretKind
	Notes []webhook.SecretNote // the newest first
	Asked bool                 // the settings need it
	Live  int
}

// secretGroups lists the kinds of which there is a secret or one is needed.
func (v SubscriptionPage) secretGroups() []secretGroup {
	s := v.Subscription
	asked := map[webhook.SecretKind]bool{
		webhook.KindSignature: s.Signature == webhook.SignatureOptional || s.Signature == webhook.SignatureRequired,
		webhook.KindJWT:       s.JWT,
		webhook.KindHeader:    s.Headers,
		webhook.KindStandard:  s.Standard,
		webhook.KindClient:    s.Token,
	}
	var groups []secretGroup
	for _, kind := range SecretKinds {
		g := secretGroup{Kind: kind, Asked: asked[kind]}
		for _, note := range s.Secrets {
			if note.Kind != kind {
				continue
			}
			g.Notes = append(g.Notes, note)
			if !v.ended(note) {
				g.Live++
			}
		}
		slices.SortStableFunc(g.Notes, func(a, b webhook.SecretNote) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), b.CreatedAt.Compare(a.CreatedAt))
		})
		if g.Asked || len(g.Notes) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// missing tells whether everything that arrives is refused for want of a secret to compare with.
func (g secretGroup) missing() bool { return g.Asked && g.Live == 0 }

func (v SubscriptionPage) ended(note webhook.SecretNote) bool {
	return !note.ExpiresAt.IsZero() && !note.ExpiresAt.After(v.Now)
}

// clients are the ids that may ask our token endpoint for tokens.
func (v SubscriptionPage) clients() []string {
	var list []string
	for _, note := range v.Subscription.Secrets {
		if note.Kind == webhook.KindClient && !v.ended(note) && !slices.Contains(list, note.Name) {
			list = append(list, note.Name)
		}
	}
	return list
}

// secretErrors lists what is wrong with the form of a new secret. Its fields have ids of their own: a name stands in
// the form of the subscription too.
func (v SubscriptionPage) secretErrors() []FieldError {
	list := InOrder(v.SecretErrors, "kind", "name", "text", "overlap")
	for i := range list {
		if list[i].Field != "" {
			list[i].Field = "secret-" + list[i].Field
		}
	}
	return list
}

func (v SubscriptionPage) settingErrors() []FieldError {
	return InOrder(v.Errors, "name", "events", "signature", "signature_header", "signature_encoding", "jwt", "headers", "token", "standard", "addresses", "window")
}

// overlap is the choice offered: a day unless another was made.
func (v SubscriptionPage) overlap() string { return orElse(v.Secret.Overlap, "24h") }

func (v SubscriptionPage) tokenURL() string { return orElse(v.TokenURL, "/oauth/token") }

// ticked tells whether an event is chosen.
func (v SubscriptionPage) ticked(event string) bool { return slices.Contains(v.Values.Events, event) }
