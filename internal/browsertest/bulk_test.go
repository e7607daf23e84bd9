package browsertest

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cotejo/internal/curp"
)

// TestBulkStory uploads three hundred rows, some of them bad, sends them, pauses half-way, restarts the program, resumes, and
// reads the result.
func TestBulkStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	lines := []string{"Nombre;CURP;Folio"}
	want := map[string]int{}
	for i := range 300 {
		text := "PE" + string(rune('A'+i/26)) + string(rune('A'+i%26)) + "800101HDFRRN0"
		digit, _ := curp.CheckDigit(text)
		text += string(digit)
		verdict := "send success"
		switch {
		case i%15 == 4:
			text, verdict = text[:12], "invalid "
		case i%20 == 9:
			text, verdict = people[0].curp, "duplicate "
			if i == 9 {
				verdict = "send success"
			}
		}
		want[verdict]++
		lines = append(lines, fmt.Sprintf("Peña;%s;F-%03d", text, i))
	}
	chosen := want["send success"]
	at := ""
	const few = "?verdict=duplicate" // rows, where the page is looked at
	const state = `document.querySelector("#bulk").dataset.state`
	// A part of the story of its own, so that its process ends with it.
	t.Run("before", func(t *testing.T) {
		part := *s
		part.t = t
		b := admin(t, part.serve())
		// One call a minute: the queue is given a few rows and no more, so there is a half-way to pause at.
		s.change(`update connections set calls_per_minute = 1, tokens = 0, refilled_at = now()`)
		b.open("/bulk")
		ask[any](b, fmt.Sprintf(`document.querySelector("#text").value = %q, null`, strings.Join(lines, "\n")))
		b.leads(click("#bulk-upload .form__acts button"))
		at = b.path()
		b.until(fmt.Sprintf(`document.querySelector('#bulk[data-state=draft][data-send="%d"]')`, chosen))
		b.leads(click("#consent"), click("#bulk-consent .form__acts button"))
		b.until(`+document.querySelector("#bulk").dataset.sent > 5`)
		b.look("bulk under way", at+few, 200)
		b.leads(click(`#bulk form[action$="/pause"] button`))
		b.until(state + ` == "paused"`)
		b.until(fmt.Sprintf(`+document.querySelector("#bulk").dataset.sent < %d`, chosen))
		b.look("bulk, paused", at+few, 200)
	})
	if t.Failed() {
		return
	}
	if _, err := s.db.Exec(t.Context(), `alter table connections drop constraint connections_calls_per_minute_check`); err != nil {
		t.Fatal(err)
	}
	// The vendor's limit would make the rest last minutes; what sleeps until its turn under the old one is woken.
	s.change(`update connections set calls_per_minute = 1000000, refilled_at = now()`)
	s.change(`update river_job set scheduled_at = now(), state = 'available' where state in ('scheduled', 'available')`)
	b := admin(t, s.serve())
	b.open(at)
	b.until(state + ` == "paused"`)
	b.leads(click(`#bulk form[action$="/resume"] button`))
	for some := 1; some < 4; some++ { // each has a minute
		b.until(fmt.Sprintf(`+document.querySelector("#bulk").dataset.settled >= %d`, chosen*some/4))
	}
	b.until(fmt.Sprintf(`%s == "done" && +document.querySelector("#bulk").dataset.settled == %d`, state, chosen))
	b.leads(click("#bulk-result"))
	many := b.address()
	b.refused("export of many people, refused", func() int64 {
		b.open(many)
		return b.leads(chromedp.Evaluate[chromedp.Void](`const form = document.querySelector("#export-form"); form.noValidate = true; form.requestSubmit()`))
	})
	b.look("export of many people", many, 200)
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "Prueba del lote completo"), fill("#password", adminPassword)) // of more than a hundred people
	f := b.download(click("#export-form .btn--primary"))
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(f.bytes), "\xef\xbb\xbf"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for i, row := range rows[1:] {
		verdict := row[4] + " " + row[7]
		if got[verdict]++; row[3] != fmt.Sprintf("F-%03d", i) || (row[9] != "") != strings.HasPrefix(verdict, "send") {
			t.Errorf("row %d says %q", i, row)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(rows) != 301 {
		t.Errorf("%d rows come to %v, want %v", len(rows)-1, got, want)
	}
	if n := value[int](s, `select count(distinct person_id) from lookups`); n != chosen {
		t.Errorf("%d people were asked about, want %d", n, chosen)
	}
	if n := value[int](s, `select count(*) from attempts`); n != chosen {
		t.Errorf("%d attempts for %d people", n, chosen)
	}
}
