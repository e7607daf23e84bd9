package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// stage is the moment at which a case strikes.
type stage string

const (
	atStart stage = "start" // when an extraction begins
	atEnd   stage = "end"   // when it ends
	onEvent stage = "event" // when an event is put on its way
	onCall  stage = "call"  // when the API is called
)

// Groups of cases, as a page shows them.
const (
	onTheWay = "way"   // how events travel
	ofProof  = "proof" // who sent them
	inText   = "text"  // what they say
	ofAPI    = "api"   // what calls are answered
)

// uglyCase is one way in which the vendor misbehaves. A name may stand twice,
// once for each dialect, where the same trouble shows in different places.
type uglyCase struct {
	name    string
	group   string // under which heading people look for it
	stage   stage
	in      []string // dialects
	created bool     // in Palenca it strikes login.created; every other one strikes the outcome
	needs   string   // what a delivery must carry to be spoilt: signature, jwt
	event   func(s *Server, l letter, d delivery) []delivery
	outcome outcome          // atEnd, Palenca
	status  string           // atEnd, Buró
	faults  map[string]fault // onCall, by dialect
}

var both = []string{palenca, buro}

// uglyCases are all of them, in the order in which they are shown. Their
// descriptions are in messages.json under ugly.<name>.
var uglyCases = []uglyCase{
	{name: "duplicate", group: onTheWay, stage: onEvent, in: both, event: func(_ *Server, _ letter, d delivery) []delivery { return []delivery{d, d} }},
	{name: "late", group: onTheWay, stage: onEvent, in: both, created: true, event: func(s *Server, l letter, d delivery) []delivery {
		d.NextAt = d.NextAt.Add(s.lateBy())
		if l.dialect == palenca { // after the outcome, which is a whole extraction away
			d.NextAt = d.NextAt.Add(s.delay())
		}
		return []delivery{d}
	}},
	{name: "out_of_order", group: onTheWay, stage: onEvent, in: both, created: true, event: func(s *Server, _ letter, d delivery) []delivery {
		d.Swap, d.NextAt = true, d.NextAt.Add(s.delay()+s.swapLimit())
		return []delivery{d}
	}},
	{name: "lost", group: onTheWay, stage: onEvent, in: both, event: func(_ *Server, _ letter, d delivery) []delivery {
		d.State = dropped
		return []delivery{d}
	}},
	{name: "wrong_signature", group: ofProof, stage: onEvent, in: both, needs: "signature", event: func(_ *Server, _ letter, d delivery) []delivery {
		d.BadSignature = true
		return []delivery{d}
	}},
	{name: "altered_body", group: ofProof, stage: onEvent, in: both, needs: "signature", event: altered},
	{name: "expired_jwt", group: ofProof, stage: onEvent, in: []string{buro}, needs: "jwt", event: token("expired")},
	{name: "alg_none_jwt", group: ofProof, stage: onEvent, in: []string{buro}, needs: "jwt", event: token("none")},
	{name: "unknown_event", group: inText, stage: onEvent, in: both, event: strangerFirst},
	{name: "unknown_entity", group: inText, stage: onEvent, in: []string{buro}, event: changed(unknownEntity)},
	{name: "unknown_status", group: inText, stage: atEnd, in: both, outcome: outcome{Status: "under_review"}, status: "under_review"},
	{name: "unknown_detail", group: inText, stage: atEnd, in: []string{palenca}, outcome: outcome{Status: "error", Details: "imss_portal_under_water"}},
	{name: "none_string", group: inText, stage: onEvent, in: both, event: changed(noneString)},
	{name: "null_character", group: inText, stage: onEvent, in: both, event: changed(nullCharacter)},
	{name: "missing_fields", group: inText, stage: onEvent, in: both, event: changed(missingFields)},
	{name: "nine_decimals", group: inText, stage: onEvent, in: []string{buro}, event: rewritten("nine_decimals")},
	{name: "nine_decimals", group: inText, stage: onCall, in: []string{palenca}, faults: rewrites("nine_decimals")},
	{name: "zoneless", group: inText, stage: onEvent, in: []string{buro}, event: rewritten("zoneless")},
	{name: "zoneless", group: inText, stage: onCall, in: []string{palenca}, faults: rewrites("zoneless")},
	{name: "invalid_curp", group: inText, stage: onEvent, in: []string{buro}, event: impossiblePerson},
	{name: "invalid_curp", group: inText, stage: onCall, in: []string{palenca}, faults: rewrites("invalid_curp")},
	{name: "huge_body", group: inText, stage: onEvent, in: both, event: shaped("huge")},
	{name: "deep_body", group: inText, stage: onEvent, in: both, event: shaped("deep")},
	{name: "empty_body", group: inText, stage: onEvent, in: both, event: shaped("empty")},
	{name: "nothing", group: onTheWay, stage: atStart, in: both},

	{name: "api_400", group: ofAPI, stage: onCall, in: []string{buro}, faults: answers(400, "validation_error")},
	{name: "api_401", group: ofAPI, stage: onCall, in: both, faults: map[string]fault{
		palenca: {Status: 401, Code: "invalid_api_key"}, buro: {Status: 401, Code: "unauthorized"}}},
	{name: "api_412", group: ofAPI, stage: onCall, in: []string{palenca}, faults: answers(412, "recent_login_successful")},
	{name: "api_422", group: ofAPI, stage: onCall, in: both, faults: map[string]fault{
		palenca: {Status: 422, Code: "bad_request"}, buro: {Status: 422, Code: "validation_error"}}},
	{name: "api_422_detail", group: ofAPI, stage: onCall, in: both, faults: same(fault{Status: 422,
		Body: []byte(`{"detail":[{"loc":["body","identifier"],"msg":"Input should be a valid string","type":"string_type"}]}`)})},
	{name: "api_429", group: ofAPI, stage: onCall, in: both, faults: same(fault{Status: 429, Code: "too_many_requests", Reset: &twentySeconds})},
	{name: "api_429_no_reset", group: ofAPI, stage: onCall, in: both, faults: same(fault{Status: 429, Code: "too_many_requests", NoReset: true})},
	{name: "api_429_daily", group: ofAPI, stage: onCall, in: []string{buro}, faults: answers(429, "daily_verification_limit_exceeded")},
	{name: "api_500", group: ofAPI, stage: onCall, in: both, faults: same(fault{Status: 500})},
	{name: "api_timeout", group: ofAPI, stage: onCall, in: both, faults: same(fault{Mode: "hang"})},
	{name: "api_cut", group: ofAPI, stage: onCall, in: both, faults: same(fault{Mode: "half"})},
	{name: "api_redirect", group: ofAPI, stage: onCall, in: both, faults: same(fault{Mode: "redirect"})},
}

