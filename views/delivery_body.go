package views

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"
)

// A body is shown as the text that arrived. Line breaks between JSON values are drawn by the page's layout and are no
// part of the text, so that what a reader selects and copies is, byte for byte, what was received (numbers with nine
// decimals and odd escapes included: nothing is parsed and written again).

// codeLine is one line as shown. Depth is how far it is set in, 0 to maxDepth.
type codeLine struct {
	Depth int
	Parts []codePart
}

// codePart is a stretch of a line. Kind is "" (plain), "key" or "hide" (a value whose middle was masked).
type codePart struct{ Kind, Text string }

const (
	// MaxBodyShown bounds the page, not the store: the exact bytes can be downloaded whole.
	MaxBodyShown = 32 << 10
	maxDepth     = 8
)

// bodyLines cuts a body into lines for showing. It reports whether something was left out at the end.
func bodyLines(body string) (lines []codeLine, cut bool) {
	isJSON := json.Valid([]byte(body))
	if len(body) > MaxBodyShown {
		end := MaxBodyShown
		for end > 0 && !utf8.RuneStart(body[end]) {
			end--
		}
		body, cut = body[:end], true
	}
	w := bodyWriter{}
	if isJSON {
		// A sender that indents its JSON has chosen its lines; ours only fill in for a body on a single one.
		w.breaks = !strings.Contains(strings.TrimRight(body, "\r\n"), "\n")
		w.json(body)
	} else {
		w.plain(body)
	}
	w.flush()
	return w.lines, cut
}

type bodyWriter struct {
	breaks bool
	lines  []codeLine
	line   codeLine
	depth  int
}

func (w *bodyWriter) add(kind, text string) {
	if text == "" {
		return
	}
	text = visible(text)
	if n := len(w.line.Parts); n > 0 && w.line.Parts[n-1].Kind == kind {
		w.line.Parts[n-1].Text += text
		return
	}
	w.line.Parts = append(w.line.Parts, codePart{kind, text})
}

func (w *bodyWriter) flush() {
	if len(w.line.Parts) > 0 {
		w.lines = append(w.lines, w.line)
	}
	w.line = codeLine{}
}

// turn begins a new line where the sender did not.
func (w *bodyWriter) turn() {
	if w.breaks {
		w.flush()
		w.line.Depth = min(w.depth, maxDepth)
	}
}

// plain keeps the text's own lines.
func (w *bodyWriter) plain(text string) {
	for len(text) > 0 {
		line, rest, broken := strings.Cut(text, "\n")
		w.hidden(line)
		if broken {
			w.add("", "\n")
			w.flush()
		}
		text = rest
	}
}

// json walks valid JSON, possibly cut at its end, token by token.
func (w *bodyWriter) json(text string) {
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '"':
			end := stringEnd(text, i)
			w.text(text[i:end], isKey(text[end:]))
			i = end
			continue
		case '{', '[':
			w.add("", string(c))
			if !closesAtOnce(text[i+1:]) {
				w.depth++
				w.turn()
			}
		case '}', ']':
			if !opensJustBefore(text[:i]) {
				w.depth--
				w.turn()
			}
			w.add("", string(c))
		case ',':
			w.add("", ",")
			w.turn()
		case '\n':
			w.add("", "\n")
			if !w.breaks {
				w.flush()
			}
		default:
			w.add("", text[i:i+1]) // outside strings JSON is ASCII
		}
		i++
	}
}

// text writes one string token.
func (w *bodyWriter) text(token string, key bool) {
	switch {
	case key:
		w.add("key", token)
	case strings.ContainsRune(token, '•') && len(token) >= 2:
		w.add("", token[:1])
		w.add("hide", token[1:len(token)-1])
		w.add("", token[len(token)-1:])
	default:
		w.add("", token)
	}
}

// hidden marks the words of plain text that were masked.
func (w *bodyWriter) hidden(line string) {
	for _, word := range strings.SplitAfter(line, " ") {
		bare := strings.TrimSuffix(word, " ")
		if strings.ContainsRune(bare, '•') {
			w.add("hide", bare)
			w.add("", word[len(bare):])
		} else {
			w.add("", word)
		}
	}
}

// stringEnd gives the index after the closing quote of the string that starts at i.
func stringEnd(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return len(text)
}

const jsonSpace = " \t\r\n"

func isKey(rest string) bool { return strings.HasPrefix(strings.TrimLeft(rest, jsonSpace), ":") }

func closesAtOnce(rest string) bool {
	rest = strings.TrimLeft(rest, jsonSpace)
	return strings.HasPrefix(rest, "}") || strings.HasPrefix(rest, "]")
}

func opensJustBefore(before string) bool {
	before = strings.TrimRight(before, jsonSpace)
	return strings.HasSuffix(before, "{") || strings.HasSuffix(before, "[")
}

// visible stands symbols in for what a browser would swallow: control characters (U+2400 and on) and bytes that are no
// UTF-8 (U+FFFD).
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return '␀' + r
		case r == 0x7f:
			return '␡'
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
}

// codeText writes the lines of a body. It is Go and not a template because not one space may come between its elements.
func codeText(lines []codeLine) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteString("<code>")
		for _, line := range lines {
			b.WriteString(`<span class="code__line`)
			if line.Depth > 0 {
				b.WriteString(" code__line--" + strconv.Itoa(line.Depth))
			}
			b.WriteString(`">`)
			for _, part := range line.Parts {
				text := templ.EscapeString(part.Text)
				if part.Kind != "" {
					text = `<span class="code__` + part.Kind + `">` + text + "</span>"
				}
				b.WriteString(text)
			}
			b.WriteString("</span>")
		}
		b.WriteString("</code>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}
