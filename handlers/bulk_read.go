package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// readBulk judges a draft anew: separated or spelled another way, its columns another way, another source, or what is known
// by now.
func (c *Console) readBulk(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	v := visitOf(r)
	file, was, err := c.DB.BulkFile(r.Context(), v.env, id)
	if err != nil {
		return failed(err)
	}
	typed := views.BulkReading{Delimiter: form.Get("delimiter"), Encoding: form.Get("encoding"), Header: form.Bool("header"),
		Identifier: form.Get("identifier"), Reference: form.Get("reference"), Platform: form.Get("platform")}
	as, problems := spelling(typed, was)
	if len(problems) == 0 {
		var layout *bulk.Layout
		if as.Delimiter == was.Delimiter { // by another one, the columns are others than those that were chosen from
			layout = &bulk.Layout{Header: typed.Header, Identifier: column(typed.Identifier), Reference: column(typed.Reference)}
		}
		draft, fault := c.judged(r, file, as, layout, lookup.Platform(typed.Platform))
		if fault == nil {
			err = c.DB.ReadBulkAgain(r.Context(), v.env, id, draft, c.Now(), v.actor)
			if errors.Is(err, db.ErrNoConnection) {
				fault = &views.Note{ID: "bulk.new.no_connection"}
			} else if err != nil {
				return failed(err)
			}
		}
		if fault == nil {
			return c.done(w, r, "/bulk/"+id.String(), "bulk.flash.read")
		}
		problems[faultField(*fault)] = *fault
	}
	page, err := c.bulkPage(w, r)
	if err != nil {
		return err
	}
	page.Typed, page.Errors = &typed, problems
	return web.Invalid(w, r, views.Bulk(page))
}

// spelling reads how a file is to be read from now on: as it was, where nothing is said.
func spelling(typed views.BulkReading, was bulk.Spelling) (bulk.Spelling, map[string]views.Note) {
	as, problems := was, map[string]views.Note{}
	if as.Encoding == bulk.UTF8BOM { // whether there is a mark, the file says
		as.Encoding = bulk.UTF8
	}
	if d := bulk.Delimiter(typed.Delimiter); slices.Contains(bulk.Delimiters, d) {
		as.Delimiter = d
	} else if d != "" {
		problems["delimiter"] = views.Note{ID: "bulk.reading.delimiter_bad"}
	}
	if e := bulk.Encoding(typed.Encoding); slices.Contains(bulk.Encodings, e) {
		as.Encoding = e
	} else if e != "" {
		problems["encoding"] = views.Note{ID: "bulk.reading.encoding_bad"}
	}
	return as, problems
}

// column reads the number of a column; what is none is None.
func column(text string) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return bulk.None
}

// faultField is the field of the form that a reason speaks of why a draft cannot be read as it says. A file that could be read
// once and cannot now is separated another way.
func faultField(fault views.Note) string {
	switch fault.ID {
	case "bulk.fault." + bulk.FaultHeader, "bulk.fault." + bulk.FaultEmpty:
		return "header"
	case "bulk.fault.column":
		return "identifier"
	case "lookups.form.platform_missing", "bulk.new.no_connection":
		return "platform"
	}
	return "delimiter"
}
