package views

import (
	"slices"
	"strconv"

	"github.com/a-h/templ"
)

// Input is one field of a form: its label, its value as the person typed it, and what is wrong with it.
type Input struct {
	Name         string // form name, and the element's id unless ID is set
	ID           string
	Type         string // "text" unless set
	Label        string
	Optional     bool   // says so beside the label
	Unit         string // beside the label, such as "por minuto"
	Value        string
	Help         string
	Err          Note
	Warn         bool // the value is doubtful rather than wrong
	Class        string
	Placeholder  string
	Autocomplete string // "off" unless set
	Required     bool
	ReadOnly     bool
	Attrs        templ.Attributes // anything else, such as maxlength or hx-post
}

// Option is one of the values of a Choice.
type Option struct {
	Value, Word, Help string
}

// Choice is a field with a fixed set of values: a Select, or Picks (radio buttons).
type Choice struct {
	Name     string
	ID       string
	Label    string
	Optional bool
	Value    string
	Options  []Option
	Help     string
	Err      Note
}

// Tick is a box to be ticked.
type Tick struct {
	Name     string
	ID       string
	Value    string // "on" unless set
	Word     string
	Help     string
	Checked  bool
	Required bool
	Err      Note
}

func (in Input) id() string { return orElse(in.ID, in.Name) }

func (c Choice) id() string { return orElse(c.ID, c.Name) }

func (t Tick) id() string { return orElse(t.ID, t.Name) }

// explained tells whether options come with a help of their own, and so need a line each.
func (c Choice) explained() bool {
	return slices.ContainsFunc(c.Options, func(o Option) bool { return o.Help != "" })
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// attributes of the input element: those that are there or not, depending on the value.
func (in Input) attributes() templ.Attributes {
	a := templ.Attributes{"autocomplete": orElse(in.Autocomplete, "off")}
	if in.Placeholder != "" {
		a["placeholder"] = in.Placeholder
	}
	if in.Required {
		a["required"] = true
	}
	if in.ReadOnly {
		a["readonly"] = true
	}
	if in.Warn {
		a["data-warn"] = true
	}
	for k, v := range described(in.id(), in.Help, in.Err) {
		a[k] = v
	}
	for k, v := range in.Attrs {
		a[k] = v
	}
	return a
}

// described ties a control to its help and its error, so that a screen reader says both on focus (WCAG 2.2, 1.3.1 and
// 3.3.1). The error comes first: it is what the reader has to act on.
func described(id, help string, err Note) templ.Attributes {
	a := templ.Attributes{}
	by := ""
	if err.Is() {
		a["aria-invalid"] = "true"
		by = id + "-error"
	}
	if help != "" {
		if by != "" {
			by += " "
		}
		by += id + "-help"
	}
	if by != "" {
		a["aria-describedby"] = by
	}
	return a
}

// FieldError is one entry of the list above a refused form.
type FieldError struct {
	Field string // id of the control it leads to
	Note  Note
}

// InOrder lists a form's errors in the order of its fields, because a map has none; a field not named comes last.
func InOrder(errors map[string]Note, fields ...string) []FieldError {
	var list []FieldError
	for _, field := range fields {
		if note, ok := errors[field]; ok {
			list = append(list, FieldError{Field: field, Note: note})
		}
	}
	if note, ok := errors[""]; ok { // about the form as a whole
		list = append(list, FieldError{Note: note})
	}
	return list
}

func pickID(id string, i int) string {
	if i == 0 {
		return id
	}
	return id + "-" + strconv.Itoa(i)
}
