package buro

import (
	"context"
	"slices"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
)

type employmentJSON struct {
	Identifier text          `json:"identifier"`
	UpdatedAt  moment        `json:"updated_at"`
	Weeks      count         `json:"semanas_cotizadas"`
	History    many[rowJSON] `json:"employment_history"`
}

type rowJSON struct {
	Employer     text   `json:"employer"`
	Registration text   `json:"employer_registration"`
	Start        date   `json:"start_date"`
	End          date   `json:"end_date"`
	State        text   `json:"federal_entity"`
	Base         amount `json:"base_salary"`
	Monthly      amount `json:"monthly_salary"`
	PDFLink      text   `json:"pdf_link"`
	Institution  text   `json:"institution"`
}

// Employment fetches a person's employment history, all its pages: GET /employments/{identifier}. One list mixes the
// records of IMSS and ISSSTE, as received; Record.Institution tells them apart. There are no movements and no status here
// (that is in Extra). History.Platform is the institution when there is one only, History.AccountID stays "" as in
// Profile, and Complete is "partial" when not every announced record came; see State. files are the documents that the
// records were read from, each link once, for FetchFile; they come without a name.
//
// employment_history_not_found is an answer: an empty history. Data is keyed by person, so a newer verification may
// replace it between two pages; then nothing is returned but CodeChanged, to be tried again. Raws are the answers in
// order, also when one was refused or could not be read.
func (c *Client) Employment(ctx context.Context, identifier string) (h employment.History, files []EmploymentFile, raws []Raw, err error) {
	const op = "employment"
	segment, err := person(op, identifier)
	if err != nil {
		return employment.History{}, nil, nil, err
	}
	var same sameData
	raws, whole, err := c.pages(ctx, op, "/employments/"+segment, nil, "employment_history", func(a answer) (int, error) {
		var j employmentJSON
		if err := a.read(op, &j); err != nil {
			return 0, err
		}
		if err := a.about(op, identifier, j.Identifier); err != nil {
			return 0, err
		}
		if err := same.check(op, a, j.UpdatedAt.text); err != nil {
			return 0, err
		}
		if j.Weeks.n != nil {
			h.Weeks.Quoted = j.Weeks.n
		}
		for _, r := range j.History {
			record := r.record()
			if record == (employment.Record{}) { // an object of nulls is no spell
				continue
			}
			record.Institution = string(r.Institution)
			h.Records = append(h.Records, record)
			link := string(r.PDFLink)
			if link != "" && !slices.ContainsFunc(files, func(f EmploymentFile) bool { return f.URL == link }) {
				files = append(files, EmploymentFile{URL: link, Institution: record.Institution})
			}
		}
		return len(j.History), nil
	})
	if none(err, "employment_history_not_found") && len(raws) == 1 {
		return employment.History{}, nil, raws, nil
	}
	if err != nil {
		return employment.History{}, nil, raws, err
	}
	h.Platform = institution(h.Records)
	if !whole {
		h.Complete = string(lookup.PullPartial)
	}
	return h, files, raws, nil
}

func (r rowJSON) record() employment.Record {
	return employment.Record{
		Employer: string(r.Employer), Registration: string(r.Registration), Start: r.Start.Time, End: r.End.Time,
		State: string(r.State), BaseSalary: string(r.Base), Monthly: string(r.Monthly),
	}
}

// institution gives the one source of all records, "" when there are several or none.
func institution(records []employment.Record) string {
	for _, r := range records {
		if r.Institution != records[0].Institution {
			return ""
		}
	}
	if len(records) == 0 {
		return ""
	}
	return records[0].Institution
}

// sameData notices that the data was replaced while its pages were read: updated_at is of the whole, not of a page.
type sameData struct {
	text string
	seen bool
}

func (s *sameData) check(op string, a answer, updatedAt string) error {
	if s.seen && s.text != updatedAt {
		return &Error{Op: op, Status: a.raw.Status, Code: CodeChanged, Kind: Retry, RequestID: requestID(a.header)}
	}
	s.text, s.seen = updatedAt, true
	return nil
}

// State tells how complete a history is. This vendor has no word for it, so the records decide, and whether they all came.
func State(h employment.History) lookup.PullState {
	switch {
	case h.Complete == string(lookup.PullPartial):
		return lookup.PullPartial
	case len(h.Records) == 0:
		return lookup.PullEmpty
	}
	return lookup.PullComplete
}
