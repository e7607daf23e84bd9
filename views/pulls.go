package views

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"cotejo/internal/lineage"
	"cotejo/internal/lookup"
)

// PullPage is one answer of the vendor as it is kept.
type PullPage struct {
	Page
	Pull      PullNote
	Kind      lookup.Entity
	State     lookup.PullState
	TookMS    int
	Code      string // why it failed
	Dialect   lookup.Dialect
	Platform  lookup.Platform
	LookupUID uuid.UUID
	Reference string
	Attempt   int
	Parts     []PullPart // the pages it came in
	Masked    bool       // something is masked that this reader may have revealed
	Hidden    bool       // something is masked
	Fact      string     // path of the value that a link led to, "" for none

	part, from int // which page, and its first line shown; both from 1
	last       int // last line of that page
	lines      []lineage.Line
	contents   []content
	whole      bool
}

// PullPart is one page of an answer. Matches tells whether its bytes still have the hash.
type PullPart struct {
	HTTPStatus int
	Size       int64
	SHA256     string
	Matches    bool
}

// content is an entry of the list of what an answer has at its top.
type content struct{ Path, Name string }

// linesShown bounds the page, not the answer: the lines before and after are a link away.
const linesShown = 1000

// Show chooses the lines of a page around one of them.
func (v *PullPage) Show(part, at int, lines []lineage.Line, whole bool) {
	v.part, v.last, v.whole = part, len(lines), whole
	begin := (at - 1) / linesShown * linesShown
	v.from = begin + 1
	v.lines = lines[min(begin, len(lines)):min(begin+linesShown, len(lines))]
	for _, l := range lines {
		if l.Path != "" && !strings.Contains(l.Path, "-") {
			v.contents = append(v.contents, content{l.Path, l.Path})
		}
	}
}

func (v PullPage) path(more string) string { return "/pulls/" + v.Pull.UID.String() + more }

// here is the address of a stretch of lines of this page of the answer.
func (v PullPage) here(from int) string {
	q := url.Values{}
	if v.part > 1 {
		q.Set("page", strconv.Itoa(v.part))
	}
	if from > 1 {
		q.Set("from", strconv.Itoa(from))
	}
	if len(q) == 0 {
		return v.path("")
	}
	return v.path("?" + q.Encode())
}

func (v PullPage) before() string {
	if v.from <= linesShown {
		return ""
	}
	return v.here(v.from - linesShown)
}

func (v PullPage) after() string {
	if v.from+len(v.lines) > v.last {
		return ""
	}
	return v.here(v.from + linesShown)
}

func (v PullPage) end() int { return v.from + len(v.lines) - 1 }

// revealPath keeps the place that is being read.
func (v PullPage) revealPath() string {
	q := url.Values{"page": {strconv.Itoa(v.part)}, "from": {strconv.Itoa(v.from)}}
	if v.Fact != "" {
		q.Set("at", v.Fact)
	}
	return v.path("/reveal?" + q.Encode())
}

func (v PullPage) bodyPath() string {
	if v.part > 1 {
		return v.path("/body?page=" + strconv.Itoa(v.part))
	}
	return v.path("/body")
}

func (v PullPage) shown() PullPart { return v.Parts[v.part-1] }

// factPath leads to the place of a fact in an answer: in the address for the page that the server makes, and as fragment
// for the browser. A path has nothing personal in it.
func factPath(n PullNote, place string) string {
	if !n.Is() || n.UID == uuid.Nil || place == "" {
		return ""
	}
	return "/pulls/" + n.UID.String() + "?at=" + place + "#at-" + place
}

// inEmployment and inProfile lead to the place of a fact of this case.
func (v CasePage) inEmployment(f lineage.Fact, index int) string {
	return factPath(v.EmploymentPull, lineage.Path(v.Case.Dialect, f, index))
}

func (v CasePage) inProfile(f lineage.Fact) string {
	return factPath(v.ProfilePull, lineage.Path(v.Case.Dialect, f, 0))
}

// pullText writes the lines of an answer. Each has its number, and an id by which a fact leads to it.
func pullText(v PullPage) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		b.WriteString("<code>")
		for i, line := range v.lines {
			b.WriteString(`<span class="code__line raw__line`)
			if depth := min(line.Depth, maxDepth); depth > 0 {
				b.WriteString(" code__line--" + strconv.Itoa(depth))
			}
			if v.Fact != "" && line.Path == v.Fact {
				b.WriteString(" raw__line--fact")
			}
			b.WriteString(`" data-n="` + strconv.Itoa(v.from+i) + `"`)
			if line.Path != "" {
				b.WriteString(` id="at-` + templ.EscapeString(line.Path) + `"`)
			}
			b.WriteString(">")
			for _, part := range line.Parts {
				text := templ.EscapeString(visible(part.Text))
				if part.Kind != "" {
					text = `<span class="code__` + part.Kind + `">` + text + "</span>"
				}
				b.WriteString(text)
			}
			b.WriteString("\n</span>")
		}
		b.WriteString("</code>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// pullPath leads to an answer, "" when there is none to see.
func (v CasePage) pullPath(n PullNote) string {
	if !n.Is() || n.UID == uuid.Nil {
		return ""
	}
	return "/pulls/" + n.UID.String()
}

func (v CasePage) birthWords() string {
	if v.Profile.Birthday.IsZero() {
		return ""
	}
	return v.P.Date(v.Profile.Birthday)
}
