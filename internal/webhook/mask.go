package webhook

import (
	"bytes"
	"regexp"
)

// What is masked in a body before it is shown: whatever has the form of a CURP, the values of keys that hold personal
// data in either dialect, and the token in an address of our own hooks, which the vendor echoes as webhook_url. A body may have
// been cut: what its end begins of one of these is hidden as the whole is.
var (
	curpForm     = regexp.MustCompile(`[A-Za-z]{4}[0-9]{6}[HMXhmx][A-Za-z]{5}[0-9A-Za-z][0-9]|[A-Za-z]{4}[0-9]{2,6}\z|[A-Za-z]{4}[0-9]{6}[HMXhmx](?:[A-Za-z]{0,5}|[A-Za-z]{5}[0-9A-Za-z])\z`)
	personalKeys = keys("identifier|curp|nss|rfc|first_name|last_name|name|email|phone|gov_id|worker_id")
	hookAddress  = regexp.MustCompile(`(\\?/hooks\\?/)([A-Za-z0-9_\-]{8,})([A-Za-z0-9_\-]{4})`)
)

// keys finds texts under any of the keys: what stands before the text, the text, and its closing quote unless it is cut.
func keys(names string) *regexp.Regexp {
	return regexp.MustCompile(`("(?:` + names + `)"\s*:\s*)"((?:[^"\\]|\\.)*)(?:(")|\\?\z)`)
}

// hide hides the texts under keys, and counts them.
func hide(body []byte, under *regexp.Regexp) (shown []byte, masked int) {
	shown = under.ReplaceAllFunc(body, func(m []byte) []byte {
		p := under.FindSubmatch(m)
		if len(p[2]) == 0 {
			return m
		}
		masked++
		return []byte(string(p[1]) + `"` + hidden + string(p[3]))
	})
	return shown, masked
}

// hidden stands for a masked value. Its length says nothing about what it hides.
const hidden = "••••••••"

// MaskAddress hides the token in addresses of our own hooks, which nobody is shown with a body: whoever has it may speak
// as the vendor.
func MaskAddress(body []byte) (shown []byte, masked int) {
	shown = hookAddress.ReplaceAllFunc(body, func(m []byte) []byte {
		masked++
		p := hookAddress.FindSubmatch(m)
		return []byte(string(p[1]) + hidden + string(p[3]))
	})
	return shown, masked
}

// Mask gives a body as it may be shown to somebody who has not asked for personal data. It works on the bytes, whatever
// they are: numbers, spacing and what is no JSON at all stay as received. masked is how many values it hid.
func Mask(body []byte) (shown []byte, masked int) {
	shown, masked = MaskAddress(body)
	shown, values := hide(shown, personalKeys)
	masked += values
	shown = curpForm.ReplaceAllFunc(shown, func([]byte) []byte { masked++; return []byte(hidden) })
	return shown, masked
}

// valueKeys are the values of identifiers in a profile, and where a person lives.
var valueKeys = keys("value|street|neighborhood|zip_code")

// MaskAnswer gives an answer of a vendor as it may be shown to somebody who has not asked for personal data: what Mask
// hides, and every place in which one of the known identifiers stands as text; in a profile also values of identifiers.
func MaskAnswer(body []byte, isProfile bool, known ...string) (shown []byte, masked int) {
	shown, masked = Mask(body)
	if isProfile {
		values := 0
		shown, values = hide(shown, valueKeys)
		masked += values
	}
	for _, text := range known {
		if n := bytes.Count(shown, []byte(text)); text != "" && n > 0 {
			shown, masked = bytes.ReplaceAll(shown, []byte(text), []byte(hidden)), masked+n
		}
	}
	return shown, masked
}
