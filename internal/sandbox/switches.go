package sandbox

import (
	"fmt"
	"time"
)

// span is a duration written as Go writes it: "30s", "1m30s", "0s".
type span time.Duration

func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *span) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("not a duration such as 30s: %q", text)
	}
	*d = span(v)
	return nil
}

// switches are the faults and changes of behaviour that can be ordered by
// POST /_sandbox/settings; they outlive a restart (docs/sandbox.md#switches).
type switches struct {
	Delay             *span           `json:"delay"`     // null = as started
	RetryGap          *span           `json:"retry_gap"` // null = as started
	Rate              *int            `json:"rate"`      // null = as started; 0 = no limit
	RecentLogin412    bool            `json:"recent_login_412"`
	DailyLimit        int             `json:"daily_limit"` // creations per CURP, platform and UTC day; 0 = none
	FailNext          *fault          `json:"fail_next"`
	DropWebhooks      int             `json:"drop_webhooks"`
	DuplicateWebhooks bool            `json:"duplicate_webhooks"`
	BadSignatures     int             `json:"bad_signatures"`
	EventDelay        map[string]span `json:"event_delay"`      // event name → extra time before its first attempt
	NoExternalID      string          `json:"no_external_id"`   // how an unset external_id looks in webhooks: "" = the string None, null, empty, missing
	WithoutSalaries   bool            `json:"without_salaries"` // employment in the vendor's newer, thinner schema
	DisableAfter      *int            `json:"disable_after"`    // failed events in a row that switch a Buró webhook off; null = 5, 0 = never
	Ugly              []uglyOrder     `json:"ugly"`             // cases still to be played, POST /_sandbox/ugly
	Storm             *storm          `json:"storm"`            // cases that strike by chance; null = none
}

// check refuses what could not be carried out, with a message for the person
// at the keyboard.
func (sw *switches) check() error {
	if sw.FailNext != nil {
		if err := sw.FailNext.check(); err != nil {
			return err
		}
	}
	for _, o := range sw.Ugly {
		if err := o.check(); err != nil {
			return err
		}
	}
	if err := sw.Storm.check(); err != nil {
		return err
	}
	switch sw.NoExternalID {
	case "", "null", "empty", "missing":
	default:
		return fmt.Errorf(`no_external_id: %q is not "", null, empty or missing`, sw.NoExternalID)
	}
	if sw.DropWebhooks < 0 || sw.BadSignatures < 0 || sw.DailyLimit < 0 || sw.Rate != nil && *sw.Rate < 0 || sw.DisableAfter != nil && *sw.DisableAfter < 0 {
		return fmt.Errorf("a count is negative")
	}
	return nil
}

// The three settings that Config also has: a switch wins. The caller holds the lock.

func (s *Server) delay() time.Duration {
	if d := s.st.switches.get("all").Delay; d != nil {
		return time.Duration(*d)
	}
	return s.cfg.Delay
}

func (s *Server) retryGap() time.Duration {
	if d := s.st.switches.get("all").RetryGap; d != nil {
		return time.Duration(*d)
	}
	return s.cfg.RetryGap
}

func (s *Server) rate() int {
	if n := s.st.switches.get("all").Rate; n != nil {
		return *n
	}
	return s.cfg.Rate
}

// disableAfter is how many events in a row must fail before a Buró webhook is
// switched off; 0 = never. The vendor says "repeatedly" and no number.
func (s *Server) disableAfter() int {
	if n := s.st.switches.get("all").DisableAfter; n != nil {
		return *n
	}
	return 5
}
