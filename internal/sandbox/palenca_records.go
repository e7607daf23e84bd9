package sandbox

import (
	"net/http"
	"slices"
	"time"
)

func dateOnly(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(t.Format(time.DateOnly))
}

// profileJSON and its parts are the newer of the vendor's two profile samples.
type profileJSON struct {
	AccountID  string     `json:"account_id"`
	ExternalID *string    `json:"external_id"`
	Profile    personJSON `json:"profile"`
	IDs        []idJSON   `json:"ids_info"`
}

type personJSON struct {
	FirstName *string `json:"first_name"`
	LastName  *string `json:"last_name"`
	Email     *string `json:"email"`
	Birthday  *string `json:"birthday"`
}

type idJSON struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// extracted finds the account of the path if an extraction of it has ever
// succeeded; nil means already answered. Until then there is nothing to read,
// and our choice for that is 404, also of an account that failed.
func (s *Server) extracted(w http.ResponseWriter, r *http.Request, what string) *account {
	a := s.account(w, r)
	if a == nil {
		return nil
	}
	if a.LastSuccess.IsZero() {
		notFound(w, what)
		return nil
	}
	return a
}

func (s *Server) externalID(a *account) *string {
	if u := s.st.users.get(a.UserID); u != nil {
		return u.ExternalID
	}
	return nil
}

// getProfile answers with what the CURP itself says, plus an invented name and
// NSS that agree with it. There is never an e-mail address: IMSS gives none.
func (s *Server) getProfile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.extracted(w, r, "Profile")
	if a == nil {
		return
	}
	facts, _ := readCURP(a.Identifier) // a success implies a CURP that reads
	given, first, second := personName(facts)
	last := first
	if second != "" {
		last += " " + second
	}
	out := profileJSON{
		AccountID: a.ID, ExternalID: s.externalID(a),
		Profile: personJSON{FirstName: &given, LastName: &last, Birthday: dateOnly(facts.birth)},
	}
	if a.Platform == "imss" {
		out.IDs = append(out.IDs, idJSON{"social_security_number", "nss", socialSecurityNumber(facts)})
	}
	out.IDs = append(out.IDs, idJSON{"national", "curp", a.Identifier})
	answer(w, http.StatusOK, out)
}

// socialSecurityNumber invents the NSS of a CURP: subdelegation, year of
// registration at 18, year of birth, sequence, check digit.
func socialSecurityNumber(f curpFacts) string {
	d := newDice("nss", f.text)
	sub := d.between(1, 96)
	ten := twoDigits(sub) + twoDigits((f.birth.Year()+18)%100) + twoDigits(f.birth.Year()%100) + d.digits(4)
	return ten + string(nssDigit(ten))
}

func twoDigits(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }

// employmentJSON and its parts follow the vendor's newest employment sample
// (March 2025): federal_entity and quoted_days stand in each record, not in
// employment_info, and id_type names the number, not the CURP.
type employmentJSON struct {
	Platform   string        `json:"platform"`
	AccountID  string        `json:"account_id"`
	ExternalID *string       `json:"external_id"`
	Info       infoJSON      `json:"employment_info"`
	History    []historyJSON `json:"employment_history"`
	Events     *[]moveJSON   `json:"employment_events,omitempty"`
}

type infoJSON struct {
	IDType        *string    `json:"id_type"`
	Quoted        *int       `json:"quoted_weeks"`
	Discounted    *int       `json:"discounted_weeks"`
	Reintegrated  *int       `json:"reintegrated_weeks"`
	EndOfRights   *string    `json:"end_of_rights"`
	Status        *string    `json:"status"`
	Files         []fileJSON `json:"employment_files"`
	HistoryStatus string     `json:"employment_history_status"`
}

type fileJSON struct {
	URL       string `json:"url"`
	FileType  string `json:"file_type"`
	AccountID string `json:"account_id"`
}

