package buro

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The types of this file read what the vendor sends in more than one way. Absent is null, a missing key, "" and the
// string "None", which its sister API sends (docs/vendor-buro.md#buro-values).

// text is a string, or a scalar as it was written. NUL is legal in JSON and refused by PostgreSQL, so it is dropped.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	*t = text(s)
	return err
}

// scalar gives the text of a JSON scalar: a string's content, a number or boolean as written, "" for null and the other
// spellings of absent. Spaces around a value are the source's and stay.
func scalar(b []byte) (string, error) {
	switch b = bytes.TrimSpace(b); {
	case len(b) == 0, b[0] == 'n':
		return "", nil
	case b[0] == '{', b[0] == '[':
		return "", badText
	case b[0] != '"':
		return string(b), nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return "", badText
	}
	s = strings.ReplaceAll(s, "\x00", "")
	if absent(s) {
		return "", nil
	}
	return s, nil
}

func absent(s string) bool {
	s = strings.TrimSpace(s)
	return s == "" || s == "None"
}

// amount is a decimal number with the digits exactly as received; 1150.50 stays 1150.50
// (docs/vendor-buro.md#buro-employment). Salaries come as numbers, the estimated income as text.
type amount string

// decimal leaves out exponents: the vendor writes none, and 1e400000 would be one more way to stop a database.
var decimal = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,20})?$`)

func (a *amount) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	if err != nil {
		return badAmount
	}
	if s = strings.TrimSpace(s); s != "" && !decimal.MatchString(s) {
		return badAmount
	}
	*a = amount(s)
	return nil
}

// count is a whole number, sent as a number or as a string; nil when absent.
type count struct{ n *int }

// wholeNumber admits 250.0, which a language without integers makes of 250.
var wholeNumber = regexp.MustCompile(`^(-?[0-9]{1,9})(\.0+)?$`)

func (c *count) UnmarshalJSON(b []byte) error {
	c.n = nil
	s, err := scalar(b)
	if err != nil {
		return badCount
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	parts := wholeNumber.FindStringSubmatch(s)
	if parts == nil {
		return badCount
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return badCount
	}
	c.n = &n
	return nil
}

// flag is a boolean, also spelled as text or as 0 and 1; nil when absent. The older version of the webhook page lacks
// can_retry, and absent is not false.
type flag struct{ b *bool }

func (f *flag) UnmarshalJSON(b []byte) error {
	f.b = nil
	s, err := scalar(b)
	if err != nil {
		return badFlag
	}
	var yes bool
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "":
		return nil
	case "true", "1":
		yes = true
	case "false", "0":
	default:
		return badFlag
	}
	f.b = &yes
	return nil
}

// on reads an absent flag as off.
func on(b *bool) bool { return b != nil && *b }

// date is a calendar date. Of a date-time the date part counts as written, because moving it to another zone could
// change the day a job began.
type date struct{ time.Time }

func (d *date) UnmarshalJSON(b []byte) error {
	d.Time = time.Time{}
	s, err := scalar(b)
	if err != nil {
		return badDate
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	// Only a time may follow the date; 2023-02-280 is not the 28th.
	if len(s) > 10 && s[10] != 'T' && s[10] != ' ' || len(s) < 10 {
		return badDate
	}
	if d.Time, err = time.Parse(time.DateOnly, s[:10]); err != nil {
		return badDate
	}
	return nil
}

// moment is a point in time, with none to nine decimals, with or without a zone (none: UTC). Its text is kept beside
// it, to compare two without losing decimals.
type moment struct {
	time.Time
	text string
}

func (m *moment) UnmarshalJSON(b []byte) error {
	*m = moment{}
	s, err := scalar(b)
	if err != nil {
		return badDate
	}
	m.text = s
	s = strings.Replace(strings.TrimSpace(s), " ", "T", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil // we only sort by it and show it; one that cannot be read is no fault
}

// many is a list, null, or one object where a list is documented.
type many[T any] []T

func (m *many[T]) UnmarshalJSON(b []byte) error {
	*m = nil
	switch b = bytes.TrimSpace(b); {
	case len(b) == 0, b[0] == 'n', string(b) == `"None"`, string(b) == `""`:
		return nil
	case b[0] == '{':
		if len(bytes.TrimSpace(b[1:len(b)-1])) == 0 {
			return nil
		}
		var one T
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		*m = many[T]{one}
		return nil
	case b[0] != '[':
		return badText
	}
	var list []*T // pointers, to tell a null among the items
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	for _, one := range list {
		if one != nil {
			*m = append(*m, *one)
		}
	}
	return nil
}

// listOf reads an answer that is a bare list, as the webhook page has its two, or an object with the list under name.
func listOf[T any](a answer, op, name string) ([]T, error) {
	body := bytes.TrimSpace(a.raw.Body)
	if len(body) > 0 && body[0] == '{' {
		var wrapper map[string]json.RawMessage
		if json.Unmarshal(body, &wrapper) != nil {
			return nil, unreadable(op, a, nil)
		}
		body = bytes.TrimSpace(wrapper[name])
	}
	// many would take a lone object for a list of one; here an object without the list is some other answer.
	if len(body) == 0 || body[0] != '[' {
		return nil, unreadable(op, a, nil)
	}
	var list many[T]
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, unreadable(op, a, err)
	}
	return list, nil
}

// first gives the first of its arguments that says something.
func first(of ...text) string {
	for _, t := range of {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

// Secret is text that must not be shown: printed, logged or marshalled it hides itself. Only a request's body and our
// seal get at it, by converting it to a string.
type Secret string

const hidden = "[secret]"

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
