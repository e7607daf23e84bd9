package db

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"cotejo/internal/webhook"
)

// longestFault is how much of an error's text is kept, in bytes.
const longestFault = 300

var elevenDigits = regexp.MustCompile(`\b[0-9]{11}\b`) // an NSS

// Fault writes an error as it may be kept and shown: what PostgreSQL quotes of a value and the address of a call go out of
// it, and whatever looks like a CURP or an NSS. What is left are words of ours, codes and ids.
func Fault(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		safe := "SQLSTATE " + refused.Code
		if refused.ConstraintName != "" {
			safe += " (" + refused.ConstraintName + ")"
		}
		text = strings.ReplaceAll(text, refused.Error(), safe)
	}
	var call *url.Error
	if errors.As(err, &call) {
		text = strings.ReplaceAll(text, call.URL, "…")
	}
	return Masked(text)
}

// Masked takes what looks personal out of a text, and cuts it.
func Masked(text string) string {
	masked, _ := webhook.Mask([]byte(text))
	text = elevenDigits.ReplaceAllString(string(masked), "•••••••••••")
	if len(text) > longestFault {
		text = strings.ToValidUTF8(text[:longestFault], "") + "…"
	}
	return clean(text)
}

// DeliveryFailed notes on a delivery that processing it failed, and why. What was settled meanwhile is left alone.
func (db *DB) DeliveryFailed(ctx context.Context, id int64, why error) error {
	_, err := db.pool.Exec(ctx, `-- name: delivery failed
update deliveries set runs = runs + 1, last_error = $2 where id = $1 and processed_at is null`, id, Fault(why))
	if err == nil {
		db.tell(id)
	}
	return err
}
