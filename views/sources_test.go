package views

import (
	"strings"
	"testing"
	"time"

	"cotejo/internal/lookup"
)

// An hour stands in the column of the reader's day and the row of the reader's hour; the table has one row a day.
func TestSourceChart(t *testing.T) {
	t.Parallel()
	at := func(back time.Duration, success, failed int64) lookup.SourceHour {
		return lookup.SourceHour{Dialect: lookup.Palenca, Platform: lookup.IMSS, Hour: noon.Truncate(time.Hour).Add(-back * time.Hour),
			Tally: lookup.Tally{Started: success + failed, Success: success, Error: failed}}
	}
	other := at(1, 9, 1)
	other.Platform = lookup.ISSSTE
	// 11:41 in Mexico City: twelve hours ago it was yesterday there, and today in UTC. A month ago is beyond the drawing.
	page := SourcesPage{Page: testPage("es"), Hours: []lookup.SourceHour{at(31*24, 7, 0), at(13, 1, 3), at(12, 2, 0), at(11, 3, 0), at(0, 4, 1), other}}
	doc := render(t, Sources(page))
	const days = "[data-source=imss] svg.chart > svg"
	count(t, doc, "[data-source]", 2)
	count(t, doc, days, 2)
	count(t, doc, days+" > rect", 4)
	count(t, doc, "[id=hour-some], [id=hour-bad]", 2) // once, whatever the number of sources
	count(t, doc, "[data-source=imss] tbody tr", 2)
	var got []string
	for _, day := range doc.Find(days).EachIter() {
		x, _ := day.Attr("x")
		for _, hour := range day.ChildrenFiltered("rect").EachIter() {
			y, _ := hour.Attr("y")
			level, _ := hour.Attr("data-level")
			got = append(got, x+" "+y+" "+level+": "+hour.Find("title").Text())
		}
	}
	want := []string{
		"96.87% 6.0 well: 15 mar 2026, 00:00: 3 enviados, 3 con éxito, 0 fallidos, 0 por corregir",
		"96.87% 83.0 some: 15 mar 2026, 11:00: 5 enviados, 4 con éxito, 1 fallidos, 0 por corregir",
		"93.73% 160.0 bad: 14 mar 2026, 22:00: 4 enviados, 1 con éxito, 3 fallidos, 0 por corregir",
		"93.73% 167.0 well: 14 mar 2026, 23:00: 2 enviados, 2 con éxito, 0 fallidos, 0 por corregir",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the drawing is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
