package lineage

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Line is one line of an answer as shown. Path is that of the value which begins on it, "" for closing brackets and for
// what is no JSON.
type Line struct {
	Depth int
	Path  string
	Parts []Part
}

// Part is a stretch of a line: "key", "hide" (masked) or "" (as received).
type Part struct{ Kind, Text string }

const (
	// MaxParsed bounds what is cut into lines by its structure, in bytes; what is longer is shown by its beginning.
	MaxParsed = 2 << 20
	// maxPlain is how much of an answer is shown that is no JSON, or too long.
	maxPlain = 64 << 10
)

// Lines cuts the pages of an answer into lines, page by page. Every token stays as received, numbers with all their
// digits and escapes as they were; only the space between tokens is the page's. A list that goes on over pages is counted
// on, as the clients count it. whole is false for a page that was not shown to its end.
func Lines(pages [][]byte) (lines [][]Line, whole []bool) {
	counts := map[string]int{}
	seen := map[string]bool{}
	for _, page := range pages {
		text := string(page)
		if len(text) > MaxParsed || !json.Valid(page) {
			part, all := plain(text)
			lines, whole = append(lines, part), append(whole, all)
			continue
		}
		w := walker{text: text, counts: counts}
		w.value(place{})
		for i, line := range w.lines {
			if seen[line.Path] { // a name that came twice in an object, or on each page: a path leads to the first
				w.lines[i].Path = ""
			}
			seen[line.Path] = true
		}
		lines, whole = append(lines, w.lines), append(whole, true)
	}
	return lines, whole
}

// Find gives the page and line of a path, or of the nearest value around it; ok is false when there is neither.
func Find(pages [][]Line, path string) (page, line int, ok bool) {
	for path != "" {
		for i, lines := range pages {
			for j, l := range lines {
				if l.Path == path {
					return i, j, true
				}
			}
		}
		path = path[:max(strings.LastIndexByte(path, '-'), 0)]
	}
	return 0, 0, false
}

// plain keeps a text's own lines.
func plain(text string) (lines []Line, whole bool) {
	whole = true
	if len(text) > maxPlain {
		end := maxPlain
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text, whole = text[:end], false
	}
	for line := range strings.Lines(text) {
		for len(line) > 4096 { // an answer on one line must not be one element
			lines, line = append(lines, Line{Parts: []Part{{"", line[:4096]}}}), line[4096:]
		}
		lines = append(lines, Line{Parts: []Part{{"", strings.TrimRight(line, "\r\n")}}})
	}
	return lines, whole
}

// walker goes through valid JSON once.
type walker struct {
	text   string
	at     int
	lines  []Line
	counts map[string]int
}

// place is where a value stands, and what was already written of its line.
type place struct {
	path  string
	depth int
	begun []Part
}

func (w *walker) space() {
	for w.at < len(w.text) && strings.IndexByte(" \t\r\n", w.text[w.at]) >= 0 {
		w.at++
	}
}

// comma takes the comma after a value, if there is one.
func (w *walker) comma() string {
	w.space()
	if w.at < len(w.text) && w.text[w.at] == ',' {
		w.at++
		return ","
	}
	return ""
}

func (w *walker) line(p place, path string, parts ...Part) {
	w.lines = append(w.lines, Line{Depth: p.depth, Path: path, Parts: append(p.begun, parts...)})
}

func (w *walker) value(p place) {
	w.space()
	switch w.text[w.at] {
	case '{':
		w.container(p, "{", "}", w.member)
	case '[':
		w.container(p, "[", "]", w.element)
	default:
		token := w.token()
		kind := ""
		if strings.ContainsRune(token, '•') {
			kind = "hide"
		}
		w.line(p, p.path, Part{kind, token}, Part{"", w.comma()})
	}
}

func (w *walker) container(p place, open, shut string, inner func(place)) {
	w.at++
	if w.space(); w.text[w.at] == shut[0] {
		w.at++
		w.line(p, p.path, Part{"", open + shut + w.comma()})
		return
	}
	w.line(p, p.path, Part{"", open})
	for w.space(); w.text[w.at] != shut[0]; w.space() {
		inner(p)
	}
	w.at++
	w.line(place{depth: p.depth}, "", Part{"", shut + w.comma()})
}

func (w *walker) member(p place) {
	key := w.token()
	w.space()
	w.at++ // the colon
	w.value(place{path: join(p.path, name(key)), depth: p.depth + 1, begun: []Part{{"key", key}, {"", ": "}}})
}

// element counts what says something. An object of nulls is no record to the clients either, so it has no number here.
func (w *walker) element(p place) {
	path := ""
	if !w.empty() {
		path = join(p.path, strconv.Itoa(w.counts[p.path]))
		w.counts[p.path]++
	}
	w.value(place{path: path, depth: p.depth + 1})
}

// token takes a string, a number or a word, as it stands there.
func (w *walker) token() string {
	begin := w.at
	w.at = w.skip(begin)
	return w.text[begin:w.at]
}

// skip gives the end of the string, number or word that begins at i.
func (w *walker) skip(i int) int {
	if w.text[i] != '"' {
		for i < len(w.text) && strings.IndexByte(",]}: \t\r\n", w.text[i]) < 0 {
			i++
		}
		return i
	}
	for i++; w.text[i] != '"'; i++ {
		if w.text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// empty tells whether what begins here is an object in which nothing is said. It looks no further than the first value
// that says something.
func (w *walker) empty() bool {
	ahead := walker{text: w.text, at: w.at}
	if ahead.text[ahead.at] != '{' {
		return false
	}
	ahead.at++
	for ahead.space(); ahead.text[ahead.at] != '}'; ahead.space() {
		ahead.token()
		ahead.space()
		ahead.at++ // the colon
		ahead.space()
		if c := ahead.text[ahead.at]; c == '{' || c == '[' {
			return false
		}
		if token := ahead.token(); token != "null" && token != `""` {
			return false
		}
		ahead.comma()
	}
	return true
}

// name makes a step of a path of a key: what may stand in an address and in an id.
func name(key string) string {
	var text string
	if json.Unmarshal([]byte(key), &text) != nil {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, text)
}

// join leaves out the envelope in which one dialect wraps its answers, and a list that stands once more in an object of
// its own name (docs/vendor.md#salary): the same fact has the same path with and without.
func join(path, step string) string {
	switch {
	case path == "" && step == "data":
		return ""
	case path == "" || path == step:
		return step
	}
	return path + "-" + step
}
