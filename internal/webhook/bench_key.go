package webhook

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// remark is how one part of a combination differs from what is expected, as the
// id of a sentence; "" differs in nothing.
type remark string

// keyReading is one way to make a key of a secret.
type keyReading struct {
	key      []byte
	remark   remark
	rank     int // how unlikely: combinations are tried from the lowest sum
	secretID string
	typed    bool      // and not one of the subscription's
	retired  time.Time // when, of a retired secret
}

// readings lists the keys to try: those of the policy first, then what was
// typed. Each secret is read as configured, then in the ways senders get wrong.
func readings(secrets []Secret, typed []Candidate, at time.Time) []keyReading {
	var list []keyReading
	seen := 0
	for _, s := range secrets {
		if len(s.Key) == 0 || seen == maxKeys {
			continue
		}
		seen++
		for _, r := range readingsOfKey(s.Key) {
			r.secretID = s.ID
			if !s.live(at) {
				r.retired, r.rank = s.NotAfter, r.rank+1
			}
			list = append(list, r)
		}
	}
	for _, c := range typed {
		if c.Text == "" || len(c.Text) > maxSecretText || seen == maxKeys {
			continue
		}
		seen++
		for _, r := range readingsOfText(c.Text, c.Raw) {
			r.secretID, r.typed, r.rank = c.ID, len(secrets) > 0, r.rank+1
			list = append(list, r)
		}
	}
	return distinct(list)
}

// readingsOfKey reads a stored secret, of which only the bytes are known. One
// that was stored raw is its own text; any other had its base64 form, so the
// sender who forgot to decode it used those characters.
func readingsOfKey(key []byte) []keyReading {
	text := base64.RawURLEncoding.EncodeToString(key)
	list := []keyReading{
		{key: key},
		{key: []byte(text), remark: "verify.bench.key.characters", rank: 1},
		{key: []byte(base64.URLEncoding.EncodeToString(key)), remark: "verify.bench.key.characters", rank: 2},
		{key: []byte(base64.StdEncoding.EncodeToString(key)), remark: "verify.bench.key.characters", rank: 2},
		{key: []byte(symmetricPrefix + base64.StdEncoding.EncodeToString(key)), remark: "verify.bench.key.characters", rank: 3},
	}
	if printable(key) {
		list = append(list, readingsOfText(string(key), true)[1:]...)
	}
	return list
}

// readingsOfText reads a typed secret, the intended reading first.
func readingsOfText(text string, raw bool) []keyReading {
	trimmed := strings.TrimSpace(text)
	bare := strings.TrimPrefix(trimmed, symmetricPrefix)
	var list []keyReading
	add := func(key []byte, ok bool, r remark, rank int) {
		if ok && len(key) > 0 {
			list = append(list, keyReading{key: key, remark: r, rank: rank})
		}
	}
	// Both alphabets are one here: no text reads differently in the two.
	decoded, isBase64 := decodeBase64(trimmed)
	if raw {
		add([]byte(text), true, "", 0)
		add(decoded, isBase64, "verify.bench.key.decoded", 1)
	} else {
		add(decoded, isBase64 && trimmed == text, "", 0)
		add(decoded, isBase64 && trimmed != text, "verify.bench.key.trimmed", 1)
		add([]byte(text), true, "verify.bench.key.characters", 1)
	}
	add([]byte(trimmed), trimmed != text, "verify.bench.key.trimmed", 1)
	add([]byte(trimmed+"\n"), true, "verify.bench.key.newline", 2)
	fromHex, err := hex.DecodeString(trimmed)
	add(fromHex, err == nil, "verify.bench.key.hex", 2)
	stripped, ok := decodeBase64(bare)
	add(stripped, ok && bare != trimmed, "verify.bench.key.prefix", 1)
	// Node decodes as far as it can: of 33 characters it drops the last.
	if n := len(trimmed); !isBase64 && n%4 == 1 {
		cut, ok := decodeBase64(trimmed[:n-1])
		add(cut, ok, "verify.bench.key.cut", 1)
	}
	return list
}

// distinct drops a reading that gives the same key as an earlier one.
func distinct(list []keyReading) []keyReading {
	var kept []keyReading
	for _, r := range list {
		// The first reading of a key is its plainest, so that one stays.
		known := false
		for _, k := range kept {
			known = known || sameText(string(k.key), string(r.key))
		}
		if !known {
			kept = append(kept, r)
		}
	}
	return kept
}

func printable(key []byte) bool {
	return bytes.IndexFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// aspects are the findings about the key of a combination that verifies.
func (r keyReading) aspects() []Finding {
	var list []Finding
	if r.typed {
		list = append(list, finding(Warn, "verify.bench.key.typed"))
	}
	if !r.retired.IsZero() {
		list = append(list, finding(Warn, "verify.bench.key.retired", "Since", instant(r.retired)))
	}
	if r.remark != "" {
		list = append(list, finding(Warn, string(r.remark)))
	}
	return list
}
