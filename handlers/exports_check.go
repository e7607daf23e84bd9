package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/receipt"
	"cotejo/views"
	"cotejo/web"
)

// maxChecked is how large a file may be that is compared with its receipt. Nothing of it is kept, so this only bounds how
// long one request may take.
const maxChecked = 2 << 30

func (c *Console) checkExportForm(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, views.CheckExport(views.CheckExportPage{Page: c.page(w, r, "exports", "exports.check.title")}))
}

// checked is what a person gave to compare: a file, of which only the hash and the ids in its name are kept, or a hash.
type checked struct {
	typed string
	sum   []byte
	size  int64
	name  string
	file  bool
}

var hexHash = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkExport tells whether a file, or the file of a hash, is one of ours as it left.
func (c *Console) checkExport(w http.ResponseWriter, r *http.Request) error {
	given, err := readChecked(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	page := views.CheckExportPage{Page: c.page(w, r, "exports", "exports.check.title"), Typed: given.typed}
	if given.sum == nil {
		page.Errors = map[string]views.Note{"file": {ID: "exports.check.nothing"}}
		if given.typed != "" {
			page.Errors = map[string]views.Note{"sha256": {ID: "exports.check.no_hash"}}
		}
		return web.Invalid(w, r, views.CheckExport(page))
	}
	result := views.CheckResult{SHA256: hex.EncodeToString(given.sum), File: given.file, Size: given.size}
	list, err := c.DB.ReceiptsOf(r.Context(), v.env, given.sum)
	if err != nil {
		return failed(err)
	}
	named, err := c.namedReceipt(r, given.name)
	if err != nil {
		return err
	}
	switch {
	case named == nil:
		result.Matches = list
	case bytes.Equal(named.SHA256, given.sum):
		// Of several exports with the same bytes, the one that the name speaks of comes first.
		list = slices.DeleteFunc(list, func(one receipt.Receipt) bool { return one.UID == named.UID })
		result.Matches = slices.Insert(list, 0, *named)
	default:
		result.Matches, result.Named = list, named
	}
	result.All, result.UserID = v.User.Role.May(auth.PowerOversee), v.User.ID
	page.Result = &result
	return web.Render(w, r, http.StatusOK, views.CheckExport(page))
}

// namedReceipt gives the receipt whose id stands in a file's name, or nil.
func (c *Console) namedReceipt(r *http.Request, name string) (*receipt.Receipt, error) {
	ids := receipt.IDsIn(name)
	slices.Reverse(ids) // the receipt's comes last
	for _, id := range ids {
		found, err := c.DB.Receipt(r.Context(), visitOf(r).env, id)
		if err == nil {
			return &found, nil
		}
		if !errors.Is(err, db.ErrNotFound) {
			return nil, failed(err)
		}
	}
	return nil, nil
}

// readChecked reads the form: with a file as multipart, hashed as it comes and kept nowhere, or with a hash alone in
// either form. A file wins.
func readChecked(r *http.Request) (given checked, err error) {
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "application/x-www-form-urlencoded" {
		form, err := web.ParseForm(r, web.FormLimits{})
		if err != nil {
			return given, err
		}
		given.takeHash(form.Get("sha256"))
		return given, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return given, web.BadRequest(web.MsgFormUnreadable)
	}
	const fields = 4
	for range fields {
		part, err := parts.NextPart()
		if err == io.EOF {
			return given, nil
		} else if err != nil {
			return given, uploadError(err)
		}
		switch part.FormName() {
		case "file":
			sum := sha256.New()
			size, err := io.Copy(sum, part)
			if err != nil {
				return given, uploadError(err)
			}
			if size > 0 {
				given.sum, given.size, given.name, given.file = sum.Sum(nil), size, part.FileName(), true
			}
		case "sha256":
			text, err := io.ReadAll(io.LimitReader(part, 1<<10))
			if err != nil {
				return given, uploadError(err)
			}
			given.takeHash(string(text))
		}
	}
	return given, nil
}

// takeHash reads a hash as people copy it: with spaces, in capitals, or as sha256sum prints it before the name.
func (g *checked) takeHash(text string) {
	g.typed = strings.ToValidUTF8(strings.TrimSpace(text), "")
	first, rest, _ := strings.Cut(strings.ToLower(g.typed), " ")
	if sum, err := hex.DecodeString(first); err == nil && hexHash.MatchString(first) && !g.file {
		g.sum, g.name = sum, rest
	}
	// Nothing but a hash goes back to the page: what else was pasted may be anything.
	if !hexHash.MatchString(first) && len(g.typed) > 80 {
		g.typed = g.typed[:80]
	}
	g.typed = strings.ToValidUTF8(g.typed, "")
}
