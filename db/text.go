package db

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"cotejo/internal/webhook"
)

// clean makes text from outside storable: PostgreSQL's text holds neither NUL nor invalid UTF-8, while "\u0000" is valid
// in JSON (RFC 8259 section 7). Both become U+FFFD; the exact bytes stay in the body that the text was read from.
func clean(s string) string {
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// clip cleans what a stranger's JSON put into a short field and keeps it short; the body has it in full. Indexed columns
// depend on it: an index entry holds less than 3 kB.
func clip(s string) string {
	const most = 200
	s = clean(s)
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// storable makes the parts of an event fit their columns. A key too long for its index is replaced by its hash, which
// tells the same facts apart.
func storable(e webhook.Event) webhook.Event {
	e.Action, e.AccountID, e.UserID = clip(e.Action), clip(e.AccountID), clip(e.UserID)
	e.Report.Detail = clip(e.Report.Detail)
	const longest = 500
	if e.Key = clean(e.Key); len(e.Key) > longest {
		sum := sha256.Sum256([]byte(e.Key))
		e.Key = "sha256 " + hex.EncodeToString(sum[:])
	}
	return e
}
