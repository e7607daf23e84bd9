package report

import (
	"math"

	"github.com/signintech/gopdf"
)

// A letter page, which is what Mexico prints on, in points. The origin is the upper left corner.
const (
	pageWidth  = 612.0
	pageHeight = 792.0
	left       = 48.0
	right      = pageWidth - 48
	top        = 58.0
	bottom     = pageHeight - 56
	textWidth  = right - left
)

// op is one thing to be drawn.
type op struct {
	kind  opKind
	x, y  float64 // of text: where its line begins, on the base line
	w, h  float64
	text  string
	style style
	fill  color
}

type opKind int

const (
	opText opKind = iota
	opBox
	opRule
	opOutline // an entry of the list of contents that readers show beside the page
)

// sheet is the paper: pages of things to be drawn, and the height down to which the last one is full.
type sheet struct {
	*letters
	pages [][]op
	y     float64
}

func (s *sheet) turn() {
	s.pages = append(s.pages, nil)
	s.y = top
}

// room turns the page unless a height is left on this one.
func (s *sheet) room(height float64) (turned bool) {
	if len(s.pages) > 0 && s.y+height <= bottom {
		return false
	}
	if len(s.pages) > 0 && s.y == top {
		return false // an empty page has no more to offer
	}
	s.turn()
	return true
}

func (s *sheet) put(o op) {
	last := len(s.pages) - 1
	s.pages[last] = append(s.pages[last], o)
}

// text puts one clean line at x with its base line at y.
func (s *sheet) text(st style, x, y float64, text string) {
	if text != "" {
		s.put(op{kind: opText, x: x, y: y, text: text, style: st})
	}
}

func (s *sheet) box(x, y, w, h float64, fill color) {
	s.put(op{kind: opBox, x: x, y: y, w: w, h: h, fill: fill})
}

func (s *sheet) rule(x, y, w float64, c color) { s.put(op{kind: opRule, x: x, y: y, w: w, fill: c}) }

// lines puts lines below each other from y on and gives where the next would begin.
func (s *sheet) lines(st style, x, y float64, lines []string) float64 {
	for _, line := range lines {
		s.text(st, x, y+st.size, line)
		y += st.leading()
	}
	return y
}

// draw puts the pages on paper, now that it is known how many there are.
func (s *sheet) draw(d Document) error {
	for i, ops := range s.pages {
		s.pdf.AddPage()
		if d.Mark != "" {
			s.drawMark(d.Mark)
		}
		s.drawEdges(d, i)
		for _, o := range ops {
			s.drawOp(o)
		}
	}
	return s.err
}

func (s *sheet) drawOp(o op) {
	switch o.kind {
	case opText:
		s.drawText(o.style, o.x, o.y, o.text)
	case opBox:
		s.pdf.SetFillColor(o.fill[0], o.fill[1], o.fill[2])
		s.pdf.RectFromUpperLeftWithStyle(o.x, o.y, o.w, o.h, "F")
	case opRule:
		s.pdf.SetStrokeColor(o.fill[0], o.fill[1], o.fill[2])
		s.pdf.SetLineWidth(.6)
		s.pdf.Line(o.x, o.y, o.x+o.w, o.y)
	case opOutline:
		s.pdf.SetXY(left, o.y)
		s.pdf.AddOutlineWithPosition(o.text)
	}
}

func (s *sheet) drawText(st style, x, y float64, text string) {
	s.use(st)
	s.pdf.SetTextColor(st.color[0], st.color[1], st.color[2])
	s.pdf.SetXY(x, y)
	if err := s.pdf.Text(text); err != nil && s.err == nil {
		s.err = err
	}
}

// drawMark writes across the page, behind everything, and in a strip along its upper edge: a copy or a photograph of any
// part of any page shows it.
func (s *sheet) drawMark(text string) {
	text = s.clean(text)
	st := across.with(across.size * math.Min(1, 720/s.width(across, text)))
	s.pdf.Rotate(52, pageWidth/2, pageHeight/2)
	s.drawText(st, pageWidth/2-s.width(st, text)/2, pageHeight/2+st.size/3, text)
	s.pdf.RotateReset()
	s.pdf.SetFillColor(mark[0], mark[1], mark[2])
	s.pdf.RectFromUpperLeftWithStyle(0, 0, pageWidth, 20, "F")
	s.drawText(banner, pageWidth/2-s.width(banner, text)/2, 13.5, text)
}

// drawEdges writes what stands at the head and the foot of each page.
func (s *sheet) drawEdges(d Document, i int) {
	if i > 0 {
		s.drawText(small, left, 40, s.clean(d.Running))
		s.drawOp(op{kind: opRule, x: left, y: 46, w: textWidth, fill: rule})
	}
	y := pageHeight - 34.0
	s.drawOp(op{kind: opRule, x: left, y: y - 11, w: textWidth, fill: rule})
	number := s.clean(d.PageOf(i+1, len(s.pages)))
	s.drawText(small, right-s.width(small, number), y, number)
	for _, line := range s.wrap(small, d.Foot, textWidth-s.width(small, number)-20) {
		s.drawText(small, left, y, line)
		y += small.leading()
	}
}

// start opens the file.
func start(d Document) (*sheet, error) {
	pdf := &gopdf.GoPdf{}
	pdf.Start(gopdf.Config{PageSize: gopdf.Rect{W: pageWidth, H: pageHeight}, Unit: gopdf.UnitPT})
	pdf.SetMargins(0, 0, 0, 0)
	pdf.SetInfo(gopdf.PdfInfo{Title: d.Title, Author: d.Author, Creator: "Cotejo", CreationDate: d.At.UTC()})
	l, err := newLetters(pdf)
	if err != nil {
		return nil, err
	}
	return &sheet{letters: l}, nil
}
