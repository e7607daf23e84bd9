package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// RemoteAddr decides who the client is and makes it known to ClientIP. X-Forwarded-For is believed only as far as
// it was written by proxies within trusted (OWASP ASVS 5.0, 15.3.4); Forwarded and X-Real-IP never, because a proxy
// that does not know them passes on what the client put there.
func RemoteAddr(trusted []netip.Prefix) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, ex := withExchange(r)
			ex.ip = clientIP(peerAddr(r), r.Header.Values("X-Forwarded-For"), trusted)
			next.ServeHTTP(w, r)
		})
	}
}

// ClientIP returns the client's address, IPv4 in its short form and without a zone; the invalid Addr when the
// connection has none, such as a unix socket.
func ClientIP(r *http.Request) netip.Addr {
	if ex := exchangeOf(r.Context()); ex != nil && ex.ip.IsValid() {
		return ex.ip
	}
	return peerAddr(r)
}

func peerAddr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(ap.Addr())
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// clientIP walks from the connection's peer to the left of the list as long as the address at hand is a trusted
// proxy: each proxy appends the address it saw, so everything to the left of the first stranger is hearsay. A
// part that is no address ends the walk at the proxy that let it pass.
func clientIP(peer netip.Addr, forwardedFor []string, trusted []netip.Prefix) netip.Addr {
	at := peer
	for i := len(forwardedFor) - 1; i >= 0; i-- {
		line, more := forwardedFor[i], true
		for more {
			if !within(at, trusted) {
				return at
			}
			var part string
			if comma := strings.LastIndexByte(line, ','); comma >= 0 {
				line, part = line[:comma], line[comma+1:]
			} else {
				line, part, more = "", line, false
			}
			next, ok := parseHop(part)
			if !ok {
				return at
			}
			at = next
		}
	}
	return at
}

func within(a netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseHop reads an address, with or without port, IPv6 with or without brackets.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if a, err := netip.ParseAddr(s); err == nil {
		return plain(a), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr()), true
	}
	if in, ok := strings.CutPrefix(s, "["); ok {
		if in, ok = strings.CutSuffix(in, "]"); ok {
			if a, err := netip.ParseAddr(in); err == nil {
				return plain(a), true
			}
		}
	}
	return netip.Addr{}, false
}
