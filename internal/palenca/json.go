package palenca

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The types of this file read what the vendor sends in more than one way. Absent is null, a missing key, "" and the
// string "None" (docs/vendor.md#none).

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

// amount is a decimal number with the digits exactly as received; 1150.50 stays 1150.50 (docs/vendor.md#salary).
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

// count is a whole number, sent as a number or as a string (docs/vendor.md#weeks); nil when absent.
type count struct{ n *int }

// wholeNumber admits 214.0, which a language without integers makes of 214.
var wholeNumber = regexp.MustCompile(`^(-?[0-9]{1,9})(\.0+)?$`)

func (c *count) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	if err != nil {
		return badCount
	}
	c.n = nil
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

// date is a calendar date. The vendor's older pages write a date-time: its date part counts as written, because
// moving it to another zone could change the day a job began.
type date struct{ time.Time }

func (d *date) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	if err != nil {
		return badDate
	}
	d.Time = time.Time{}
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

// moment is a point in time with or without a zone (none: UTC) and with up to nine decimals. We only sort by it, so one
// that cannot be read is no fault.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	m.Time = time.Time{}
	s, err := scalar(b)
	if err != nil {
		return nil
	}
	s = strings.Replace(strings.TrimSpace(s), " ", "T", 1)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil
}

// many is a list, null, or one object where a list is documented; 2023 clients saw all three.
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

// first gives the first of its arguments that says something.
func first(of ...text) string {
	for _, t := range of {
		if t != "" {
			return string(t)
		}
	}
	return ""
}
