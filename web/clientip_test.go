package web_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"cotejo/web"
)

func TestClientIP(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	cases := map[string]struct {
		peer string
		xff  []string
		want string
	}{
		"direct":                     {"203.0.113.9:1234", nil, "203.0.113.9"},
		"direct, header is a lie":    {"203.0.113.9:1234", []string{"1.2.3.4"}, "203.0.113.9"},
		"one proxy":                  {"10.0.0.1:80", []string{"198.51.100.7"}, "198.51.100.7"},
		"client's own part ignored":  {"10.0.0.1:80", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7"},
		"client names a proxy":       {"10.0.0.1:80", []string{"10.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		"two proxies":                {"10.0.0.1:80", []string{"198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"two header lines":           {"10.0.0.1:80", []string{"1.2.3.4", "198.51.100.7,10.0.0.2"}, "198.51.100.7"},
		"only proxies":               {"10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"rubbish stops the walk":     {"10.0.0.1:80", []string{"198.51.100.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		"empty part":                 {"10.0.0.1:80", []string{""}, "10.0.0.1"},
		"no header":                  {"10.0.0.1:80", nil, "10.0.0.1"},
		"port":                       {"10.0.0.1:80", []string{"198.51.100.7:5555"}, "198.51.100.7"},
		"v6":                         {"[fd00::1]:80", []string{"2001:db8::7"}, "2001:db8::7"},
		"v6 brackets":                {"[fd00::1]:80", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"v6 brackets and port":       {"[fd00::1]:80", []string{"[2001:db8::7]:99"}, "2001:db8::7"},
		"v4 in v6 is v4":             {"[::ffff:10.0.0.1]:80", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"zone dropped":               {"[fe80::1%eth0]:80", nil, "fe80::1"},
		"unix socket has no address": {"@", []string{"198.51.100.7"}, "invalid IP"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got netip.Addr
			h := web.RemoteAddr(trusted)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = web.ClientIP(r) }))
			r := get("/", "Forwarded", "for=9.9.9.9", "X-Real-IP", "9.9.9.9")
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.xff
			do(h, r)
			if got.String() != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestClientIPWithoutTheMiddlewareIsThePeer(t *testing.T) {
	t.Parallel()
	r := get("/", "X-Forwarded-For", "1.2.3.4")
	r.RemoteAddr = "192.0.2.1:7"
	if got := web.ClientIP(r); got.String() != "192.0.2.1" {
		t.Error(got)
	}
}

// Whatever the header says, a peer that is no proxy is the client; and behind a proxy, the last part decides alone.
func FuzzClientIP(f *testing.F) {
	for _, s := range []string{"1.2.3.4", "a, b", ",,", "[::1]:80", "::ffff:1.2.3.4%x", "10.0.0.1,10.0.0.1"} {
		f.Add(s)
	}
	proxy := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	ask := func(peer, xff string) netip.Addr {
		var got netip.Addr
		h := web.RemoteAddr(proxy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = web.ClientIP(r) }))
		r := get("/")
		r.RemoteAddr = peer
		r.Header["X-Forwarded-For"] = []string{xff}
		do(h, r)
		return got
	}
	f.Fuzz(func(t *testing.T, xff string) {
		if got := ask("192.0.2.1:7", xff); got.String() != "192.0.2.1" {
			t.Errorf("a stranger became %s", got)
		}
		got := ask("10.0.0.1:7", xff)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("not in plain form: %s", got)
		}
		if withReal := ask("10.0.0.1:7", xff+", 198.51.100.7"); withReal.String() != "198.51.100.7" {
			t.Errorf("what the client wrote moved the proxy's word to %s", withReal)
		}
		if strings.Count(xff, ",") == 0 && got.String() != "10.0.0.1" && !strings.ContainsAny(xff, ".:") {
			t.Errorf("%s came from nowhere", got)
		}
	})
}
