package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// sampleSignature is printed in three unrelated examples of Buró's page on
// webhooks. No key, body or order tried makes it: whoever tests with it cannot
// succeed, and should be told.
const sampleSignature = "42FhFAPEEba//HkW3/8HSyB3j2S9hY2eTHAowk5PJcM="

// leastTruncated is how many bytes of a cut signature still say something: two
// sums agree in 16 by chance once in 2^128.
const leastTruncated = 16

// Bounds of what is looked at in the headers.
const (
	maxHeaders  = 200
	maxReadings = 32
)

// signatureReading is one way to read a header as a signature.
type signatureReading struct {
	sum     []byte // SHA-256, or the beginning of one
	remarks []remark
}

// made tells whether the sum is this signature, or begins with it.
func (s signatureReading) made(sum []byte) bool {
	return hmac.Equal(s.sum, sum[:min(len(s.sum), len(sum))])
}

// knownPrefixes are what senders put before a signature.
var knownPrefixes = []string{"sha256=", "sha256:", "hmac-sha256=", "hmac sha256 ", "v1=", "v1,", "signature="}

// readSignature reads a header value in every way that gives 32 bytes, or fewer
// where it seems cut. length is that of what it decodes to otherwise, 0 if to nothing.
func readSignature(p *SignaturePolicy, value string) (list []signatureReading, length int) {
	if len(value) > 512 {
		return nil, 0
	}
	text, remarks := unwrap(p, value)
	for _, e := range Encodings {
		sum, ok := e.decode(text)
		if !ok {
			continue
		}
		length = max(length, len(sum))
		// Many libraries give hex unless told otherwise, and the caller then
		// encodes that text.
		inner, err := hex.DecodeString(string(sum))
		switch {
		case len(sum) == sha256.Size:
			list = append(list, signatureReading{sum, e.remarks(p, remarks)})
		case err == nil && len(inner) == sha256.Size:
			list = append(list, signatureReading{inner, append(slices.Clone(remarks), "verify.bench.signature.hex_in_base64")})
		}
	}
	if len(list) > 0 {
		return fewestRemarks(list), length
	}
	// Nothing whole: perhaps a column or a log cut the value.
	for _, e := range Encodings {
		whole := text[:len(text)-len(text)%4] // whole groups of any encoding
		if sum, ok := e.decode(whole); ok && len(sum) >= leastTruncated && len(sum) < sha256.Size {
			list = append(list, signatureReading{sum, append(e.remarks(p, remarks), "verify.bench.signature.truncated")})
		}
	}
	return list, length
}

// remarks adds, to those made before, that the policy does not take the encoding.
func (e Encoding) remarks(p *SignaturePolicy, before []remark) []remark {
	list := slices.Clone(before)
	if !p.accepts(e) {
		list = append(list, remark("verify.bench.signature."+string(e)))
	}
	return list
}

// unwrap takes away what surrounds a signature, with a remark for each layer.
func unwrap(p *SignaturePolicy, value string) (text string, remarks []remark) {
	text = value
	if fields := strings.Fields(text); len(fields) > 0 && strings.TrimSpace(text) != text {
		text, remarks = strings.TrimSpace(text), append(remarks, "verify.bench.signature.space")
	}
	if bare := strings.Trim(text, `"'`); bare != text {
		text, remarks = bare, append(remarks, "verify.bench.signature.quoted")
	}
	if plain, err := url.PathUnescape(text); err == nil && plain != text {
		text, remarks = plain, append(remarks, "verify.bench.signature.escaped")
	}
	rest, prefixed := strings.CutPrefix(text, p.Prefix)
	if text = rest; !prefixed {
		remarks = append(remarks, "verify.bench.signature.no_prefix")
	}
	for _, prefix := range knownPrefixes {
		if len(text) > len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
			text, remarks = text[len(prefix):], append(remarks, "verify.bench.signature.prefix")
			break
		}
	}
	if strings.Contains(text, " ") { // a + on its way through a form
		text, remarks = strings.ReplaceAll(text, " ", "+"), append(remarks, "verify.bench.signature.plus")
	}
	return text, remarks
}

// fewestRemarks keeps, of readings that give the same sum, the plainest: most
// base64 is base64url as well.
func fewestRemarks(list []signatureReading) []signatureReading {
	var kept []signatureReading
next:
	for _, r := range list {
		for i, k := range kept {
			if hmac.Equal(k.sum, r.sum) {
				if len(r.remarks) < len(k.remarks) {
					kept[i] = r
				}
				continue next
			}
		}
		kept = append(kept, r)
	}
	return kept
}

