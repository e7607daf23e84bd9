package webhook

import (
	"net/netip"
	"slices"
	"time"
)

// AddressMode says what becomes of a request from an unknown address.
type AddressMode string

const (
	AddressOff     AddressMode = "off"     // addresses are not looked at; also ""
	AddressWarn    AddressMode = "warn"    // noted beside the delivery
	AddressEnforce AddressMode = "enforce" // refused
)

// addressesLast is how long the vendor's list stays valid at least
// (Buró on webhooks, "IP Whitelisting"); it says to refresh it weekly.
const addressesLast = 7 * 24 * time.Hour

// AddressPolicy asks that requests come from the vendor's addresses.
type AddressPolicy struct {
	Mode        AddressMode
	Known       []netip.Prefix // the vendor's list, and what an administrator added
	RefreshedAt time.Time      // of the vendor's list; zero: never
}

func (p *AddressPolicy) asked() bool { return p.Mode == AddressWarn || p.Mode == AddressEnforce }

// check enforces what it was told to even with an old or empty list: whoever
// enforces wants strangers kept out, and what is refused by mistake is kept and
// can be verified again once the list is right. The reason names the list.
func (p *AddressPolicy) check(r Request) Check {
	stale := r.At.Sub(p.RefreshedAt) > addressesLast
	addr := r.Addr.Unmap().WithZone("") // an IPv4 address may arrive through an IPv6 socket
	known := slices.ContainsFunc(p.Known, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
	reason, args := "verify.address.unknown", []any{"Address", addr.String()}
	switch {
	case !addr.IsValid():
		reason, args = "verify.address.unreadable", nil
	case known && stale:
		return Check{Result: Warn, ReasonID: "verify.address.known_stale", Args: args}
	case known:
		return passed("verify.address.ok", "", args...)
	case len(p.Known) == 0:
		reason = "verify.address.no_list"
	case stale:
		reason = "verify.address.unknown_stale"
	}
	if p.Mode == AddressEnforce {
		return failed(CauseAddressUnknown, reason, args...)
	}
	return Check{Result: Warn, ReasonID: reason, Args: args}
}
