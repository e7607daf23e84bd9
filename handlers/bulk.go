package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/consent"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

func (c *Console) bulks(w http.ResponseWriter, r *http.Request) error {
	page, err := c.bulksPage(w, r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.Bulks(page))
}

func (c *Console) bulksPage(w http.ResponseWriter, r *http.Request) (views.BulksPage, error) {
	page := views.BulksPage{Page: c.page(w, r, "bulk", "bulk.title")}
	form, err := c.emptyForm(r)
	if err != nil {
		return page, err
	}
	page.Sources, page.Platform = form.Sources, form.Values.Platform
	var newer, older bool
	if page.List, newer, older, err = c.DB.Bulks(r.Context(), page.Env, pageOf(r.URL.Query(), listRows)); err != nil {
		return page, failed(err)
	}
	page.Before, page.After = ends(page.List, newer, older, func(b bulk.Bulk) lookup.Cursor { return lookup.Cursor{At: b.UploadedAt, ID: b.ID} })
	return page, nil
}

// uploadBulk keeps a file as a draft, judged row by row. Nothing is sent.
func (c *Console) uploadBulk(w http.ResponseWriter, r *http.Request) error {
	up, err := readUpload(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	draft, fault := c.judged(r, up.file, bulk.Spelling{}, nil, lookup.Platform(up.fields["platform"]))
	var uid uuid.UUID
	if fault == nil {
		draft.FileName = up.name
		uid, err = c.DB.AddBulk(r.Context(), draft, c.Now(), v.actor)
		if errors.Is(err, db.ErrNoConnection) {
			fault = &views.Note{ID: "bulk.new.no_connection"}
		} else if err != nil {
			return failed(err)
		}
	}
	if fault != nil {
		page, err := c.bulksPage(w, r)
		if err != nil {
			return err
		}
		page.Platform, page.Text, page.Errors = up.fields["platform"], up.pasted(), map[string]views.Note{"file": *fault}
		return web.Invalid(w, r, views.Bulks(page))
	}
	return web.Redirect303(w, r, "/bulk/"+uid.String())
}

// judged reads a file, spelled and laid out as is said or (empty, nil) as it looks, and judges its rows for a source.
func (c *Console) judged(r *http.Request, file []byte, as bulk.Spelling, layout *bulk.Layout, platform lookup.Platform) (db.NewBulk, *views.Note) {
	if !platform.Requestable() && platform != lookup.AllSources {
		return db.NewBulk{}, &views.Note{ID: "lookups.form.platform_missing"}
	}
	sheet, err := bulk.ReadAs(file, as)
	if err != nil {
		return db.NewBulk{}, c.faultOf(r, err)
	}
	n := db.NewBulk{Environment: visitOf(r).env, Dialect: lookup.Form{Platform: string(platform)}.Dialect(), Platform: platform, File: file,
		SHA256: bulk.Sum(file), Encoding: sheet.Encoding, Delimiter: sheet.Delimiter}
	if layout == nil {
		guess := sheet.Guess()
		layout = &guess
	}
	n.Layout, n.Columns = *layout, sheet.Columns(layout.Header)
	if !n.Layout.Fits(len(n.Columns)) {
		return n, &views.Note{ID: "bulk.fault.column"}
	}
	if n.Rows, err = sheet.Judge(n.Layout, platform, c.today(r)); err != nil {
		return n, c.faultOf(r, err)
	}
	return n, nil
}

// faultOf says why a file cannot be read.
func (c *Console) faultOf(r *http.Request, err error) *views.Note {
	var fault *bulk.Fault
	if !errors.As(err, &fault) {
		fault = &bulk.Fault{Code: bulk.FaultBinary}
	}
	p := visitOf(r).printer
	return &views.Note{ID: "bulk.fault." + fault.Code, Args: []any{"Line", fault.Line, "Size", p.Bytes(bulk.MaxBytes), "Rows", p.Number(bulk.MaxRows), "Columns", bulk.MaxColumns}}
}

func (c *Console) bulk(w http.ResponseWriter, r *http.Request) error {
	page, err := c.bulkPage(w, r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.Bulk(page))
}

func (c *Console) bulkPage(w http.ResponseWriter, r *http.Request) (views.BulkPage, error) {
	id, err := pathID(r)
	if err != nil {
		return views.BulkPage{}, err
	}
	v := visitOf(r)
	page := views.BulkPage{Page: c.page(w, r, "bulk", "bulk.single"), Notice: v.Console.NoticeVersion, ConsentDays: v.Console.ConsentDays,
		Form: views.BulkForm{GivenOn: dayText(c.today(r))}}
	if page.Bulk, err = c.DB.Bulk(r.Context(), v.env, id); err != nil {
		return page, failed(err)
	}
	if page.Bulk.State == bulk.Draft {
		form, err := c.emptyForm(r)
		if err != nil {
			return page, err
		}
		page.Sources = form.Sources
		at, err := c.DB.Connection(r.Context(), v.env, page.Bulk.Dialect)
		if err != nil {
			return page, failed(err)
		}
		page.Price = at.Price
	}
	return page, failed(c.bulkRows(r.Context(), &page, r.URL.Query()))
}

// bulkRows reads a page of a bulk's rows.
func (c *Console) bulkRows(ctx context.Context, page *views.BulkPage, query url.Values) error {
	if verdict := bulk.Verdict(query.Get("verdict")); slices.Contains(bulk.Verdicts, verdict) {
		page.Verdict = verdict
	}
	var before, after bool
	var err error
	if page.Rows, before, after, err = c.DB.BulkItems(ctx, page.Bulk.ID, page.Verdict, pageOf(query, listRows)); err != nil {
		return err
	}
	page.Before, page.After = ends(page.Rows, before, after, func(i bulk.Item) lookup.Cursor {
		return lookup.Cursor{At: page.Bulk.UploadedAt, ID: int64(i.Number)}
	})
	return nil
}

// sendBulk sends a draft under the consent that the form says everybody in it gave.
func (c *Console) sendBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v := visitOf(r)
	typed := views.BulkForm{Consent: form.Bool("consent"), Means: form.Get("means"), GivenOn: form.Get("given_on"), Insist: form.Bool("insist")}
	given, problems := c.bulkConsent(r, typed)
	if len(problems) > 0 {
		page, err := c.bulkPage(w, r)
		if err != nil {
			return err
		}
		page.Form, page.Errors = typed, problems
		return web.Invalid(w, r, views.Bulk(page))
	}
	path := "/bulk/" + id.String()
	judged, _ := strconv.ParseInt(form.Get("judged"), 10, 64)
	err = c.DB.SendBulk(r.Context(), v.env, id, db.Sending{JudgedAt: time.UnixMicro(judged), Consent: given, Insist: typed.Insist}, v.actor)
	switch {
	case errors.Is(err, db.ErrNothingToSend):
		return c.flash(w, r, web.FlashError, path, "bulk.flash.nothing")
	case errors.Is(err, db.ErrConflict):
		return c.flash(w, r, web.FlashInfo, path, "bulk.flash.changed")
	case err != nil:
		return failed(err)
	}
	return c.done(w, r, path, "bulk.flash.sent")
}

