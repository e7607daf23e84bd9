package lineage_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lineage"
	"cotejo/internal/lookup"
)

// show writes lines as a reader sees them, each with its path.
func show(lines []lineage.Line) []string {
	var out []string
	for _, l := range lines {
		text := strings.Repeat("  ", l.Depth)
		for _, p := range l.Parts {
			text += p.Text
		}
		if l.Path != "" {
			text += "  @" + l.Path
		}
		out = append(out, text)
	}
	return out
}

func TestLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       []string
	}{
		{"envelope, numbers and escapes as received", `{"success":true,"data":{"employment_history":[{"base_salary":512.600000000,"employer":"A\u00d1o \"x\""}],"employment_info":{"quoted_weeks":null}}}`, []string{
			`{`, `  "success": true,  @success`, `  "data": {`, `    "employment_history": [  @employment_history`, `      {  @employment_history-0`,
			`        "base_salary": 512.600000000,  @employment_history-0-base_salary`, `        "employer": "A\u00d1o \"x\""  @employment_history-0-employer`, `      }`, `    ],`,
			`    "employment_info": {  @employment_info`, `      "quoted_weeks": null  @employment_info-quoted_weeks`, `    }`, `  }`, `}`}},
		{"a record of nulls is not counted", `{"l":[{"a":null,"b":""},{"a":1}]}`, []string{`{`, `  "l": [  @l`, `    {`, `      "a": null,  @a`, `      "b": ""  @b`, `    },`, `    {  @l-0`, `      "a": 1  @l-0-a`, `    }`, `  ]`, `}`}},
		{"empty containers", " { \"a\" : [ ] , \"b\" : { } } \n", []string{`{`, `  "a": [],  @a`, `  "b": {}  @b`, `}`}},
		{"a list within an object of its name", `{"employment_events":{"employment_events":[{"d":1}]}}`, []string{`{`, `  "employment_events": {  @employment_events`, `    "employment_events": [`, `      {  @employment_events-0`, `        "d": 1  @employment_events-0-d`, `      }`, `    ]`, `  }`, `}`}},
		{"a name that came twice", `{"a":1,"a":2}`, []string{`{`, `  "a": 1,  @a`, `  "a": 2`, `}`}},
		{"hostile names", `{"a b<":{"é":1}}`, []string{`{`, `  "a b<": {  @a_b_`, `    "é": 1  @a_b_-_`, `  }`, `}`}},
		{"one word", `null`, []string{`null`}},
		{"no JSON", "<html>\r\nno", []string{`<html>`, `no`}},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pages, whole := lineage.Lines([][]byte{[]byte(tt.body)})
			if diff := cmp.Diff(tt.want, show(pages[0])); diff != "" || !whole[0] {
				t.Errorf("whole %v (-want +got):\n%s", whole[0], diff)
			}
		})
	}
}

// Records are counted on over pages, and a path leads to its page.
func TestPages(t *testing.T) {
	t.Parallel()
	pages, _ := lineage.Lines([][]byte{[]byte(`{"employment_history":[{"a":1},{"a":2}]}`), []byte(`{"employment_history":[{"a":3}]}`)})
	page, line, ok := lineage.Find(pages, "employment_history-2-a")
	if !ok || page != 1 || show(pages[1])[line] != `      "a": 3  @employment_history-2-a` {
		t.Errorf("page %d, line %d, %v", page, line, ok)
	}
	// What the answer does not have leads to what is around it, and what it never had nowhere.
	if page, line, ok = lineage.Find(pages, "employment_history-1-base_salary"); !ok || page != 0 || pages[0][line].Path != "employment_history-1" {
		t.Errorf("page %d, line %d, %v", page, line, ok)
	}
	if _, _, ok = lineage.Find(pages, "profile-birthday"); ok {
		t.Error("a path that is nowhere was found")
	}
}

func TestLongAnswers(t *testing.T) {
	t.Parallel()
	long := `{"a":"` + strings.Repeat("ñ", lineage.MaxParsed) + `"}`
	pages, whole := lineage.Lines([][]byte{[]byte(long)})
	if whole[0] || len(pages[0]) == 0 || len(pages[0]) > 100 {
		t.Errorf("%d lines, whole %v", len(pages[0]), whole[0])
	}
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	if pages, whole = lineage.Lines([][]byte{[]byte(deep)}); !whole[0] || len(pages[0]) != 2*9_000-1 {
		t.Errorf("%d lines of a deep answer", len(pages[0]))
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		dialect lookup.Dialect
		fact    lineage.Fact
		index   int
		want    string
	}{
		{lookup.Palenca, lineage.RecordBase, 3, "employment_history-3-base_salary"},
		{lookup.Palenca, lineage.MovementBase, 12, "employment_events-12-base_salary"},
		{lookup.Palenca, lineage.WeeksQuoted, 0, "employment_info-quoted_weeks"},
		{lookup.Buro, lineage.RecordMonthly, 0, "employment_history-0-monthly_salary"},
		{lookup.Buro, lineage.Birthday, 0, ""},
		{"other", lineage.Record, 0, ""},
	}
	for _, tt := range tests {
		if got := lineage.Path(tt.dialect, tt.fact, tt.index); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.dialect, tt.fact, got, tt.want)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add(`{"data":{"a":[1,{"b":"\\\""}]}}`)
	f.Add(`[[],{},"",0,-1.5e3,true]`)
	f.Fuzz(func(t *testing.T, body string) {
		pages, _ := lineage.Lines([][]byte{[]byte(body)})
		seen := map[string]bool{}
		for _, l := range pages[0] {
			if l.Path != "" && seen[l.Path] {
				t.Fatalf("the path %q twice", l.Path)
			}
			seen[l.Path] = true
		}
	})
}