// signature looks into the vendor's signature over the body.
// A header that is missing, repeated or unreadable is the explanation and ends
// the search, unless what was meant turns up elsewhere.
func (t *trials) signature(p *SignaturePolicy, b Bench) []Finding {
	name := p.header()
	values := b.Request.values(name)
	var found []Finding
	switch {
	case len(values) > 1:
		found = append(found, finding(Fail, "verify.bench.header_repeated", "Header", name))
	case len(values) == 0:
		// Where none is required its absence explains no refusal.
		result := Fail
		if !p.Required {
			result = Warn
		}
		found = append(found, finding(result, "verify.bench.header_missing", "Header", name))
		other, value := elsewhere(p, name, b.Request)
		if other == "" {
			return found
		}
		found = append(found, finding(Warn, "verify.bench.header_elsewhere", "Header", name, "Found", clipped(other)))
		values = []string{value}
	}
	var list []signatureReading
	length := 0
	for _, value := range values {
		if value == sampleSignature {
			found = append(found, finding(Warn, "verify.bench.vendor_sample"))
		}
		read, n := readSignature(p, value)
		length = max(length, n)
		if list = append(list, read...); len(list) > maxReadings {
			list = list[:maxReadings]
			break
		}
	}
	switch {
	case len(list) == 0 && length > 0:
		return append(found, finding(Fail, "verify.bench.signature_length", "Header", name, "Bytes", length))
	case len(list) == 0:
		return append(found, finding(Fail, "verify.bench.signature_unreadable", "Header", name))
	}
	return append(found, t.search(list, p.Secrets, b, preambles(b.Request, false))...)
}

// elsewhere finds a header under another name that holds what reads as a
// signature, the likeliest name first.
func elsewhere(p *SignaturePolicy, name string, r Request) (other, value string) {
	for _, word := range []string{"sign", "hmac", "digest", "hash", ""} {
		for i, h := range r.Header {
			lower := strings.ToLower(h.Name)
			if i == maxHeaders {
				break
			}
			if strings.EqualFold(h.Name, name) || strings.EqualFold(h.Name, standardSignature) || !strings.Contains(lower, word) {
				continue
			}
			// An API key may have the length of a signature.
			if word == "" && IsCredential(h.Name) {
				continue
			}
			if list, _ := readSignature(p, h.Value); len(list) > 0 && len(list[0].sum) == sha256.Size {
				return h.Name, h.Value
			}
		}
	}
	return "", ""
}

// standard looks into a signature of Standard Webhooks.
func (t *trials) standard(p *StandardPolicy, b Bench) []Finding {
	var found []Finding
	for _, name := range []string{standardID, standardTimestamp, standardSignature} {
		switch values := b.Request.values(name); {
		case len(values) == 0:
			found = append(found, finding(Fail, "verify.bench.header_missing", "Header", strings.ToLower(name)))
		case len(values) > 1:
			found = append(found, finding(Fail, "verify.bench.header_repeated", "Header", strings.ToLower(name)))
		}
	}
	if stamp := first(b.Request.values(standardTimestamp)); stamp != "" {
		found = append(found, p.clockFindings(stamp, t)...)
	}
	text := first(b.Request.values(standardSignature))
	if text == "" || len(text) > maxStandardList {
		return found
	}
	// Each entry on its own, also without its version: that is what is
	// forgotten when somebody signs by hand.
	var list []signatureReading
	for entry := range strings.FieldsSeq(text) {
		read, _ := readSignature(&SignaturePolicy{Prefix: "v1,"}, entry)
		if list = append(list, read...); len(list) > maxReadings {
			list = list[:maxReadings]
			break
		}
	}
	if len(list) == 0 {
		return append(found, finding(Fail, "verify.bench.signature_unreadable", "Header", strings.ToLower(standardSignature)))
	}
	return append(found, t.search(list, p.Secrets, b, preambles(b.Request, true))...)
}

func (p *StandardPolicy) clockFindings(stamp string, t *trials) []Finding {
	sent, ok := parseTimestamp(stamp)
	// Thirteen digits are what JavaScript's Date.now() gives.
	if !ok && len(stamp) == 13 && strings.Trim(stamp, "0123456789") == "" {
		return []Finding{finding(Fail, "verify.bench.timestamp_milliseconds")}
	}
	if !ok {
		return []Finding{finding(Fail, "verify.bench.timestamp_unreadable")}
	}
	if c := p.clock(sent, t.at, ""); c.Result == Fail {
		return []Finding{finding(Fail, c.ReasonID, c.Args...)}
	}
	return nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
