package views

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/webhook"
)

func subscriptionPath(id uuid.UUID, act string) string {
	path := "/subscriptions/" + id.String()
	if act != "" {
		path += "/" + act
	}
	return path
}

// subscriptionState names the badge of a subscription: vendor_off (the vendor switched it off by itself), unregistered,
// off or active.
func subscriptionState(s webhook.Subscription) string {
	switch {
	case !s.Active:
		return "off"
	case s.VendorID == "":
		return "unregistered"
	case !s.VendorSeenAt.IsZero() && !s.VendorActive:
		return "vendor_off"
	}
	return "active"
}

// subscriptionMark borrows the icons and colours of statuses: they are the ones a reader knows.
func subscriptionMark(state string) string {
	switch state {
	case "active":
		return "success"
	case "vendor_off":
		return "error"
	case "unregistered":
		return "incomplete"
	}
	return "ignored"
}

// asks says what a subscription wants of a request, one phrase per authentication.
func asks(p Page, s webhook.Subscription) []string {
	var list []string
	add := func(asked bool, id string, kv ...any) {
		if asked {
			list = append(list, p.T(id, kv...))
		}
	}
	add(s.Signature == webhook.SignatureRequired, "hooks.asks.signature", "Header", s.SignatureHeader)
	add(s.Signature == webhook.SignatureOptional, "hooks.asks.signature_optional", "Header", s.SignatureHeader)
	add(s.JWT, "hooks.asks.jwt")
	add(s.Headers, "hooks.asks.headers")
	add(s.Token, "hooks.asks.token")
	add(s.Standard, "hooks.asks.standard")
	add(s.Addresses == webhook.AddressEnforce, "hooks.asks.addresses")
	add(s.Addresses == webhook.AddressWarn, "hooks.asks.addresses_warn")
	if len(list) == 0 {
		list = append(list, p.T("hooks.asks.nothing"))
	}
	return list
}

// eventsWords lists what a subscription is told about.
func eventsWords(p Page, events []string) string {
	if len(events) == 1 && events[0] == webhookAll {
		return p.T("hooks.event.every")
	}
	return strings.Join(events, ", ")
}

// webhookAll is the vendors' word for every event.
const webhookAll = "*"

// counted lists the verdicts of which anything arrived.
func counted(s webhook.Subscription) []webhook.Verdict {
	var list []webhook.Verdict
	for _, verdict := range webhook.Verdicts {
		if s.Counts[verdict] > 0 {
			list = append(list, verdict)
		}
	}
	return list
}

// countWords says a count of one verdict, "3 rechazadas".
func countWords(p Page, s webhook.Subscription, verdict webhook.Verdict) string {
	return p.T("hooks.count."+string(verdict), "Count", s.Counts[verdict])
}

// deliveriesOf is the list of a subscription's deliveries of one verdict.
func deliveriesOf(s webhook.Subscription, verdict webhook.Verdict) string {
	return DeliveryFilterValues{Subscription: s.UID.String(), Verdict: string(verdict)}.url()
}

// vendorOff lists the subscriptions that the vendor switched off by itself, the loudest thing this page can say.
func (v SubscriptionsPage) vendorOff() []webhook.Subscription {
	var list []webhook.Subscription
	for _, s := range v.List {
		if subscriptionState(s) == "vendor_off" {
			list = append(list, s)
		}
	}
	return list
}

// failing lists those that refuse a good part of what they get: at least three, and one of ten.
func (v SubscriptionsPage) failing() []webhook.Subscription {
	var list []webhook.Subscription
	for _, s := range v.List {
		var all int64
		for _, n := range s.Counts {
			all += n
		}
		if refused := s.Counts[webhook.Refused]; refused >= 3 && refused*10 >= all {
			list = append(list, s)
		}
	}
	return list
}

// mendPath is where the button of a difference leads.
func (d HookDifference) mendPath() string {
	if d.Kind == DiffMissingHere {
		return "/subscriptions/forget"
	}
	return subscriptionPath(d.UID, "mend")
}

// diffActive is DiffInactiveThere the other way round: the hook is off here and on there.
const diffActive = "active_there"

func (v SubscriptionsPage) kind(d HookDifference) string {
	off := func(s webhook.Subscription) bool { return s.UID == d.UID && !s.Active }
	if d.Kind == DiffInactiveThere && slices.ContainsFunc(v.List, off) {
		return diffActive
	}
	return d.Kind
}

func (v SubscriptionsPage) says(d HookDifference, part string) string {
	return v.T("hooks.diff."+v.kind(d)+"."+part, "Name", orElse(d.Name, v.T("hooks.unnamed")))
}

// compared is when the list was last held against the vendor's: the earliest of all, zero when one never was.
func (v SubscriptionsPage) compared() time.Time {
	var at time.Time
	for i, s := range v.List {
		if i == 0 || s.VendorSeenAt.Before(at) {
			at = s.VendorSeenAt
		}
	}
	return at
}

func differenceIcon(kind string) string {
	switch kind {
	case DiffMissingHere:
		return "x"
	case DiffInactiveThere:
		return "play"
	case diffActive:
		return "pause"
	}
	return "send"
}
