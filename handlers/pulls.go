package handlers

import (
	"net/http"
	"strconv"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lineage"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
	"cotejo/views"
	"cotejo/web"
)

// pull shows an answer of the vendor as it is kept, with personal data masked, at the place of a fact if one is asked for.
func (c *Console) pull(w http.ResponseWriter, r *http.Request) error {
	return c.showPull(w, r, audit.PullViewed)
}

// revealPull shows it with its personal data.
func (c *Console) revealPull(w http.ResponseWriter, r *http.Request) error {
	return c.showPull(w, r, audit.PullRevealed)
}

func (c *Console) showPull(w http.ResponseWriter, r *http.Request, action audit.Action) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	a, err := c.DB.ViewPull(r.Context(), v.env, id, action, v.actor)
	if err != nil {
		return failed(err)
	}
	page := views.PullPage{Page: c.page(w, r, "lookups", "pulls.title"), Pull: pullNote(&a.Pull), Kind: a.Kind, State: a.State, TookMS: a.TookMS, Code: a.Code,
		Dialect: a.Dialect, Platform: a.Platform, LookupUID: a.LookupUID, Reference: a.Reference, Attempt: a.Attempt}
	bodies := make([][]byte, len(a.Bodies))
	masked := 0
	for i, body := range a.Bodies {
		bodies[i] = body.Body
		n := 0
		if action == audit.PullRevealed {
			bodies[i], _ = webhook.MaskAddress(body.Body) // whoever has the address of our hook may speak as the vendor
		} else {
			bodies[i], n = webhook.MaskAnswer(body.Body, a.Kind == lookup.EntityProfile, a.Known...)
		}
		masked += n
		page.Parts = append(page.Parts, views.PullPart{HTTPStatus: body.HTTPStatus, Size: int64(len(body.Body)), SHA256: hexText(body.SHA256), Matches: body.Matches})
	}
	lines, whole := lineage.Lines(bodies)
	page.Masked = masked > 0 && v.User.Role.May(auth.PowerReveal)
	page.Hidden = masked > 0
	q := r.URL.Query()
	part, err := strconv.Atoi(q.Get("page"))
	if err != nil || part < 1 || part > len(lines) {
		part = 1
	}
	from, err := strconv.Atoi(q.Get("from"))
	if err != nil || from < 1 || from > len(lines[part-1]) {
		from = 1
	}
	if at := q.Get("at"); at != "" {
		if i, line, ok := lineage.Find(lines, at); ok {
			page.Fact, part, from = lines[i][line].Path, i+1, line+1
		}
	}
	page.Show(part, from, lines[part-1], whole[part-1])
	return web.Render(w, r, http.StatusOK, views.Pull(page))
}

// pullBody downloads the exact bytes of an answer, or of one of its pages.
func (c *Console) pullBody(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	a, err := c.DB.ViewPull(r.Context(), v.env, id, audit.PullBody, v.actor)
	if err != nil {
		return failed(err)
	}
	part, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || part < 1 || part > len(a.Bodies) {
		part = 1
	}
	body, name := a.Bodies[part-1].Body, "answer-"+a.UID.String()
	if len(a.Bodies) > 1 {
		name += "-" + strconv.Itoa(part)
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.json"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}
