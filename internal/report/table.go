package report

// cellPad is the space on each side of a cell's text.
const cellPad = 4.0

// row is a row set in lines, one list a cell.
type row [][]setLine

type setLine struct {
	style style
	text  string
}

func (r row) height() float64 {
	most := 0.0
	for _, cell := range r {
		h := 0.0
		for _, line := range cell {
			h += line.style.leading()
		}
		most = max(most, h)
	}
	return most + 2*cellPad - 1
}

// take cuts off what fits a height; at least one line of each cell, so that every round ends nearer to the end.
func (r row) take(height float64) (part, rest row) {
	part, rest = make(row, len(r)), make(row, len(r))
	for i, cell := range r {
		used := 2*cellPad - 1
		n := 0
		for n < len(cell) && (n == 0 || used+cell[n].style.leading() <= height) {
			used += cell[n].style.leading()
			n++
		}
		part[i], rest[i] = cell[:n], cell[n:]
	}
	return part, rest
}

func (r row) empty() bool {
	for _, cell := range r {
		if len(cell) > 0 {
			return false
		}
	}
	return true
}

// table sets a table. A row stays whole where a page can hold it; one that no page can hold is cut between lines.
func (s *sheet) table(t Table) {
	widths := columnWidths(t.Columns)
	heading := make(row, len(t.Columns))
	for i, c := range t.Columns {
		for _, line := range s.wrap(head, c.Title, widths[i]-2*cellPad) {
			heading[i] = append(heading[i], setLine{head, line})
		}
	}
	begin := func() {
		s.box(left, s.y, textWidth, heading.height(), well)
		s.row(t.Columns, widths, heading)
		s.rule(left, s.y, textWidth, rule)
	}
	s.room(heading.height() + 40)
	begin()
	for _, cells := range t.Rows {
		r := s.set(t.Columns, widths, cells)
		for {
			if s.y+r.height() <= bottom {
				s.row(t.Columns, widths, r)
				break
			}
			full := bottom - top - heading.height()
			if r.height() <= full || bottom-s.y < 60 {
				s.turn()
				begin()
				if r.height() <= full {
					continue
				}
			}
			var part row
			part, r = r.take(bottom - s.y)
			s.row(t.Columns, widths, part)
			if r.empty() {
				break
			}
			s.turn()
			begin()
		}
		s.rule(left, s.y, textWidth, rule)
	}
	s.y += 6
}

func columnWidths(columns []Column) []float64 {
	all := 0.0
	for _, c := range columns {
		all += c.Width
	}
	widths := make([]float64, len(columns))
	for i, c := range columns {
		widths[i] = c.Width / all * textWidth
	}
	return widths
}

func (s *sheet) set(columns []Column, widths []float64, cells []Cell) row {
	r := make(row, len(columns))
	for i, cell := range cells {
		st, width := body.with(8.5), widths[i]-2*cellPad
		switch {
		case columns[i].Mono:
			st = mono.with(7.5)
		case columns[i].Quiet:
			st = small
		case cell.Bold:
			st = strong.with(8.5)
		}
		if cell.Text != "" {
			for _, line := range s.wrap(st, cell.Text, width) {
				r[i] = append(r[i], setLine{st, line})
			}
		}
		for _, sub := range cell.Sub {
			for _, line := range s.wrap(small, sub, width) {
				r[i] = append(r[i], setLine{small, line})
			}
		}
	}
	return r
}

// row puts a row and moves down by its height.
func (s *sheet) row(columns []Column, widths []float64, r row) {
	x := left
	for i, cell := range r {
		y := s.y + cellPad - 1
		for _, line := range cell {
			at := x + cellPad
			if columns[i].Right {
				at = x + widths[i] - cellPad - s.width(line.style, line.text)
			}
			s.text(line.style, at, y+line.style.size, line.text)
			y += line.style.leading()
		}
		x += widths[i]
	}
	s.y += r.height()
}
