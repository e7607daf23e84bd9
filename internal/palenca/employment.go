package palenca

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
)

// Employment fetches the employment history of an account that succeeded. A person without any is an answer, not a
// fault: "data": null gives an empty history, and so does a 404 once the vendor confirms that the account exists and
// succeeded. Which of the two it sends is not published (docs/vendor.md#employment-empty). Raw holds the answer to the
// employment request itself, also when it was refused or could not be read.
func (c *Client) Employment(ctx context.Context, id string) (employment.History, Raw, error) {
	const op = "employment"
	a, err := c.pull(ctx, op, id)
	if err != nil {
		return employment.History{}, a.raw, err
	}
	if a.data == nil {
		return employment.History{AccountID: id}, a.raw, nil
	}
	var j employmentJSON
	if err := a.read(op, &j); err != nil {
		return employment.History{}, a.raw, err
	}
	h := j.history()
	if h.AccountID == "" {
		h.AccountID = id
	}
	if a.pages > 1 {
		// The answer is typed as one page of several, but no parameter for the next one is published. Whatever the
		// vendor calls it, what we hold is then not everything.
		h.Complete = string(lookup.PullPartial)
	}
	return h, a.raw, nil
}

// pull gets one kind of data of an account. A 404 alone does not say "nothing there": a wrong base URL gives one too,
// and would show every applicant as never employed. So the account itself is asked about first; when that question
// fails for a reason of its own, its error counts, because asking again later may settle the matter.
func (c *Client) pull(ctx context.Context, op, id string) (answer, error) {
	if err := checkID(op, id); err != nil {
		return answer{}, err
	}
	a, err := c.call(ctx, op, http.MethodGet, "/accounts/"+id+"/"+op, nil)
	if !missing(err) {
		return a, err
	}
	account, accountErr := c.Account(ctx, id)
	switch {
	case accountErr != nil && !missing(accountErr):
		return a, accountErr
	case accountErr == nil && account.Report().Phase == lookup.PhaseSucceeded:
		return answer{raw: a.raw, header: a.header}, nil
	}
	return a, err
}

// State tells how complete a history is, as the source says; where it says nothing, or says more than it sent, the
// records decide.
func State(h employment.History) lookup.PullState {
	none := len(h.Records) == 0
	switch {
	case h.Complete == "partial", h.Complete == "empty" && !none:
		return lookup.PullPartial
	case none:
		return lookup.PullEmpty
	}
	return lookup.PullComplete
}

// employmentJSON is "data" of GET /accounts/{id}/employment. Every part may be missing: the newest schema has neither
// salaries nor events, older samples have no registration and no completeness (docs/vendor.md#salary).
type employmentJSON struct {
	Platform  text             `json:"platform"`
	AccountID text             `json:"account_id"`
	Info      infoJSON         `json:"employment_info"`
	History   many[recordJSON] `json:"employment_history"`
	Events    eventsJSON       `json:"employment_events"`
}

// infoJSON speaks of the person, not of one job (docs/vendor.md#weeks).
type infoJSON struct {
	IDType       text  `json:"id_type"` // an open set: "curp" is on older pages and not in the schema
	Quoted       count `json:"quoted_weeks"`
	Discounted   count `json:"discounted_weeks"`
	Reintegrated count `json:"reintegrated_weeks"`
	EndOfRights  text  `json:"end_of_rights"`
	Status       text  `json:"status"`
	Complete     text  `json:"employment_history_status"`
	Files        many[struct {
		Type text `json:"file_type"` // its signed link is not read: it dies after 900 s and would be a secret at rest
	}] `json:"employment_files"`
	// Older pages have these two here instead of in each record.
	State      text `json:"federal_entity"`
	QuotedDays text `json:"quoted_days"`
}

// recordJSON is one spell. payment_days and job_title_code, which no sample fills, stay in the raw answer only.
type recordJSON struct {
	Employer     text   `json:"employer"`
	Registration text   `json:"employer_registration"`
	Start        date   `json:"start_date"`
	End          date   `json:"end_date"`
	State        text   `json:"federal_entity"`
	Base         amount `json:"base_salary"`
	Monthly      amount `json:"monthly_salary"`
	JobTitle     text   `json:"job_title"`
	Designation  text   `json:"designation"`
	Modality     text   `json:"modality"`
	PayFrequency text   `json:"payment_frequency"`
	QuotedDays   text   `json:"quoted_days"`
}

// movementJSON is one affiliation movement; event_end_date is on the older pages only.
type movementJSON struct {
	Type         text   `json:"event_type"`
	Employer     text   `json:"employer"`
	Registration text   `json:"employer_registration"`
	Date         date   `json:"event_date"`
	End          date   `json:"event_end_date"`
	Base         amount `json:"base_salary"`
}

// eventsJSON reads employment_events as a list, as null, as one event, and as an object that wraps the list under the
// same name, which the vendor's schema has on its input side.
type eventsJSON []movementJSON

func (e *eventsJSON) UnmarshalJSON(b []byte) error {
	var list many[movementJSON]
	var wrapper struct {
		Events *many[movementJSON] `json:"employment_events"`
	}
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &wrapper); err != nil {
			return err
		}
	}
	if wrapper.Events != nil {
		list = *wrapper.Events
	} else if err := list.UnmarshalJSON(b); err != nil {
		return err
	}
	*e = eventsJSON(list)
	return nil
}

func (j employmentJSON) history() employment.History {
	h := employment.History{
		Platform: string(j.Platform), AccountID: string(j.AccountID), IDType: string(j.Info.IDType),
		Status: string(j.Info.Status), Complete: string(j.Info.Complete), EndOfRight: string(j.Info.EndOfRights),
		Weeks: employment.Weeks{Quoted: j.Info.Quoted.n, Discounted: j.Info.Discounted.n, Reintegrated: j.Info.Reintegrated.n},
	}
	if h.Status == "active" { // one fact, one word: lists are filtered by it
		h.Status = "employed" // the older pages' word for it
	}
	for _, f := range j.Info.Files {
		h.Files = append(h.Files, employment.File{Type: string(f.Type)})
	}
	for _, r := range j.History {
		record := employment.Record{
			Employer: string(r.Employer), Registration: string(r.Registration), Start: r.Start.Time, End: r.End.Time,
			State: string(r.State), BaseSalary: string(r.Base), Monthly: string(r.Monthly), JobTitle: string(r.JobTitle),
			Designation: string(r.Designation), Modality: string(r.Modality), PayFrequency: string(r.PayFrequency),
			QuotedDays: string(r.QuotedDays),
		}
		if record != (employment.Record{}) { // an object of nulls is no spell
			h.Records = append(h.Records, record)
		}
	}
	for _, m := range j.Events {
		movement := employment.Movement{
			Type: string(m.Type), Employer: string(m.Employer), Registration: string(m.Registration),
			Date: m.Date.Time, End: m.End.Time, BaseSalary: string(m.Base),
		}
		if movement != (employment.Movement{}) {
			h.Movements = append(h.Movements, movement)
		}
	}
	placeOld(&h, j.Info)
	return h
}

// placeOld puts the two values that older answers keep in employment_info where newer ones have them. They speak of
// the person as of today, so they go to the current record only, never to earlier spells; and a count of days only when
// it cannot be the sum of several.
func placeOld(h *employment.History, info infoJSON) {
	i := employment.Latest(h.Records)
	if i < 0 {
		return
	}
	r := &h.Records[i]
	if r.State == "" {
		r.State = string(info.State)
	}
	if r.QuotedDays == "" && len(h.Records) == 1 {
		r.QuotedDays = string(info.QuotedDays)
	}
}
