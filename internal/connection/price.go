package connection

import (
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Price is what a billable lookup costs before VAT, as an administrator wrote it down: neither vendor's API tells it.
type Price struct {
	Amount   string // plain decimal with up to 4 places, as typed; "" when nobody has set one
	Currency string // code of ISO 4217
	SetAt    time.Time
	SetBy    string // name; "" when no user did
}

// Pesos is the currency of a price that names none.
const Pesos = "MXN"

var (
	priceForm    = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Known tells whether there is a price.
func (p Price) Known() bool { return p.Amount != "" }

// Times gives the exact cost of n lookups as a plain decimal, without zeros beyond cents; "" without a price.
func (p Price) Times(n int) string {
	amount, ok := new(big.Rat).SetString(p.Amount)
	if !ok || !priceForm.MatchString(p.Amount) {
		return ""
	}
	text := amount.Mul(amount, new(big.Rat).SetInt64(int64(n))).FloatString(4) // a price has no more places
	for strings.HasSuffix(text, "0") && len(text)-strings.IndexByte(text, '.') > 3 {
		text = text[:len(text)-1]
	}
	return text
}

// Priced is what the form says of the price; Check tells whether it can be one.
func (f Form) Priced() Price {
	p := Price{Amount: strings.TrimSpace(f.Price), Currency: strings.ToUpper(strings.TrimSpace(f.Currency))}
	if p.Currency == "" {
		p.Currency = Pesos
	}
	return p
}
