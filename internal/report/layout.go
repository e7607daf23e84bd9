package report

import (
	"bytes"
	"fmt"
)

// PDF sets the document and gives the file's bytes.
func PDF(d Document) ([]byte, error) {
	s, err := start(d)
	if err != nil {
		return nil, err
	}
	s.turn()
	s.head(d.Head)
	for _, part := range d.Sections {
		s.section(part)
	}
	if s.boxes && d.Boxes != "" {
		s.y += 8
		s.paragraph(small, d.Boxes)
	}
	if err := s.draw(d); err != nil {
		return nil, fmt.Errorf("draw the report: %w", err)
	}
	var file bytes.Buffer
	if _, err := s.pdf.WriteTo(&file); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return file.Bytes(), nil
}

func (s *sheet) head(h Head) {
	s.y = 40
	s.y = s.lines(head.with(8), left, s.y, s.wrap(head.with(8), h.Kicker, textWidth)) + 4
	s.y = s.lines(title, left, s.y, s.wrap(title, h.Title, textWidth)) + 2
	s.y = s.lines(label, left, s.y, s.wrap(label, h.Line, textWidth)) + 8
	s.rule(left, s.y, textWidth, ink)
	s.y += 4
}

// section keeps a title with the first lines below it.
func (s *sheet) section(p Section) {
	if p.Title != "" {
		s.room(90)
		if s.y > top {
			s.y += 14
		}
		name := s.clean(p.Title)
		s.put(op{kind: opOutline, y: s.y, text: name})
		s.y = s.lines(section, left, s.y, s.wrap(section, name, textWidth))
		if p.Source != "" {
			s.y = s.lines(small, left, s.y+1, s.wrap(small, p.Source, textWidth))
		}
		s.y += 5
	}
	for _, text := range p.Alerts {
		s.paragraph(caution, text)
	}
	if p.Line != nil {
		s.timeline(*p.Line)
	}
	s.facts(p.Facts)
	for _, text := range p.Text {
		s.paragraph(body, text)
	}
	if p.Table != nil {
		s.table(*p.Table)
	}
	for _, text := range p.Foot {
		s.paragraph(small, text)
	}
}

// paragraph may go on over pages.
func (s *sheet) paragraph(st style, text string) {
	for _, line := range s.wrap(st, text, textWidth) {
		s.room(st.leading())
		s.y = s.lines(st, left, s.y, []string{line})
	}
	s.y += 4
}

const labelWidth = 132.0

// facts stand in two columns, label and value, each value followed by the number of its source.
func (s *sheet) facts(list []Fact) {
	const x, width = left + labelWidth, textWidth - labelWidth
	for _, f := range list {
		st := body
		if f.Mono {
			st = mono
		}
		value := s.wrap(st, f.Value, width-s.width(ref, f.Ref)-6)
		beside := []string(nil)
		if f.Beside != "" {
			beside = s.wrap(small, f.Beside, width)
		}
		name := s.wrap(label, f.Label, labelWidth-10)
		height := max(float64(len(name))*label.leading(), float64(len(value))*st.leading()+float64(len(beside))*small.leading())
		s.room(min(height, bottom-top) + 3)
		s.lines(label, left, s.y+.6, name)
		y := s.y
		for i, line := range value {
			if s.room(st.leading()) {
				y = s.y // a value longer than a page goes on
			}
			s.text(st, x, y+st.size, line)
			if i == len(value)-1 && f.Ref != "" {
				s.text(ref, x+s.width(st, line)+4, y+st.size-2, s.clean(f.Ref))
			}
			y += st.leading()
			s.y = max(s.y, y)
		}
		y = s.lines(small, x, y, beside)
		s.y = max(y, s.y) + 3
	}
	if len(list) > 0 {
		s.y += 2
	}
}