// bulkConsent judges what a form says of everybody's consent, by the rules of the form for one lookup. What was given
// today was given by now; of an earlier day nobody knows the hour, so it counts from its beginning.
func (c *Console) bulkConsent(r *http.Request, typed views.BulkForm) (consent.Record, map[string]views.Note) {
	v := visitOf(r)
	now, problems := c.Now(), map[string]views.Note{}
	if !typed.Consent {
		problems["consent"] = views.Note{ID: "lookups.form.consent_missing"}
	}
	if !consent.KnownMeans(typed.Means) {
		problems["means"] = views.Note{ID: "lookups.form.means_missing"}
	}
	given, on := now, day(typed.GivenOn)
	switch today := c.today(r); {
	case on.IsZero() || on.After(today):
		problems["given_on"] = views.Note{ID: "bulk.send.given_bad"}
	case on.Before(today):
		given = time.Date(on.Year(), on.Month(), on.Day(), 0, 0, 0, 0, v.printer.Zone())
	}
	record := consent.Record{GivenAt: given, ExpiresAt: given.AddDate(0, 0, v.Console.ConsentDays), NoticeVersion: v.Console.NoticeVersion,
		Means: typed.Means, Purpose: consent.PurposeCredit, IP: v.actor.IP}
	if _, bad := problems["given_on"]; !bad && !record.Live(now) {
		problems["given_on"] = views.Note{ID: "bulk.send.given_over"}
	}
	return record, problems
}

func (c *Console) discardBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	v := visitOf(r)
	if err := c.DB.DiscardBulk(r.Context(), v.env, id, v.actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/bulk", "bulk.flash.discarded")
}

// switchBulk pauses, resumes or cancels. Somebody else may have been quicker, or the bulk has ended: the page says how it
// stands.
func (c *Console) switchBulk(to bulk.State) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathID(r)
		if err != nil {
			return err
		}
		v := visitOf(r)
		path := "/bulk/" + id.String()
		err = c.DB.SwitchBulk(r.Context(), v.env, id, to, v.actor)
		if errors.Is(err, db.ErrConflict) {
			return c.flash(w, r, web.FlashInfo, path, "bulk.flash.already")
		} else if err != nil {
			return failed(err)
		}
		return c.done(w, r, path, "bulk.flash."+string(to))
	}
}

// bulkPause is how often a page's stream looks at its bulk: what it counts lies in at most as many rows as a file has.
const bulkPause = time.Second

// bulkLive streams how far a bulk has come, and its rows when it has ended.
func (c *Console) bulkLive(w http.ResponseWriter, r *http.Request) error {
	page, err := c.bulkPage(w, r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	return c.streamLooks(w, r, bulkPause, func(ctx context.Context) (string, bool, error) {
		var err error
		page.Now = c.Now()
		if page.Bulk, err = c.DB.Bulk(ctx, page.Env, page.Bulk.UID); err != nil {
			return "", false, err
		}
		if !page.Moving() {
			if err := c.bulkRows(ctx, &page, query); err != nil {
				return "", false, err
			}
		}
		text, err := rendered(ctx, views.LiveBulk(page))
		return text, page.Moving(), err
	})
}
