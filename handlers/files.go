package handlers

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
)

// document downloads a paper that a source gave. Whatever it says it is, it is saved and never opened here: a document
// that a stranger made must not run as a page of ours.
func (c *Console) document(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	d, body, err := c.DB.TakeDocument(r.Context(), v.env, id, v.actor)
	if err != nil {
		return failed(err)
	}
	kind, ending := "application/octet-stream", ".bin"
	if d.ContentType == "application/pdf" && bytes.HasPrefix(body, []byte("%PDF-")) {
		kind, ending = "application/pdf", ".pdf"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "cotejo-" + d.UID.String() + ending}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}
