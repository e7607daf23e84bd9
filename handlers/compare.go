package handlers

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// compareDeliveries holds two deliveries side by side, with personal data masked in both.
func (c *Console) compareDeliveries(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	other, err := uuid.Parse(r.PathValue("other"))
	if err != nil {
		return web.NotFound(err)
	}
	v := visitOf(r)
	a, err := c.DB.ViewDelivery(r.Context(), v.env, id, audit.DeliveryViewed, v.actor)
	if err != nil {
		return failed(err)
	}
	b, err := c.DB.ViewDelivery(r.Context(), v.env, other, audit.DeliveryViewed, v.actor)
	if err != nil {
		return failed(err)
	}
	page := views.ComparePage{Page: c.page(w, r, "deliveries", "ui.nav.deliveries"), A: a, B: b, Same: bytes.Equal(a.Body, b.Body)}
	page.Headers = diffLines(headerText(a.Headers), headerText(b.Headers))
	page.Body = diffLines(bodyText(a.Body), bodyText(b.Body))
	return web.Render(w, r, http.StatusOK, views.Compare(page))
}

func headerText(headers []webhook.Header) []string {
	lines := make([]string, len(headers))
	for i, h := range headers {
		lines[i] = h.Name + ": " + h.Value
		if h.Sealed {
			lines[i] = h.Name + ": ••••••••"
		}
	}
	return lines
}

// bodyText breaks a body where JSON has its commas and braces, so that one changed value is one changed line. The text
// itself stays as received, and is cut where that of a delivery is.
func bodyText(body []byte) []string {
	masked, _ := webhook.Mask(body) // before it is cut: what is cut in two has another form
	cut := len(masked) > views.MaxBodyShown
	if cut {
		masked = masked[:views.MaxBodyShown]
	}
	var lines []string
	var line strings.Builder
	inText, escaped := false, false
	for _, r := range string(masked) {
		line.WriteRune(r)
		switch {
		case escaped:
			escaped = false
		case inText && r == '\\':
			escaped = true
		case r == '"':
			inText = !inText
		case !inText && (r == ',' || r == '{' || r == '['), r == '\n':
			lines = append(lines, strings.TrimRight(line.String(), "\n"))
			line.Reset()
		}
	}
	lines = append(lines, line.String())
	if cut {
		lines = append(lines, "…")
	}
	return lines
}

// maxDiffed bounds the work of a comparison; where more lines than these differ, they are shown one after the other.
const maxDiffed = 1000

// diffLines finds the longest common run of lines and marks the rest as only left or only right.
func diffLines(a, b []string) []views.DiffLine {
	var lines, tail []views.DiffLine
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		lines = append(lines, views.DiffLine{Kind: views.LineSame, Left: a[0], Right: b[0]})
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		tail = append(tail, views.DiffLine{Kind: views.LineSame, Left: a[len(a)-1], Right: b[len(b)-1]})
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	slices.Reverse(tail)
	if len(a)*len(b) > maxDiffed*maxDiffed {
		for _, line := range a {
			lines = append(lines, views.DiffLine{Kind: views.LineOld, Left: line})
		}
		for _, line := range b {
			lines = append(lines, views.DiffLine{Kind: views.LineNew, Right: line})
		}
		return append(lines, tail...)
	}
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, views.DiffLine{Kind: views.LineSame, Left: a[i], Right: b[j]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, views.DiffLine{Kind: views.LineOld, Left: a[i]})
			i++
		default:
			lines = append(lines, views.DiffLine{Kind: views.LineNew, Right: b[j]})
			j++
		}
	}
	return append(lines, tail...)
}