// lateBy is longer than the retry gap, so that a late event is not taken for a
// retried one: 40 s with the vendor's 30.
func (s *Server) lateBy() time.Duration { return s.retryGap() * 4 / 3 }

// swapLimit ends the wait of an event for a next one that does not come.
func (s *Server) swapLimit() time.Duration { return s.retryGap() * 2 }

var twentySeconds = span(20 * time.Second)

func same(f fault) map[string]fault { return map[string]fault{palenca: f, buro: f} }

func answers(status int, code string) map[string]fault {
	return same(fault{Status: status, Code: code})
}

func rewrites(how string) map[string]fault {
	return map[string]fault{palenca: {Mode: "rewrite", Rewrite: how, Route: "GET /v1/accounts/"}}
}

// createRoutes is where a case of the API strikes unless its order names
// another route: the call that starts an extraction.
var createRoutes = map[string]string{palenca: "POST /v1/users/accounts", buro: "POST /verifications"}

// faultIn is the case's fault for a call of one dialect.
func (c *uglyCase) faultIn(dialect, route string) *fault {
	f := c.faults[dialect]
	f.Dialect, f.Route = dialect, cmp.Or(route, f.Route, createRoutes[dialect])
	return &f
}

// caseIn finds a case as one dialect plays it; nil when it does not.
func caseIn(name, dialect string) *uglyCase {
	for i, c := range uglyCases {
		if c.name == name && slices.Contains(c.in, dialect) {
			return &uglyCases[i]
		}
	}
	return nil
}

// uglyOrder asks for a case the next times that it can strike.
type uglyOrder struct {
	Case    string `json:"case"`
	Dialect string `json:"dialect"`
	Times   int    `json:"times"`           // left
	Every   int    `json:"every,omitempty"` // strikes each n-th occasion only; 0 and 1 = each
	Seen    int    `json:"seen,omitempty"`  // occasions so far
	Route   string `json:"route,omitempty"` // of cases of the API, as in fail_next
}

func (o uglyOrder) check() error {
	if caseIn(o.Case, o.Dialect) == nil {
		return fmt.Errorf("ugly: no case %q in dialect %q", o.Case, o.Dialect)
	}
	if o.Times < 1 || o.Every < 0 || o.Seen < 0 {
		return fmt.Errorf("ugly: times %d, every %d", o.Times, o.Every)
	}
	return nil
}

// takeOrder uses up one time of the first order that fits and whose turn it is.
// The caller holds the lock and commits.
func (s *Server) takeOrder(dialect string, fits func(*uglyCase, uglyOrder) bool) *uglyOrder {
	sw := s.st.switches.get("all")
	for i := range sw.Ugly {
		o := sw.Ugly[i]
		if o.Dialect != dialect || !fits(caseIn(o.Case, dialect), o) {
			continue
		}
		o.Seen++
		strikes := o.Every < 2 || o.Seen%o.Every == 0
		if strikes {
			o.Times--
		}
		left := slices.Clone(sw.Ugly) // the journal may still hold the old list
		if left[i] = o; o.Times == 0 {
			left = slices.Delete(left, i, i+1)
		}
		sw.Ugly = left
		s.st.switches.put("all", sw)
		if strikes {
			return &o
		}
	}
	return nil
}

