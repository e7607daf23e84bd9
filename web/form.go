package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Ids of the sentences this package asks for; the product's message files must have each of them.
const (
	MsgFormUnreadable = "web.form.unreadable" // the body is no form, or over its limits
	MsgFormText       = "web.form.text"       // a value holds bytes that are no text
	MsgFormNumber     = "web.form.number"     // a value should be a whole number; Args: Lowest, Highest
)

// MessageIDs lists the ids above, for a test of the message files.
func MessageIDs() []string { return []string{MsgFormUnreadable, MsgFormText, MsgFormNumber} }

// FormLimits bounds a form; a zero field stands for the default beside it.
type FormLimits struct {
	Bytes  int64 // 64 KiB of encoded body
	Fields int   // 100 values
	Value  int   // 16 KiB for one decoded value
}

// FieldError says what is wrong with one field: a locale id and, in pairs of name and value, what goes into its
// sentence. Args never hold what the person typed.
type FieldError struct {
	Field string
	ID    string
	Args  []any
}

// FieldErrors holds the first error of each field, by field name.
type FieldErrors map[string]FieldError

// Add records an error unless the field has one already: a person mends one thing at a time.
func (e FieldErrors) Add(field, id string, args ...any) {
	if _, ok := e[field]; !ok {
		e[field] = FieldError{Field: field, ID: id, Args: args}
	}
}

// Any reports whether a field is wrong.
func (e FieldErrors) Any() bool { return len(e) > 0 }

// Form is a decoded form. Names and values are valid UTF-8 without NUL.
type Form struct {
	values map[string][]string
	Errors FieldErrors
}

// ParseForm reads the body of a POST as application/x-www-form-urlencoded. The query is not part of it: a link
// must not be able to fill in a form (OWASP ASVS 5.0, 15.3.7). It fails with kind 400 or 413; the error does not quote the body.
func ParseForm(r *http.Request, limits FormLimits) (*Form, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" || r.Body == nil {
		return nil, BadRequest(MsgFormUnreadable)
	}
	limit := orDefault(limits.Bytes, 64<<10)
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), int64(len(body)) > limit:
		return nil, TooLarge(errFormSize)
	case err != nil:
		return nil, BadRequest(MsgFormUnreadable) // the connection broke, or was too slow
	}
	return decodeForm(body, limits)
}

var errFormSize = errors.New("web: form over its size limit")

func decodeForm(body []byte, limits FormLimits) (*Form, error) {
	maxFields, maxValue := orDefault(limits.Fields, 100), orDefault(limits.Value, 16<<10)
	if bytes.Count(body, []byte("&")) >= maxFields {
		return nil, TooLarge(errFormSize)
	}
	f := &Form{values: map[string][]string{}, Errors: FieldErrors{}}
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		// url.ParseQuery would do, but its errors quote what was typed.
		name, err1 := url.QueryUnescape(rawName)
		value, err2 := url.QueryUnescape(rawValue)
		if err1 != nil || err2 != nil {
			return nil, BadRequest(MsgFormUnreadable)
		}
		if len(value) > maxValue {
			return nil, TooLarge(errFormSize)
		}
		if !isText(name) || !isText(value) {
			return nil, BadRequest(MsgFormText)
		}
		f.values[name] = append(f.values[name], value)
	}
	return f, nil
}

// isText refuses what PostgreSQL's text type refuses, here, where it is the client's mistake and not ours.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// Raw returns the first value as sent, for passwords, whose spaces count (OWASP ASVS 5.0, 6.2.8).
func (f *Form) Raw(name string) string {
	if v := f.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Get returns the first value without surrounding white space and with line ends as \n.
func (f *Form) Get(name string) string { return tidy(f.Raw(name)) }

// All returns every value of a name, tidied as by Get.
func (f *Form) All(name string) []string {
	all := make([]string, 0, len(f.values[name]))
	for _, v := range f.values[name] {
		all = append(all, tidy(v))
	}
	return all
}

func tidy(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
}

// Values gives every value as sent, to be sent again.
func (f *Form) Values() url.Values {
	all := make(url.Values, len(f.values))
	for name, values := range f.values {
		all[name] = slices.Clone(values)
	}
	return all
}

// Has reports whether the form has the name at all, be it empty.
func (f *Form) Has(name string) bool { return len(f.values[name]) > 0 }

// Bool reports whether a check box was ticked: browsers send "on", scripts also "true" or "1".
func (f *Form) Bool(name string) bool {
	switch f.Get(name) {
	case "on", "true", "1":
		return true
	}
	return false
}

// Int returns a whole number between lowest and highest. For anything else, also an absent one, it records
// MsgFormNumber and returns lowest.
func (f *Form) Int(name string, lowest, highest int64) int64 {
	n, err := strconv.ParseInt(f.Get(name), 10, 64)
	if err != nil || n < lowest || n > highest {
		f.Errors.Add(name, MsgFormNumber, "Lowest", lowest, "Highest", highest)
		return lowest
	}
	return n
}
