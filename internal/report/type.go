package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/signintech/gopdf"
	"golang.org/x/text/unicode/norm"
)

// color is red, green, blue.
type color [3]uint8

// The console's colours on white (static/css/tokens.css), all at least 4.5 against it.
var (
	ink     = color{0x1b, 0x21, 0x2b}
	quiet   = color{0x5a, 0x63, 0x70}
	accent  = color{0x1f, 0x56, 0x9c}
	rule    = color{0xd9, 0xde, 0xe5}
	well    = color{0xf4, 0xf6, 0xf9}
	bar     = color{0x9f, 0xb4, 0xcc}
	gapFill = color{0xf6, 0xe3, 0xc4}
	lapFill = color{0xe8, 0xe0, 0xf6}
	warn    = color{0x8a, 0x4b, 0x00}
	mark    = color{0xb0, 0x12, 0x5b}
	ghost   = color{0xfb, 0xea, 0xf2}
	white   = color{0xff, 0xff, 0xff}
)

// style is how a stretch of text looks.
type style struct {
	font  string
	size  float64
	color color
}

// leading is the distance from one line to the next.
func (s style) leading() float64 { return s.size * 1.34 }

var (
	body    = style{"sans", 9, ink}
	strong  = style{"bold", 9, ink}
	mono    = style{"mono", 8.5, ink}
	small   = style{"sans", 7.5, quiet}
	label   = style{"sans", 8, quiet}
	head    = style{"bold", 7.5, quiet}
	title   = style{"bold", 19, ink}
	section = style{"bold", 12, ink}
	ref     = style{"bold", 7, accent}
	caution = style{"bold", 8.5, warn}
	banner  = style{"bold", 8.5, white}
	across  = style{"bold", 40, ghost}
)

// with gives the style in another size.
func (s style) with(size float64) style { s.size = size; return s }

// letters measures and prepares text. The fonts are Liberation (SIL Open Font License), which its module embeds; only
// the characters used get into the file.
type letters struct {
	pdf    *gopdf.GoPdf
	has    map[rune]bool
	widths map[widthKey]float64
	boxes  bool // a character had to be drawn as a box
	err    error
}

type widthKey struct {
	font string
	size float64
	text string
}

func newLetters(pdf *gopdf.GoPdf) (*letters, error) {
	// A list and not a map: the order decides the numbers of objects, and with them the bytes.
	for _, f := range []struct {
		name string
		data []byte
	}{{"sans", liberationsansregular.TTF}, {"bold", liberationsansbold.TTF}, {"mono", liberationmonoregular.TTF}} {
		if err := pdf.AddTTFFontByReader(f.name, bytes.NewReader(f.data)); err != nil {
			return nil, fmt.Errorf("read the letters: %w", err)
		}
	}
	return &letters{pdf: pdf, has: map[rune]bool{}, widths: map[widthKey]float64{}}, nil
}

func (l *letters) use(s style) {
	if err := l.pdf.SetFont(s.font, "", s.size); err != nil && l.err == nil {
		l.err = err
	}
}

// width measures clean text, in points.
func (l *letters) width(s style, text string) float64 {
	key := widthKey{s.font, s.size, text}
	if w, ok := l.widths[key]; ok {
		return w
	}
	l.use(s)
	w, err := l.pdf.MeasureTextWidth(text)
	if err != nil && l.err == nil {
		l.err = err
	}
	l.widths[key] = w
	return w
}

// clean makes text printable: composed letters, no control characters, none that turn the direction of writing (a
// name must not be able to draw itself over its neighbours), and a box for what the fonts lack.
func (l *letters) clean(text string) string {
	if text == "" {
		return ""
	}
	if !utf8.ValidString(text) {
		text, l.boxes = strings.ToValidUTF8(text, "□"), true
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		case l.known(r):
			return r
		}
		l.boxes = true
		return '□'
	}, norm.NFC.String(text))
}

func (l *letters) known(r rune) bool {
	if r < utf8.RuneSelf {
		return true
	}
	known, asked := l.has[r]
	if !asked {
		l.use(body)
		known, _ = l.pdf.IsCurrFontContainGlyph(r) // an error means the same: it cannot be drawn
		l.has[r] = known
	}
	return known
}

// wrap breaks text into lines of a width: at spaces, and inside a word that is wider than a line.
func (l *letters) wrap(s style, text string, width float64) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(l.clean(text), "\n") {
		lines = append(lines, l.wrapOne(s, paragraph, width)...)
	}
	return lines
}

func (l *letters) wrapOne(s style, text string, width float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		joined := word
		if line != "" {
			joined = line + " " + word
		}
		if l.width(s, joined) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for l.width(s, word) > width {
			head, tail := l.breakWord(s, word, width)
			lines = append(lines, head)
			word = tail
		}
		line = word
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// breakWord takes as many characters as fit, at least one.
func (l *letters) breakWord(s style, word string, width float64) (head, tail string) {
	end, used := 0, 0.0
	for i, r := range word {
		w := l.width(s, string(r))
		if i > 0 && used+w > width {
			break
		}
		used += w
		end = i + utf8.RuneLen(r)
	}
	return word[:end], word[end:]
}
