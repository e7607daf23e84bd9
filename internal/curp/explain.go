package curp

import (
	"log/slog"
	"strings"
	"time"
)

// Verdict is what a check, or a part of it, comes to, in rising weight.
type Verdict int

const (
	Short Verdict = iota // not complete, nothing forbidden so far; of a part: nothing to judge yet
	Pass                 // form and digit agree; says nothing about existence
	Warn                 // improbable: to be confirmed by a person
	Block                // cannot be a CURP
)

func (v Verdict) String() string {
	return [...]string{"short", "pass", "warn", "block"}[v]
}

// Reason is a message id and its arguments, pairs for locale's Printer.T. A
// count comes as "Count", a birth date as time.Time under "Birth" (and "Later").
//
// Arguments quote what was typed, so fmt and slog print the id alone.
type Reason struct {
	ID   string
	Args []any
}

// Say puts the reason into words with a printer's T and Date, which writes the
// dates among the arguments the way the language does.
func (r Reason) Say(t func(id string, kv ...any) string, date func(time.Time) string) string {
	args := make([]any, len(r.Args))
	for i, a := range r.Args {
		if d, ok := a.(time.Time); ok {
			a = date(d)
		}
		args[i] = a
	}
	return t(r.ID, args...)
}

// String is the id.
func (r Reason) String() string { return r.ID }

// LogValue is the id, for slog.
func (r Reason) LogValue() slog.Value { return slog.StringValue(r.ID) }

// Part is one stretch of the text and what it says. Name is one of initials,
// birth, sex_state, consonants, differentiator, digit; Reason is a short note,
// there for a pass too.
type Part struct {
	Name, Text string
	Verdict    Verdict
	Reason     Reason
}

// String leaves the text out.
func (p Part) String() string { return p.Name + ": " + p.Verdict.String() }

// LogValue leaves the text out, for slog.
func (p Part) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Check is what a typed CURP says. Parts holds those reached so far. Headline
// is the one sentence to show: the first block, else the first warning, else
// what is missing, else the pass.
//
// A text still short of 18 is Short even when a part warns, so that Warn always
// means "complete, and may be sent once confirmed".
type Check struct {
	Text     string
	IsRFC    bool    // read as an RFC, of the kind below (ExplainEither only)
	RFC      RFCKind // whom that stands for
	Parts    []Part
	Verdict  Verdict
	Headline Reason
}

// Blocked reports that the text cannot become a CURP by typing on.
func (c Check) Blocked() bool { return c.Verdict == Block }

// Warned reports a complete text that a person should confirm.
func (c Check) Warned() bool { return c.Verdict == Warn }

// DigitOnly reports that the check digit is the only thing to confirm.
func (c Check) DigitOnly() bool {
	if c.Verdict != Warn {
		return false
	}
	for _, p := range c.Parts {
		if p.Verdict == Warn && p.Name != "digit" {
			return false
		}
	}
	return true
}

// Slots holds all six stretches in order, for a page that keeps a place for each: those not reached yet have dots for
// characters and the note of what belongs there. An RFC has fewer, and only those reached.
func (c Check) Slots() []Part {
	slots := append(make([]Part, 0, len(parts)), c.Parts...)
	if c.IsRFC {
		return slots
	}
	for _, p := range parts[len(c.Parts):] {
		slots = append(slots, Part{p.name, strings.Repeat("·", p.to-p.from), Short, Reason{ID: "curp.name." + p.name}})
	}
	return slots
}

// String leaves the text out, so that a stray %v tells nobody's CURP.
func (c Check) String() string { return c.Verdict.String() + ": " + c.Headline.ID }

// LogValue leaves the text out, for slog.
func (c Check) LogValue() slog.Value { return slog.StringValue(c.String()) }

// finding is the judgement on one part: the note beside it, and the sentence
// above all when this part decides.
type finding struct {
	verdict   Verdict
	note, say string
	args      []any
}

func passed(note string, args ...any) finding {
	return finding{Pass, "curp.part." + note, "", args}
}

func typing(note string) finding {
	return finding{Short, "curp.part." + note, "", nil}
}

func warned(name string, args ...any) finding {
	return finding{Warn, "curp.part." + name, "curp.reason." + name, args}
}

func blocked(name string, args ...any) finding {
	return finding{Block, "curp.part." + name, "curp.reason." + name, args}
}

// parts lists the stretches, from and to as slice bounds. A judge sees the whole
// text typed so far, because the century of the birth stands at position 17.
var parts = []struct {
	name     string
	from, to int
	judge    func(t []rune, today time.Time) finding
}{
	{"initials", 0, 4, initials},
	{"birth", 4, 10, birth},
	{"sex_state", 10, 13, sexState},
	{"consonants", 13, 16, consonants},
	{"differentiator", 16, 17, differentiator},
	{"digit", 17, 18, digit},
}

// Explain cleans s and reads it part by part; partial input is welcome. The
// calendar date of today, in its own zone, decides whether a birth lies ahead.
func Explain(s string, today time.Time) Check {
	c := Check{Text: Clean(s)}
	text := []rune(c.Text)
	typed := text[:min(len(text), Length)]
	var worst finding
	for _, p := range parts {
		if len(typed) <= p.from {
			break
		}
		f := p.judge(typed, today)
		if f.verdict > max(worst.verdict, Pass) {
			worst = f
		}
		c.Parts = append(c.Parts, Part{p.name, string(typed[p.from:min(p.to, len(typed))]), f.verdict, Reason{f.note, f.args}})
	}
	c.Verdict, c.Headline = conclude(len(text), worst)
	return c
}

// conclude puts the length beside the first of the worst findings. Too long
// comes before all: one character too many makes every later position look wrong.
func conclude(length int, worst finding) (Verdict, Reason) {
	missing := Length - length
	switch {
	case missing < 0:
		return Block, Reason{"curp.reason.too_long", []any{"Count", -missing, "Total", length}}
	case worst.verdict == Block:
		return Block, Reason{worst.say, worst.args}
	case length == 0:
		return Short, Reason{ID: "curp.reason.empty"}
	case missing > 0 && worst.verdict == Warn:
		return Short, Reason{worst.say, worst.args}
	case missing > 0:
		return Short, Reason{"curp.reason.short", []any{"Count", missing, "Total", length}}
	case worst.verdict == Warn:
		return Warn, Reason{worst.say, worst.args}
	}
	return Pass, Reason{ID: "curp.reason.pass"}
}
