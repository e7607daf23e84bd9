// Package locale holds every sentence a person reads, in Mexican Spanish and
// in English, and writes numbers, money, dates and durations the way a reader
// of that language expects them.
//
// Sentences live in messages/<subject>.<es|en>.json and nowhere else. An id is
// spelled in full in its file, nested objects joined by dots, and starts with
// its subject: {"lookups": {"list": {"title": "Consultas"}}} is
// "lookups.list.title". A plural is an object with "one" and "other". The words
// zero, one, two, few, many, other, id, description, hash, leftDelim and
// rightDelim belong to go-i18n: no id may use one of them as a segment.
package locale

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a slim image has no zone database

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// Languages lists what Printer.Lang can answer, the default first.
var Languages = []string{"es-MX", "en"}

var matcher = language.NewMatcher([]language.Tag{language.MustParse("es-MX"), language.English})

// Match picks the language for a reader from an Accept-Language header or a
// single tag: "es-MX" or "en". Anything else, malformed or empty, is "es-MX",
// the language of the people this console is made for.
func Match(acceptLanguage string) string {
	_, index := language.MatchStrings(matcher, acceptLanguage)
	return Languages[index]
}

// mexicoCity is the zone of a user who has not chosen one.
var mexicoCity = func() *time.Location {
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		panic("locale: " + err.Error()) // cannot happen: the database is linked in
	}
	return zone
}()

// Printer writes for one reader: a language and a time zone. It is immutable
// and safe for concurrent use.
type Printer struct {
	speech *speech
	zone   *time.Location
}

// For returns the Printer for a language ("es-MX" or "en"; a regional form
// such as "en-GB" counts as its language, anything unknown as "es-MX") and a
// zone (nil is America/Mexico_City).
func For(lang string, zone *time.Location) *Printer {
	if zone == nil {
		zone = mexicoCity
	}
	return &Printer{speech: speeches()[Match(lang)], zone: zone}
}

// Lang is the value for <html lang>: "es-MX" or "en".
func (p *Printer) Lang() string { return p.speech.lang }

// Zone is the zone that DateTime, Clock and Ago write in.
func (p *Printer) Zone() *time.Location { return p.zone }

// Has tells whether the id exists. Use it where part of an id is a word from
// outside (a vendor's status, an event name) and the set is open.
func (p *Printer) Has(id string) bool {
	_, ok := p.speech.messages[id]
	return ok
}

// T returns the message with its blanks filled from pairs "Name", value. The
// name "Count" takes an integer, picks the plural and is printed as by Number;
// other values are printed as fmt does. A missing id, a blank left open, a
// count that is no integer or a broken pair yields "⟨id⟩": visible, and fatal
// in tests, but never a failed page.
func (p *Printer) T(id string, kv ...any) string {
	message, ok := p.speech.messages[id]
	if !ok {
		return "⟨" + id + "⟩"
	}
	// Most messages have no plural. A page says thousands of them, for which a template would take most of its time.
	if pieces, ok := p.speech.pieces[id]; ok {
		text, ok := fill(pieces, kv)
		if !ok {
			return "⟨" + id + "⟩"
		}
		return text
	}
	config, err := p.config(id, kv)
	if err != nil {
		return "⟨" + id + "⟩"
	}
	text, err := p.speech.localizer.Localize(config)
	if err != nil || message.One != "" && config.PluralCount == nil {
		return "⟨" + id + "⟩"
	}
	return text
}

// fill writes the pieces of a message with values in its blanks; false when
// one is left open or a pair is broken.
func fill(pieces []string, kv []any) (string, bool) {
	if len(pieces) == 1 {
		return pieces[0], true
	}
	if len(kv)%2 != 0 {
		return "", false
	}
	var text strings.Builder
	for i, piece := range pieces {
		if i%2 == 0 {
			text.WriteString(piece)
			continue
		}
		at := len(kv) - 2
		for at >= 0 && kv[at] != any(piece) {
			at -= 2
		}
		if at < 0 {
			return "", false
		}
		if value, ok := kv[at+1].(string); ok {
			text.WriteString(value)
		} else {
			fmt.Fprint(&text, kv[at+1])
		}
	}
	return text.String(), true
}

// strict refuses a blank without a value, which go-i18n would print as
// "<no value>".
var strict = &template.TextParser{Option: "missingkey=error"}

// config turns the pairs of T into what go-i18n wants.
func (p *Printer) config(id string, kv []any) (*i18n.LocalizeConfig, error) {
	if len(kv)%2 != 0 {
		return nil, fmt.Errorf("locale: %s: a name without a value", id)
	}
	config := &i18n.LocalizeConfig{MessageID: id, TemplateParser: strict}
	data := make(map[string]any, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		name, ok := kv[i].(string)
		if !ok {
			return nil, fmt.Errorf("locale: %s: name %d is no string", id, i/2)
		}
		value := kv[i+1]
		if name == "Count" {
			count, ok := integer(value)
			if !ok {
				return nil, fmt.Errorf("locale: %s: Count is no integer", id)
			}
			config.PluralCount, value = count, p.Number(count)
		}
		data[name] = value
	}
	config.TemplateData = data
	return config, nil
}

// integer accepts the integer types that len, SQL counts and settings have.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case int16:
		return int64(n), true
	}
	return 0, false
}
