package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of the JSON that is written anew: nothing a vendor sends comes near.
const (
	maxRewritten = 64 << 10 // bytes
	maxDepth     = 16
)

// node is a JSON value with its members in the order received, which
// encoding/json's own values would lose and a signature needs.
type node struct {
	kind    byte     // { [ " 0 (number) or l (true, false, null)
	text    string   // of a string, decoded; of a number or literal, as written
	names   []string // of an object's members
	members []node   // of an object or array
}

// parseTree reads a whole body; ok is false for what is no JSON, or too large.
func parseTree(body []byte) (root node, ok bool) {
	if len(body) > maxRewritten || !json.Valid(body) {
		return node{}, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // 1044.970 as a float would come back as 1044.97
	return parseNode(d, 0)
}

func parseNode(d *json.Decoder, depth int) (n node, ok bool) {
	token, err := d.Token()
	if err != nil || depth > maxDepth {
		return n, false
	}
	switch v := token.(type) {
	case json.Delim:
		n.kind = byte(v)
	case string:
		return node{kind: '"', text: v}, true
	case json.Number:
		return node{kind: '0', text: v.String()}, true
	default: // a bool, or nil
		return node{kind: 'l', text: strings.Replace(fmt.Sprint(v), "<nil>", "null", 1)}, true
	}
	for d.More() {
		if n.kind == '{' {
			name, err := d.Token()
			if err != nil {
				return n, false
			}
			n.names = append(n.names, name.(string)) // json.Valid saw to it
		}
		member, ok := parseNode(d, depth+1)
		if !ok {
			return n, false
		}
		n.members = append(n.members, member)
	}
	_, err = d.Token() // the closing bracket
	return n, err == nil
}

// style is how a library writes JSON.
type style struct {
	comma, colon string
	indent       string // per level; "" writes one line
	sorted       bool   // members by name
	ascii        bool   // \u escapes for all else
	html         bool   // \u escapes for < > &, U+2028 and U+2029, as Go does
	slashes      bool   // \/ as PHP does
	number       func(text string) string
}

func (s style) write(n node) []byte {
	var out bytes.Buffer
	s.node(&out, n, "\n")
	return out.Bytes()
}

// node writes a value; line is the line break before a value of its level.
func (s style) node(out *bytes.Buffer, n node, line string) {
	switch n.kind {
	case '"':
		s.quote(out, n.text)
	case '0':
		out.WriteString(s.number(n.text))
	case 'l':
		out.WriteString(n.text)
	default:
		s.members(out, n, line)
	}
}

func (s style) members(out *bytes.Buffer, n node, line string) {
	inner := line + s.indent
	order := make([]int, len(n.members))
	for i := range order {
		order[i] = i
	}
	if s.sorted && n.kind == '{' {
		// By bytes, as Go and Python do; in UTF-8 that is by code point.
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(n.names[a], n.names[b]) })
	}
	out.WriteByte(n.kind)
	for place, i := range order {
		if place > 0 {
			out.WriteString(s.comma)
		}
		// Node and Python agree: a line each, and [] or {} for what is empty.
		if s.indent != "" {
			out.WriteString(inner)
		}
		if n.kind == '{' {
			s.quote(out, n.names[i])
			out.WriteString(s.colon)
		}
		s.node(out, n.members[i], inner)
	}
	if s.indent != "" && len(order) > 0 {
		out.WriteString(line)
	}
	out.WriteByte(n.kind + 2) // { and } are two apart in ASCII, [ and ] too
}

// shortEscapes are those of ECMA-262 (QuoteJSONString), which Python, PHP and Go share.
var shortEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}

func (s style) quote(out *bytes.Buffer, text string) {
	out.WriteByte('"')
	for _, c := range text {
		short, escaped := shortEscapes[c]
		switch {
		case escaped:
			out.WriteString(short)
		case c == '/' && s.slashes:
			out.WriteString(`\/`)
		case c > 0xffff && s.ascii: // beyond the basic plane: a surrogate pair
			c -= 0x10000
			fmt.Fprintf(out, `\u%04x\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		case c < ' ', c > '~' && s.ascii, s.html && (strings.ContainsRune("<>&", c) || c == 0x2028 || c == 0x2029):
			fmt.Fprintf(out, `\u%04x`, c)
		default:
			out.Write(utf8.AppendRune(nil, c))
		}
	}
	out.WriteByte('"')
}

// asWritten leaves numbers alone.
func asWritten(text string) string { return text }

// numberJS writes a number as ECMAScript does (Number::toString): 1044.970
// becomes 1044.97, and 1.0 becomes 1.
func numberJS(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "null" // too large: JSON.stringify has no infinity
	}
	if f == 0 {
		return "0" // -0 too
	}
	out, err := json.Marshal(f) // encoding/json follows ECMAScript here, and says so
	if err != nil {
		return text
	}
	return string(out)
}

// numberPython writes a number as Python's json does: integers stay, 1044.970
// becomes 1044.97, and 1.00 becomes 1.0.
func numberPython(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	// repr() turns to an exponent outside of these (Python, float_repr_style "short").
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	out := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(out, ".") {
		out += ".0"
	}
	return out
}
