package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/google/uuid"
)

// form reads a JSON body field by field and sorts what is wrong with it into
// the vendor's two shapes of 422: a value that breaks the schema gets the
// framework's {"detail":[…]}, a required parameter that is absent gets
// bad_request in the envelope (docs/sandbox.md#two-kinds-of-422).
type form struct {
	fields  map[string]json.RawMessage
	faults  []schemaFault
	missing []errorItem
}

// schemaFault is one entry of the framework's list; loc is ["body", field].
type schemaFault struct {
	Loc  []any  `json:"loc"`
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

// maxBody is far above any request of the API; the bulk list is not one.
const maxBody = 1 << 20

// readForm reads the body; nil means that the call is already answered.
// Unknown fields are ignored.
func readForm(w http.ResponseWriter, r *http.Request) *form {
	f := &form{}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			fail(w, http.StatusRequestEntityTooLarge, "bad_request", "The body is too large")
		}
		return nil
	}
	switch body = bytes.TrimSpace(body); {
	case len(body) == 0:
		f.faults = []schemaFault{{[]any{"body"}, "Field required", "missing"}}
	case json.Unmarshal(body, &f.fields) != nil || f.fields == nil:
		if json.Valid(body) {
			f.faults = []schemaFault{{[]any{"body"}, "Input should be a valid dictionary or object to extract fields from", "model_attributes_type"}}
		} else {
			f.faults = []schemaFault{{[]any{"body", 0}, "JSON decode error", "json_invalid"}}
		}
	}
	return f
}

// refused answers a bad form and reports whether it did.
func (f *form) refused(w http.ResponseWriter) bool {
	switch {
	case len(f.faults) > 0:
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": f.faults})
	case len(f.missing) > 0:
		fail(w, http.StatusUnprocessableEntity, "bad_request", "Malformed or missing parameter", f.missing...)
	default:
		return false
	}
	return true
}

// value returns a field's JSON, nil when it is absent or null.
func (f *form) value(name string) json.RawMessage {
	if v := f.fields[name]; string(v) != "null" {
		return v
	}
	return nil
}

func (f *form) fault(name, msg, kind string) {
	f.faults = append(f.faults, schemaFault{[]any{"body", name}, msg, kind})
}

// require notes an absent parameter, unless the field is already known to be
// broken: one mistake, one complaint.
func (f *form) require(name string, present bool) {
	if !present && len(f.faults) == 0 {
		f.missing = append(f.missing, errorItem{"Field required", name})
	}
}

// text returns an optional string, "" when absent; null and "" are the same.
func (f *form) text(name string) string {
	var s string
	if v := f.value(name); v != nil && json.Unmarshal(v, &s) != nil {
		f.fault(name, "Input should be a valid string", "string_type")
	}
	return s
}

// id returns an optional UUID in canonical form, "" when absent.
func (f *form) id(name string) string {
	s := f.text(name)
	if s == "" {
		return ""
	}
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		f.fault(name, "Input should be a valid UUID", "uuid_parsing")
		return ""
	}
	return id.String()
}

// oneOf returns an optional member of an enum, "" when absent.
func (f *form) oneOf(name string, allowed []string) string {
	s := f.text(name)
	if s != "" && !slices.Contains(allowed, s) {
		f.fault(name, "Input should be one of the listed values", "enum")
	}
	return s
}

// flag returns an optional bool, nil when absent.
func (f *form) flag(name string) *bool {
	v := f.value(name)
	if v == nil {
		return nil
	}
	var b bool
	if json.Unmarshal(v, &b) != nil {
		f.fault(name, "Input should be a valid boolean", "bool_type")
	}
	return &b
}
