package sandbox

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// object is a JSON object that keeps the order of its fields: a changed event
// must differ from a good one in nothing but the change.
type object []field

type field struct {
	name  string
	value json.RawMessage
}

// readObject takes a text of our own making.
func readObject(text []byte) object {
	dec := json.NewDecoder(bytes.NewReader(text))
	var o object
	_, _ = dec.Token() // {
	for dec.More() {
		name, _ := dec.Token()
		var f field
		f.name, _ = name.(string)
		if dec.Decode(&f.value) != nil {
			break
		}
		o = append(o, f)
	}
	return o
}

func (o object) text() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encode(f.name))
		b.WriteByte(':')
		b.Write(f.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (o object) get(name string) string {
	for _, f := range o {
		if f.name == name {
			return string(f.value)
		}
	}
	return ""
}

// set replaces a field in its place, or appends it.
func (o object) set(name string, value any) object {
	for i := range o {
		if o[i].name == name {
			o[i].value = encode(value)
			return o
		}
	}
	return append(o, field{name, encode(value)})
}

func (o object) drop(names ...string) object {
	var left object
	for _, f := range o {
		keep := true
		for _, n := range names {
			keep = keep && f.name != n
		}
		if keep {
			left = append(left, f)
		}
	}
	return left
}

// edit changes the object of an event that tells what happened: the whole of
// Buró's, the data of Palenca's.
func edit(dialect, body string, change func(string, object) object) string {
	o := readObject([]byte(body))
	if dialect == buro {
		return string(change(dialect, o).text())
	}
	data := change(dialect, readObject([]byte(o.get("data"))))
	return string(o.set("data", json.RawMessage(data.text())).text())
}

var (
	actionField   = map[string]string{palenca: "webhook_action", buro: "event"}
	strangeAction = map[string]string{palenca: "login.renewed", buro: "verification.renewed"}
)

// alter makes a change that a receiver would act upon.
func alter(dialect string, o object) object {
	if dialect == palenca {
		other := map[string]string{`"imss"`: "issste"}[o.get("platform")]
		if other == "" {
			other = "imss"
		}
		return o.set("platform", other)
	}
	return o.set("can_retry", o.get("can_retry") != "true")
}

func unknownEntity(_ string, o object) object {
	var entities []string
	_ = json.Unmarshal([]byte(o.get("entities")), &entities)
	return o.set("entities", append(entities, "pension_fund"))
}

// noneString is how a program in Python prints a missing value into JSON.
func noneString(_ string, o object) object { return o.set("external_id", "None") }

// nullCharacter is good JSON and no good text for PostgreSQL (product of a
// fixed-width field read to its end).
func nullCharacter(_ string, o object) object {
	var external string
	_ = json.Unmarshal([]byte(o.get("external_id")), &external)
	return o.set("external_id", external+"\x00").set("note", "a\x00b")
}

// missingFields leaves what older pages of the vendors have.
func missingFields(dialect string, o object) object {
	if dialect == palenca {
		return o.drop("user_id", "external_id", "platform", "status_details")
	}
	return o.drop("can_retry", "last_updated_at", "external_id")
}

var (
	momentText = regexp.MustCompile(`"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)"`)
	curpText   = regexp.MustCompile(`("identifier":)?"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d"`)
	nameText   = regexp.MustCompile(`"(employer|first_name)":"([^"]*)"`)
)

// impossibleCURP is printed in the vendor's own page; no state is called GF.
const impossibleCURP = "OICE940722HGFRST08"

// badCURPs makes the CURPs of a text impossible. In an answer the identifier
// stays that of the question: another one would be another person's data, which
// is to be refused.
func badCURPs(text string, identifier bool) string {
	return curpText.ReplaceAllStringFunc(text, func(found string) string {
		if name, _, named := strings.Cut(found, ":"); named {
			if !identifier {
				return found
			}
			return name + `:"` + impossibleCURP + `"`
		}
		return `"` + impossibleCURP + `"`
	})
}

// rewritings change a finished JSON text, of an event or of an answer.
var rewritings = map[string]func(string) string{
	"nine_decimals":  func(text string) string { return momentText.ReplaceAllString(text, `"$1.123456789$3"`) },
	"zoneless":       func(text string) string { return momentText.ReplaceAllString(text, `"$1$2"`) },
	"invalid_curp":   func(text string) string { return badCURPs(text, false) },
	"null_character": func(text string) string { return nameText.ReplaceAllString(text, `"$1":"$2\u0000"`) },
}

const (
	// hugeBytes is past the megabyte at which receivers cut off.
	hugeBytes = 1<<20 + 1<<10
	// deepLevels is past the 10,000 at which encoding/json gives up.
	deepLevels = 20_000
)

// shape gives a body its size on its way out; it is not kept so in the state.
func shape(body, how string) []byte {
	open := strings.TrimSuffix(body, "}")
	switch how {
	case "huge":
		return []byte(open + `,"padding":"` + strings.Repeat("x", hugeBytes) + `"}`)
	case "deep":
		return []byte(open + `,"depth":` + strings.Repeat("[", deepLevels) + strings.Repeat("]", deepLevels) + `}`)
	case "empty":
		return nil
	}
	return []byte(body)
}
