package views

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

// sketch writes lines as "depth|text" with keys in <> and hidden values in ().
func sketch(lines []codeLine) []string {
	var out []string
	for _, line := range lines {
		text := strings.Repeat(">", line.Depth)
		for _, p := range line.Parts {
			switch p.Kind {
			case "key":
				text += "<" + p.Text + ">"
			case "hide":
				text += "(" + p.Text + ")"
			default:
				text += p.Text
			}
		}
		out = append(out, text)
	}
	return out
}

func TestBodyLines(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want []string
	}{
		"empty":           {"", nil},
		"one value":       {`null`, []string{`null`}},
		"flat":            {`{"a":1.500000000,"b":"x"}`, []string{`{`, `><"a">:1.500000000,`, `><"b">:"x"`, `}`}},
		"nested":          {`{"a":{"b":[1,2]}}`, []string{`{`, `><"a">:{`, `>><"b">:[`, `>>>1,`, `>>>2`, `>>]`, `>}`, `}`}},
		"nothing inside":  {`{"a":[],"b":{}}`, []string{`{`, `><"a">:[],`, `><"b">:{}`, `}`}},
		"own spaces":      {`{ "a" : [ ] }`, []string{`{`, `> <"a"> : [ ] `, `}`}},
		"own lines":       {"{\n  \"a\": [1,2]\n}\n", []string{"{\n", "  <\"a\">: [1,2]\n", "}\n"}},
		"escapes":         {`{"a\"b":"c\\","d":"\u0000é"}`, []string{`{`, `><"a\"b">:"c\\",`, `><"d">:"\u0000é"`, `}`}},
		"masked":          {`{"curp":"GATA••••••••••LLA7"}`, []string{`{`, `><"curp">:"(GATA••••••••••LLA7)"`, `}`}},
		"a value as key":  {`["a","b"]`, []string{`[`, `>"a",`, `>"b"`, `]`}},
		"braces in words": {`{"a":"{[,]}"}`, []string{`{`, `><"a">:"{[,]}"`, `}`}},
		"not JSON":        {"hola {x\nCURP GATA••••LLA7 fin", []string{"hola {x\n", "CURP (GATA••••LLA7) fin"}},
		"cut JSON":        {`{"a":`, []string{`{"a":`}},
		"two documents":   {`{} {}`, []string{`{} {}`}},
		"control":         {"a\x00b\r\n\x7f", []string{"a␀b␍\n", "␡"}},
		"not UTF-8":       {"caf\xe9", []string{"caf�"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, cut := bodyLines(tt.body)
			if diff := cmp.Diff(tt.want, sketch(lines)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if cut {
				t.Error("cut")
			}
		})
	}
}

// What the page holds is what arrived, byte for byte: line breaks of ours are layout and not text.
func TestBodyTextIsExact(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"webhook_url":"http://x/hooks/••••4c1e","data":{"external_id":"None","n":1.100000000,"e":1E+2,"t":"2024-03-15T17:31:24.907713482Z","l":[1, 2,3],"z":{}}}`,
		"{\n\t\"a\": 1,\n\t\"b\": [ ]\n}",
		"plain <b>text</b> & more",
	} {
		lines, _ := bodyLines(body)
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(html(t, codeText(lines))))
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Find("code").Text(); got != body {
			t.Errorf("the page holds\n%s\nfor\n%s", got, body)
		}
		if n := doc.Find("code b").Length(); n != 0 {
			t.Errorf("markup of the body became %d elements", n)
		}
	}
}

func TestBodyIsCutAtARune(t *testing.T) {
	t.Parallel()
	lines, cut := bodyLines(strings.Repeat("ñ", MaxBodyShown))
	if !cut || len(lines) != 1 {
		t.Fatalf("cut %t, %d lines", cut, len(lines))
	}
	text := lines[0].Parts[0].Text
	if len(text) > MaxBodyShown || strings.Contains(text, "�") {
		t.Errorf("%d bytes shown, broken rune %t", len(text), strings.Contains(text, "�"))
	}
}

func TestBodyDepthIsBounded(t *testing.T) {
	t.Parallel()
	lines, _ := bodyLines(strings.Repeat("[", 50) + "1" + strings.Repeat("]", 50))
	deepest := 0
	for _, line := range lines {
		deepest = max(deepest, line.Depth)
	}
	if deepest != maxDepth {
		t.Errorf("deepest line at %d, want %d", deepest, maxDepth)
	}
}

func FuzzBodyLines(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"c\\\""}]}`, "{\n}", `"`, "\xff\x00", `{"•":"••"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		lines, cut := bodyLines(body)
		var text strings.Builder
		for _, line := range lines {
			if line.Depth < 0 || line.Depth > maxDepth {
				t.Fatalf("depth %d", line.Depth)
			}
			for _, p := range line.Parts {
				text.WriteString(p.Text)
			}
		}
		if !cut && text.String() != visible(body) {
			t.Fatalf("%q is shown as %q", body, text.String())
		}
	})
}