// historyJSON is one record; amounts are absent only under without_salaries.
type historyJSON struct {
	Employer         string    `json:"employer"`
	Registration     *string   `json:"employer_registration"`
	StartDate        *string   `json:"start_date"`
	EndDate          *string   `json:"end_date"`
	JobTitle         *string   `json:"job_title"`
	FederalEntity    *string   `json:"federal_entity"`
	BaseSalary       *centavos `json:"base_salary,omitempty"`
	MonthlySalary    *centavos `json:"monthly_salary,omitempty"`
	QuotedDays       *int      `json:"quoted_days"`
	PaymentFrequency *string   `json:"payment_frequency"`
	PaymentDays      *int      `json:"payment_days"`
	Designation      *string   `json:"designation"`
	Modality         *string   `json:"modality"`
}

// moveJSON is one movement. The sample is cut after base_salary; discharge is
// known from consumers of the API only.
type moveJSON struct {
	EventType    string   `json:"event_type"`
	Employer     string   `json:"employer"`
	Registration *string  `json:"employer_registration"`
	EventDate    *string  `json:"event_date"`
	BaseSalary   centavos `json:"base_salary"`
}

func (s *Server) getEmployment(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.extracted(w, r, "Employment")
	if a == nil {
		return
	}
	out := employment(a, s.st.switches.get("all").WithoutSalaries)
	out.ExternalID = s.externalID(a)
	out.Info.Files = s.employmentFiles(a, len(out.History) > 0, r.Host)
	answerPage(w, out, pages(1, 100, len(out.History)))
}

// employment is everything about an account that does not change between two
// calls: it shows the day of the last successful extraction.
func employment(a *account, thin bool) employmentJSON {
	asOf := day(a.LastSuccess.Date())
	facts, _ := readCURP(a.Identifier)
	spells := careerOf(a.Platform, a.Identifier, asOf)
	out := employmentJSON{Platform: a.Platform, AccountID: a.ID, History: []historyJSON{}, Info: information(a.Platform, facts, spells, asOf)}
	type dated struct {
		on  time.Time
		row moveJSON
	}
	var moves []dated
	for _, p := range newestFirst(spells) {
		base := p.base()
		monthly := base.monthly()
		row := historyJSON{
			Employer: p.employer.name, Registration: orNull(p.employer.registration), StartDate: dateOnly(p.start), EndDate: dateOnly(p.end),
			FederalEntity: &p.employer.state, BaseSalary: &base, MonthlySalary: &monthly,
		}
		if a.Platform == "issste" {
			fortnight, days := "biweekly", 15
			row.JobTitle, row.Designation, row.PaymentFrequency, row.PaymentDays = &p.post, &p.terms, &fortnight, &days
		}
		if thin {
			row.BaseSalary, row.MonthlySalary = nil, nil
		}
		out.History = append(out.History, row)
		for _, m := range slices.Backward(p.moves) {
			moves = append(moves, dated{m.on, moveJSON{m.kind, p.employer.name, row.Registration, dateOnly(m.on), m.base}})
		}
	}
	if !thin {
		events := []moveJSON{}
		if a.Platform == "imss" { // movements are what IMSS records
			slices.SortStableFunc(moves, func(a, b dated) int { return b.on.Compare(a.on) })
			for _, m := range moves {
				events = append(events, m.row)
			}
		}
		out.Events = &events
	}
	return out
}

// information sums a history up. Weeks are IMSS's only, as documented.
func information(platform string, f curpFacts, spells []spell, asOf time.Time) infoJSON {
	status, idType := "unemployed", "social_security_number"
	info := infoJSON{Files: []fileJSON{}, HistoryStatus: "complete"}
	var last time.Time
	for _, p := range spells {
		if p.end.IsZero() {
			status = "employed"
		}
		if p.end.After(last) {
			last = p.end
		}
	}
	if status != "employed" && len(spells) > 0 && !f.birth.AddDate(65, 0, 0).After(asOf) {
		status = "retired"
	}
	if len(spells) == 0 {
		info.HistoryStatus = "empty"
	}
	if platform == "issste" {
		idType = "national"
	} else {
		q, d, b := weeks(f, spells, asOf)
		info.Quoted, info.Discounted, info.Reintegrated = &q, &d, &b
		// Eight weeks of cover follow eight weeks of contributions (art. 109 LSS).
		if status == "unemployed" && q >= 8 {
			info.EndOfRights = dateOnly(last.AddDate(0, 0, 56))
		}
	}
	info.IDType, info.Status = &idType, &status
	return info
}