// struck tells which case strikes an extraction at one of its ends: the
// person's own, or one that was ordered. The caller holds the lock and commits.
func (s *Server) struck(at stage, dialect, identifier string) *uglyCase {
	if p := known(identifier); p != nil && p.ugly != "" {
		if c := caseIn(p.ugly, dialect); c != nil && c.stage == at {
			return c
		}
		return nil
	}
	if o := s.takeOrder(dialect, func(c *uglyCase, _ uglyOrder) bool { return c.stage == at }); o != nil {
		return caseIn(o.Case, dialect)
	}
	return nil
}

// strikes tells whether a case can spoil an event.
func (c *uglyCase) strikes(l letter) bool {
	if c == nil || c.stage != onEvent {
		return false
	}
	if c.created && l.dialect == palenca {
		return l.action == "login.created"
	}
	return l.final
}

// possible tells whether the webhook's deliveries carry what the case spoils.
func (c *uglyCase) possible(l letter) bool {
	return c.needs == "" || c.needs == "signature" && l.signed || c.needs == "jwt" && l.jwt
}

// twist turns an event into the deliveries that are really made of it.
func (s *Server) twist(l letter, d delivery) []delivery {
	var c *uglyCase
	if l.ugly != "" { // asked for this very event
		c = caseIn(l.ugly, l.dialect)
	} else if p := known(l.person); p != nil && p.ugly != "" {
		if c = caseIn(p.ugly, l.dialect); !c.strikes(l) {
			c = nil
		}
	} else if o := s.takeOrder(l.dialect, func(c *uglyCase, _ uglyOrder) bool { return c.strikes(l) && c.possible(l) }); o != nil {
		c = caseIn(o.Case, l.dialect)
	} else {
		c = s.st.switches.get("all").Storm.strike(l)
	}
	if c == nil || c.event == nil || !c.possible(l) {
		return []delivery{d}
	}
	d.Ugly = c.name
	return c.event(s, l, d)
}

// personFault is the fault that a named person's case puts in the place of the
// call that would start the extraction; nil for everybody else.
func personFault(identifier, dialect string) *fault {
	p := known(identifier)
	if p == nil || p.ugly == "" {
		return nil
	}
	c := caseIn(p.ugly, dialect)
	if c == nil || c.stage != onCall || c.faults[dialect].Mode == "rewrite" {
		return nil
	}
	return c.faultIn(dialect, "")
}

// personRewriting changes the answers about a named person whose case shows in
// answers, too.
func personRewriting(identifier string) *fault {
	if p := known(identifier); p != nil && rewritings[p.ugly] != nil {
		return &fault{Mode: "rewrite", Rewrite: p.ugly}
	}
	return nil
}

func token(kind string) func(*Server, letter, delivery) []delivery {
	return func(_ *Server, _ letter, d delivery) []delivery {
		d.Token = kind
		return []delivery{d}
	}
}

func shaped(shape string) func(*Server, letter, delivery) []delivery {
	return func(_ *Server, _ letter, d delivery) []delivery {
		d.Shape = shape
		return []delivery{d}
	}
}

// altered changes the text after it was signed.
func altered(_ *Server, l letter, d delivery) []delivery {
	d.Signed = d.Body
	d.Body = edit(l.dialect, d.Body, alter)
	return []delivery{d}
}

// strangerFirst sends an event with a name that is on no page before the real one.
func strangerFirst(_ *Server, l letter, d delivery) []delivery {
	stranger := d
	stranger.Action = strangeAction[l.dialect]
	stranger.Body = edit(l.dialect, d.Body, func(dialect string, o object) object {
		return o.set(actionField[dialect], strangeAction[dialect])
	})
	return []delivery{stranger, d}
}

// changed edits the object that tells the event.
func changed(change func(string, object) object) func(*Server, letter, delivery) []delivery {
	return func(_ *Server, l letter, d delivery) []delivery {
		d.Body = edit(l.dialect, d.Body, change)
		return []delivery{d}
	}
}

// impossiblePerson names somebody in an event who cannot be.
func impossiblePerson(_ *Server, _ letter, d delivery) []delivery {
	d.Body = badCURPs(d.Body, true)
	return []delivery{d}
}

func rewritten(how string) func(*Server, letter, delivery) []delivery {
	return func(_ *Server, _ letter, d delivery) []delivery {
		d.Body = rewritings[how](d.Body)
		return []delivery{d}
	}
}
