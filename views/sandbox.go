package views

import (
	"slices"
	"strconv"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// SandboxBoard is what the sandbox says of its ugly cases and switches (docs/sandbox.md#ugly-cases). Its texts are in the
// reader's language already: a sandbox may know cases that this console does not.
type SandboxBoard struct {
	Known    bool             // the connections lead to a sandbox whose switches are ours
	Silent   bool             // it does not answer
	Dialects []lookup.Dialect // in which the console is connected to it
	Cases    []UglyCase
	Orders   []UglyOrder
	Switches SandboxSwitches
}

// UglyCase is one way in which the vendor misbehaves.
type UglyCase struct {
	Name        string           `json:"case"`
	Title       string           `json:"title"`
	Group       string           `json:"group"` // one of uglyGroups
	Description string           `json:"description"`
	Expected    string           `json:"expected"` // of Cotejo
	Person      string           `json:"person"`   // CURP of somebody whom it always strikes, "" for nobody
	Needs       string           `json:"needs"`    // what the webhook must carry: signature, jwt
	Dialects    []lookup.Dialect `json:"dialects"`
	Lacking     []lookup.Dialect `json:"lacking"` // where no webhook carries it
}

// UglyOrder asks for a case the next times that it can strike.
type UglyOrder struct {
	Case    string         `json:"case"`
	Dialect lookup.Dialect `json:"dialect"`
	Times   int            `json:"times"`
	Every   int            `json:"every,omitempty"`
}

// SandboxSwitches are the sandbox's lasting faults, as docs/sandbox.md#switches names them.
type SandboxSwitches struct {
	Delay           *string       `json:"delay"`     // a Go duration; nil: as it was started
	RetryGap        *string       `json:"retry_gap"` // the same
	Rate            *int          `json:"rate"`
	DailyLimit      int           `json:"daily_limit"`
	RecentLogin412  bool          `json:"recent_login_412"`
	WithoutSalaries bool          `json:"without_salaries"`
	NoExternalID    string        `json:"no_external_id"`
	Storm           *SandboxStorm `json:"storm"`
}

// SandboxStorm lets cases strike by chance.
type SandboxStorm struct {
	Seed  int                `json:"seed"`
	Share map[string]float64 `json:"share"` // 0 … 1
}

// StormCases are the cases that the switches offer to happen by chance.
var StormCases = []string{"duplicate", "late", "out_of_order", "lost", "wrong_signature", "altered_body"}

// NoExternalIDs are the ways in which the sandbox writes a missing external_id.
var NoExternalIDs = []string{"", "null", "empty", "missing"}

// uglyGroups in the order of the page.
var uglyGroups = []string{"way", "proof", "text", "api"}

// OrderValues and SwitchValues are what an administrator typed, kept as typed.
type OrderValues struct{ Case, Dialect, Times, Every string }

// SwitchValues: Delay and RetryGap in seconds, Share in percent by case.
type SwitchValues struct {
	Delay, RetryGap, Rate, DailyLimit, NoExternalID, Seed string
	RecentLogin412, WithoutSalaries                       bool
	Share                                                 map[string]string
}

// commands tells whether the reader may order faults: they strike whoever comes next, so that takes an administrator.
func (v PeoplePage) commands() bool {
	return v.May(auth.PowerAdminister) && v.Board.Known && !v.Board.Silent
}

func (v PeoplePage) casesOf(group string) []UglyCase {
	var cases []UglyCase
	for _, c := range v.Board.Cases {
		if c.Group == group {
			cases = append(cases, c)
		}
	}
	return cases
}

// here lists the dialects in which both the sandbox plays the case and the console listens.
func (v PeoplePage) here(c UglyCase) []lookup.Dialect {
	var dialects []lookup.Dialect
	for _, d := range v.Board.Dialects {
		if slices.Contains(c.Dialects, d) {
			dialects = append(dialects, d)
		}
	}
	return dialects
}

// ordered counts what is left of the orders of a case.
func (v PeoplePage) ordered(c UglyCase, d lookup.Dialect) int {
	n := 0
	for _, o := range v.Board.Orders {
		if o.Case == c.Name && o.Dialect == d {
			n += o.Times
		}
	}
	return n
}

func (v PeoplePage) caseTitle(name string) string {
	for _, c := range v.Board.Cases {
		if c.Name == name {
			return c.Title
		}
	}
	return name
}

func (v PeoplePage) caseOptions() []Option {
	var options []Option
	for _, group := range uglyGroups {
		for _, c := range v.casesOf(group) {
			if len(v.here(c)) > 0 {
				options = append(options, Option{Value: c.Name, Word: c.Title})
			}
		}
	}
	return options
}

func (v PeoplePage) dialectOptions() []Option {
	var options []Option
	for _, d := range v.Board.Dialects {
		options = append(options, Option{Value: string(d), Word: v.T("ui.dialect." + string(d))})
	}
	return options
}

func (v PeoplePage) externalIDOptions() []Option {
	var options []Option
	for _, how := range NoExternalIDs {
		options = append(options, Option{Value: how, Word: v.T("simulator.external_id." + orElse(how, "none"))})
	}
	return options
}

// orderText is one line of the list of orders: how often yet, and how seldom.
func (v PeoplePage) orderText(o UglyOrder) string {
	text := v.T("simulator.left", "Count", o.Times)
	if o.Every > 1 {
		text += ", " + v.T("simulator.each", "Every", strconv.Itoa(o.Every))
	}
	return text
}

// shareField is the form's name of a case's share.
func shareField(name string) string { return "share_" + name }

// switchFields are the form's fields in their order.
var switchFields = func() []string {
	var fields []string
	for _, name := range StormCases {
		fields = append(fields, shareField(name))
	}
	return append(fields, "seed", "delay", "retry_gap", "rate", "daily_limit", "no_external_id")
}()

// platformOf is what the buttons ask a vendor for: Buró asks all its sources at once.
func platformOf(d lookup.Dialect) lookup.Platform {
	if d == lookup.Buro {
		return lookup.AllSources
	}
	return lookup.IMSS
}
