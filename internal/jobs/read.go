package jobs

import (
	"cotejo/internal/buro"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

// ReadEvent reads the event in a stored body; ok is false when there is none that we can read. It is a webhook.Reader.
func ReadEvent(dialect lookup.Dialect, body []byte) (e webhook.Event, ok bool) {
	var err error
	switch dialect {
	case lookup.Palenca:
		e, err = palenca.ParseEvent(body)
	case lookup.Buro:
		e, _, err = buro.ParseEvent(body)
	default:
		return e, false
	}
	return e, err == nil
}
