package web

import "net/http"

// contentSecurityPolicy allows nothing inline and nothing from another host (OWASP ASVS 5.0, 3.4.3). default-src
// 'none' covers object-src already, but the standard wants it written; frame-ancestors 'none' stands for
// X-Frame-Options (3.4.6).
const contentSecurityPolicy = "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"

// permissionsPolicy turns off what a desk tool has no use for. Copy buttons need clipboard-write, so it stays.
const permissionsPolicy = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), screen-wake-lock=(), usb=()"

// SecurityHeaders sets what every answer carries. https says that the public URL is https; only then is HSTS sent.
// Cache-Control: no-store is the default (OWASP ASVS 5.0, 14.3.2); Assets alone sets another.
func SecurityHeaders(https bool) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", contentSecurityPolicy)
			h.Set("X-Content-Type-Options", "nosniff")
			// Our addresses name lookups; no other site has any business with them.
			h.Set("Referrer-Policy", "same-origin") // with no-referrer, browsers post our own forms with "Origin: null"
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", permissionsPolicy)
			h.Set("Cache-Control", "no-store")
			if https {
				// A year at least, subdomains included: OWASP ASVS 5.0, 3.4.1 at level 2.
				h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
			}
			next.ServeHTTP(w, r)
		})
	}
}
