package handlers

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"cotejo/internal/bulk"
	"cotejo/internal/curp"
	"cotejo/web"
)

// maxUpload is how much of an upload is taken off the wire. It is more than a file may have, so that one that is too large
// is answered with a sentence instead of a broken connection.
const maxUpload = 32 << 20

// upload is a form with a file.
type upload struct {
	name   string // of the file, without what could be personal; "" for what was pasted
	file   []byte // one byte over bulk.MaxBytes when there was more
	typed  bool
	fields map[string]string
}

// pasted gives what was pasted, to be shown again, unless it is too much for a page.
func (u upload) pasted() string {
	const most = 256 << 10
	if !u.typed || len(u.file) > most || !utf8.Valid(u.file) {
		return ""
	}
	return strings.ReplaceAll(string(u.file), "\x00", "")
}

// readUpload reads a form with a file or the same as pasted text; a file wins. Errors quote nothing of it.
func readUpload(r *http.Request) (upload, error) {
	u := upload{fields: map[string]string{}}
	parts, err := r.MultipartReader()
	if err != nil {
		return u, web.BadRequest(web.MsgFormUnreadable)
	}
	const fields = 10
	for range fields {
		part, err := parts.NextPart()
		if err == io.EOF {
			return u, nil
		}
		if err != nil {
			return u, uploadError(err)
		}
		if err := u.take(part); err != nil {
			return u, uploadError(err)
		}
	}
	return u, web.BadRequest(web.MsgFormUnreadable)
}

func (u *upload) take(part *multipart.Part) error {
	limit := int64(1 << 10)
	name := part.FormName()
	if name == "file" || name == "text" {
		limit = bulk.MaxBytes + 1
	}
	value, err := io.ReadAll(io.LimitReader(part, limit))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, part); err != nil {
		return err
	}
	switch name {
	case "file":
		if len(value) > 0 {
			u.name, u.file, u.typed = fileName(part.FileName()), value, false
		}
	case "text":
		if len(u.file) == 0 {
			u.file, u.typed = value, true
		}
	default:
		u.fields[name] = strings.ToValidUTF8(strings.TrimSpace(string(value)), "")
	}
	return nil
}

func uploadError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return web.TooLarge(errors.New("upload over its size limit"))
	}
	return web.BadRequest(web.MsgFormUnreadable) // the connection broke, or was too slow
}

// rfcLike finds what looks like an RFC, also in the middle of a word: a name loses little by it.
var rfcLike = regexp.MustCompile(`(?i)[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{2}[0-9A]`)

// fileName is what of a file's name is kept: it ends up in lists that more people read than the file.
func fileName(name string) string {
	const most = 100
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if name == "." || name == "/" {
		return ""
	}
	name = rfcLike.ReplaceAllString(curp.Redact(name), "…")
	if r := []rune(name); len(r) > most {
		name = string(r[:most-1]) + "…"
	}
	return name
}
