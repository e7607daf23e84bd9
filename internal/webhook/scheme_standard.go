package webhook

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks 1.0.0, "Webhook headers".
const (
	standardID        = "Webhook-Id"
	standardTimestamp = "Webhook-Timestamp"
	standardSignature = "Webhook-Signature"
)

// DefaultTolerance is how far webhook-timestamp may be from the time of receipt,
// either way. The standard leaves the figure open; its reference libraries use this.
const DefaultTolerance = 5 * time.Minute

// Bounds of what is read of those headers, in bytes and in signatures. The
// standard sets none; a rotation needs two signatures.
const (
	maxStandardID   = 256
	maxStandardList = 4 << 10
	maxSignatures   = 16
)

// StandardPolicy asks for the symmetric signature of Standard Webhooks 1.0.0,
// for a relay in front of us that signs anew. Asymmetric signatures (v1a) and
// versions to come are passed over.
type StandardPolicy struct {
	Secrets   []Secret      // keys as DecodeStandardSecret gives them
	Tolerance time.Duration // default DefaultTolerance
}

func (p *StandardPolicy) check(r Request) Check {
	var text [3]string
	for i, name := range []string{standardID, standardTimestamp, standardSignature} {
		values := r.values(name)
		switch {
		case len(values) == 0 || values[0] == "":
			return failed(CauseSignatureMissing, "verify.standard.missing", "Header", strings.ToLower(name))
		case len(values) > 1:
			return failed(CauseSignatureMalformed, "verify.standard.repeated", "Header", strings.ToLower(name))
		}
		text[i] = values[0]
	}
	id, stamp, list := text[0], text[1], text[2]
	// The full stop separates what is signed; one inside the id would let the
	// same signature stand for another id, time and body ("Signature scheme").
	if len(id) > maxStandardID || strings.Contains(id, ".") {
		return failed(CauseSignatureMalformed, "verify.standard.bad_id")
	}
	sent, ok := parseTimestamp(stamp)
	if !ok {
		return failed(CauseTimestampMalformed, "verify.standard.timestamp")
	}
	sums, foreign := parseSignatures(list)
	if len(sums) == 0 && foreign {
		return failed(CauseSignatureMalformed, "verify.standard.asymmetric")
	}
	if len(sums) == 0 {
		return failed(CauseSignatureMalformed, "verify.standard.malformed")
	}
	m := ask(p.Secrets, r.At, func(key []byte) bool {
		return oneOf(sums, mac(key, []byte(id+"."+stamp+"."), r.Body))
	})
	switch {
	case m.live == nil && m.retired != nil:
		return failed(CauseSignatureMismatch, "verify.standard.retired", "Since", instant(m.retired.NotAfter))
	case m.live == nil && !m.any:
		return failed(CauseSignatureMismatch, "verify.standard.no_secret")
	case m.live == nil:
		return failed(CauseSignatureMismatch, "verify.standard.mismatch")
	}
	return p.clock(sent, r.At, m.live.ID)
}

// clock judges the time of an authentic request. It comes last, because the
// time a stranger wrote says nothing.
func (p *StandardPolicy) clock(sent, at time.Time, secretID string) Check {
	tolerance := p.Tolerance
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	// The header has whole seconds, so the receipt is taken in them too.
	switch late := at.Truncate(time.Second).Sub(sent); {
	case late > tolerance:
		return failed(CauseTimestampOld, "verify.standard.old", "Late", span(late), "Tolerance", span(tolerance))
	case late < -tolerance:
		return failed(CauseTimestampAhead, "verify.standard.ahead", "Early", span(late), "Tolerance", span(tolerance))
	}
	return passed("verify.standard.ok", secretID)
}

// parseTimestamp reads seconds since 1970 in digits alone, up to the year 5138:
// beyond it a number is no time but, for instance, milliseconds.
func parseTimestamp(text string) (time.Time, bool) {
	if len(text) == 0 || len(text) > 11 || strings.Trim(text, "0123456789") != "" {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// parseSignatures gives the sums of a list of "v1,<base64>" set apart by spaces.
// foreign tells that the list has signatures of another version. One v1 entry
// that cannot be read does not spoil the others.
func parseSignatures(list string) (sums [][]byte, foreign bool) {
	if len(list) > maxStandardList {
		return nil, false
	}
	for entry := range strings.FieldsSeq(list) {
		version, text, ok := strings.Cut(entry, ",")
		if !ok || version != "v1" {
			foreign = foreign || ok
			continue
		}
		if sum, ok := Base64.decode(text); ok && len(sum) == sha256.Size && len(sums) < maxSignatures {
			sums = append(sums, sum)
		}
	}
	return sums, foreign
}
