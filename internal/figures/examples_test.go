package figures_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/employment"
	"cotejo/internal/figures"
)

// The worked examples of docs/figures.md are the tests of this package: they are read from the page.

// example is one of them as printed.
type example struct {
	title         string
	asOf, fetched time.Time
	history       employment.History
	want          map[string][2]string // figure to value and records
	left          string
}

func examples(t *testing.T) []example {
	t.Helper()
	page, err := os.ReadFile("../../docs/figures.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## Worked examples\n")
	if !found {
		t.Fatal("docs/figures.md has no worked examples")
	}
	var all []example
	for _, part := range strings.Split(text, "\n### ")[1:] {
		all = append(all, readExample(t, part))
	}
	return all
}

var exampleDates = regexp.MustCompile(`(?m)^As of (\d{4}-\d\d-\d\d), asked on (\d{4}-\d\d-\d\d)\.$`)

func readExample(t *testing.T, part string) example {
	t.Helper()
	title, text, _ := strings.Cut(part, "\n")
	dates := exampleDates.FindStringSubmatch(text)
	if dates == nil {
		t.Fatalf("%s: no dates", title)
	}
	x := example{title: title, asOf: date(t, dates[1]), fetched: date(t, dates[2]), want: map[string][2]string{}}
	kind := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if left, ok := strings.CutPrefix(line, "Left out: "); ok {
			x.left = strings.TrimSuffix(left, ".")
		}
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|-") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch cells[0] {
		case "record", "movement", "figure":
			kind = cells[0]
			continue
		}
		switch kind {
		case "record":
			x.history.Records = append(x.history.Records, employment.Record{Employer: cells[1], Registration: cells[2],
				Start: date(t, cells[3]), End: date(t, cells[4]), BaseSalary: cells[5], Monthly: cells[6]})
		case "movement":
			x.history.Movements = append(x.history.Movements, employment.Movement{Type: cells[1], Employer: cells[2], Registration: cells[3],
				Date: date(t, cells[4]), BaseSalary: cells[5]})
		case "figure":
			x.want[strings.Trim(cells[0], "`")] = [2]string{cells[1], cells[2]}
		}
	}
	return x
}

func date(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "open" || text == "not given" {
		return time.Time{}
	}
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// printed writes a result as the page does: the four spans of a time out of work share a line.
func printed(r figures.Result) map[string][2]string {
	lines := map[string][2]string{}
	for _, f := range r.Figures {
		id := string(f.ID)
		for _, shared := range []string{"out_longest", "out_total"} {
			if strings.HasPrefix(id, shared) {
				id = shared
			}
		}
		line := [2]string{f.Text(), numbers(f.Records, 0)}
		if before, ok := lines[id]; ok {
			line = [2]string{before[0] + " · " + line[0], before[1] + " · " + line[1]}
		}
		lines[id] = line
	}
	return lines
}

// numbers writes indexes as a reader counts: from one.
func numbers(indexes []int, more int) string {
	if len(indexes) == 0 {
		return "–"
	}
	words := make([]string, len(indexes))
	for i, n := range indexes {
		words[i] = strconv.Itoa(n + 1 + more)
	}
	return strings.Join(words, ", ")
}

func left(r figures.Result) string {
	return fmt.Sprintf("undated %s; later %s; stray %s; beyond the data %d d", numbers(r.Undated, 0), numbers(r.Later, 0), numbers(r.Stray, 0), r.Ahead())
}

func TestWorkedExamples(t *testing.T) {
	t.Parallel()
	all := examples(t)
	if len(all) < 12 {
		t.Fatalf("%d worked examples", len(all))
	}
	for _, x := range all {
		t.Run(x.title, func(t *testing.T) {
			t.Parallel()
			r := figures.Of(x.history, x.asOf, x.fetched)
			if diff := cmp.Diff(x.want, printed(r)); diff != "" {
				t.Errorf("(-page +program)\n%s", diff)
			}
			if got := left(r); got != x.left {
				t.Errorf("left out: %s; the page says %s", got, x.left)
			}
		})
	}
}

// Every reason, caution and bound that the program can give is met in an example or defined on the page.
func TestThePageNamesEverything(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/figures.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, c := range figures.Cautions {
		if !strings.Contains(text, "*"+string(c)+"*") && !strings.Contains(text, string(c)+"]") {
			t.Errorf("the caution %s is not on the page", c)
		}
	}
	for _, why := range figures.Reasons {
		if !strings.Contains(text, "not known: "+string(why)) {
			t.Errorf("no example is not known because of %s", why)
		}
	}
	for _, id := range figures.IDs {
		stem := strings.NewReplacer("_1y", "", "_3y", "", "_5y", "", "_ever", "").Replace(string(id))
		if !strings.Contains(text, "| `"+stem) && !strings.Contains(text, "`_"+string(id[len(id)-3:])+"`") && !strings.Contains(text, "`"+string(id)+"`") {
			t.Errorf("%s is not defined on the page", id)
		}
	}
}
