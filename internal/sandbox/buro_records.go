package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// dated is a spell with the institute that recorded it.
type dated struct {
	spell
	institution string
}

// buroCareer is the working life behind a CURP as both institutes have it,
// newest first. It is what the Palenca dialect tells in two accounts.
func buroCareer(curp string, asOf time.Time) []dated {
	var all []dated
	for _, institution := range played {
		for _, p := range careerOf(institution, curp, asOf) {
			all = append(all, dated{p, institution})
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int {
		return cmp.Or(b.start.Compare(a.start), cmp.Compare(a.employer.name, b.employer.name))
	})
	return all
}

// dossier is what may be read of an identifier.
type dossier struct {
	*finding
	facts curpFacts // of the person; empty for a business
	rfc   rfcFacts
	asOf  time.Time // day of the finding
}

func (d dossier) career() []dated { return buroCareer(d.facts.text, d.asOf) }

// find answers the dossier of the path's identifier, if a verification found
// the entity; otherwise the call is answered with 404 and code. The caller
// holds the lock.
func (s *Server) find(w http.ResponseWriter, r *http.Request, entity, code string) (dossier, bool) {
	identifier := strings.ToUpper(r.PathValue("identifier"))
	if !isIdentifier(identifier) {
		buroInvalid(w, "identifier", "Invalid identifier format.")
		return dossier{}, false
	}
	f := s.st.findings.get(identifier)
	if f == nil || !slices.Contains(f.Entities, entity) {
		buroFail(w, http.StatusNotFound, code, "Nothing is known of this identifier")
		return dossier{}, false
	}
	return f.open(), true
}

func (f *finding) open() dossier {
	d := dossier{finding: f, asOf: day(f.At.Date())}
	if rfc, err := readRFC(f.Identifier); err == nil {
		d.rfc = rfc
		if !rfc.business {
			d.facts = personOf(rfc)
		}
		return d
	}
	d.facts, _ = readCURP(f.Identifier)
	d.rfc, _ = readRFC(rfcOf(d.facts))
	return d
}

type buroProfileJSON struct {
	Identifier string          `json:"identifier"`
	UpdatedAt  time.Time       `json:"updated_at"`
	Personal   buroPersonJSON  `json:"personal_info"`
	Address    buroAddressJSON `json:"address"`
	Status     string          `json:"employment_status"`
	Income     *string         `json:"estimated_monthly_income"` // decimal text in MXN
}

type buroPersonJSON struct {
	FirstName string  `json:"first_name"`
	LastName  string  `json:"last_name"`
	CURP      string  `json:"curp"`
	NSS       string  `json:"nss"`
	RFC       string  `json:"rfc"`
	Phone     *string `json:"phone"`
	Email     *string `json:"email"`
}

type buroAddressJSON struct {
	Street       string `json:"street"`
	Neighborhood string `json:"neighborhood"`
	Municipality string `json:"municipality"`
	State        string `json:"state"`
	ZipCode      string `json:"zip_code"`
}

// buroProfile names the same person, with the same NSS, as Palenca's profile.
func (s *Server) buroProfile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.find(w, r, "profile", "profile_not_found")
	if !ok {
		return
	}
	given, first, second := personName(d.facts)
	out := buroProfileJSON{
		Identifier: d.Identifier, UpdatedAt: d.At, Address: addressOf(d.facts), Status: d.status(), Income: d.income(),
		Personal: buroPersonJSON{
			FirstName: given, LastName: strings.TrimSpace(first + " " + second), CURP: d.facts.text,
			NSS: socialSecurityNumber(d.facts), RFC: d.rfc.text,
		},
	}
	writeJSON(w, http.StatusOK, out)
}

// status is the vendor's employment_status. Where only a profile was found,
// nothing says whether there is work.
func (d dossier) status() string {
	for _, p := range d.career() {
		if p.end.IsZero() {
			return "employed"
		}
	}
	switch {
	case slices.Contains(d.Entities, "earnings") || slices.Contains(d.Entities, "invoices"):
		return "self_employed"
	case slices.Contains(d.Entities, "employment"):
		return "unemployed"
	default:
		return "unknown"
	}
}

func addressOf(f curpFacts) buroAddressJSON {
	d := newDice("address", f.text)
	return buroAddressJSON{
		Street:       d.pick(streets) + " " + d.digits(3),
		Neighborhood: d.pick(neighborhoods),
		Municipality: d.pick(municipalities),
		State:        f.state,
		ZipCode:      zipCode(f.text),
	}
}

func zipCode(person string) string { return "0" + newDice("zip", person).digits(4) }

type buroJobJSON struct {
	Employer      string   `json:"employer"`
	Registration  *string  `json:"employer_registration"`
	StartDate     *string  `json:"start_date"`
	EndDate       *string  `json:"end_date"`
	FederalEntity *string  `json:"federal_entity"`
	BaseSalary    centavos `json:"base_salary"`
	MonthlySalary centavos `json:"monthly_salary"`
	PDFLink       string   `json:"pdf_link"`
	Institution   string   `json:"institution"`
}

// buroEmployments lists jobs newest first, a page at a time; start_date and
// end_date leave those out that lie wholly before or after.
func (s *Server) buroEmployments(w http.ResponseWriter, r *http.Request) {
	page, size, ok := buroPage(w, r)
	if !ok {
		return
	}
	from, to, ok := buroRange(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.find(w, r, "employment", "employment_history_not_found")
	if !ok {
		return
	}
	rows := []buroJobJSON{}
	for _, p := range d.career() {
		if !p.end.IsZero() && p.end.Before(from) || !to.IsZero() && p.start.After(to) {
			continue
		}
		rows = append(rows, buroJobJSON{
			Employer: p.employer.name, Registration: orNull(p.employer.registration), StartDate: dateOnly(p.start), EndDate: dateOnly(p.end),
			FederalEntity: &p.employer.state, BaseSalary: p.base(), MonthlySalary: p.base().monthly(),
			PDFLink: s.fileLink(r.Host, d.VerificationID, p.institution+"_record"), Institution: p.institution,
		})
	}
	credited, _, _ := weeks(d.facts, careerOf("imss", d.facts.text, d.asOf), d.asOf)
	writeJSON(w, http.StatusOK, struct {
		Identifier string        `json:"identifier"`
		UpdatedAt  time.Time     `json:"updated_at"`
		Weeks      int           `json:"semanas_cotizadas"`
		History    []buroJobJSON `json:"employment_history"`
		Pagination pagination    `json:"pagination"`
	}{d.Identifier, d.At, credited, append([]buroJobJSON{}, window(rows, page, size)...), pages(page, size, len(rows))})
}

// buroRange reads start_date and end_date, both optional.
func buroRange(w http.ResponseWriter, r *http.Request) (from, to time.Time, ok bool) {
	for name, at := range map[string]*time.Time{"start_date": &from, "end_date": &to} {
		if text := r.URL.Query().Get(name); text != "" {
			var err error
			if *at, err = time.Parse(time.DateOnly, text); err != nil {
				buroInvalid(w, name, "Not a date")
				return from, to, false
			}
		}
	}
	return from, to, true
}

// paper is one of the four documents that the vendor names.
type paper struct{ slug, name, institution string }

var papers = []paper{
	{"imss_record", "Constancia de Semanas Cotizadas en el IMSS", "imss"},
	{"imss_report", "Reporte de Cotización al IMSS", "imss"},
	{"issste_record", "Expediente Electrónico Único del ISSSTE", "issste"},
	{"imss_none", "Constancia de No Derechohabiente", "imss"},
}

// papersOf are the documents of a dossier: one record of each institute that
// knows the person, the report for those who work, and for those whom IMSS does
// not know the paper that says so.
func (d dossier) papersOf() []paper {
	var out []paper
	career := d.career()
	has := func(institution string) bool {
		return slices.ContainsFunc(career, func(p dated) bool { return p.institution == institution })
	}
	working := slices.ContainsFunc(career, func(p dated) bool { return p.institution == "imss" && p.end.IsZero() })
	for _, p := range papers {
		if p.slug == "imss_report" && !working || p.slug == "imss_none" && has("imss") || p.slug != "imss_none" && !has(p.institution) {
			continue
		}
		out = append(out, p)
	}
	return out
}

func (s *Server) buroFiles(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.find(w, r, "employment_files", "employment_files_not_found")
	if !ok {
		return
	}
	type row struct {
		URL         string    `json:"url"`
		Name        string    `json:"name"`
		Institution string    `json:"institution"`
		UploadedAt  time.Time `json:"uploaded_at"`
	}
	rows := []row{}
	for _, p := range d.papersOf() {
		rows = append(rows, row{s.fileLink(r.Host, d.VerificationID, p.slug), p.name, p.institution, d.At})
	}
	writeJSON(w, http.StatusOK, struct {
		Identifier string `json:"identifier"`
		Files      []row  `json:"employment_files"`
	}{d.Identifier, rows})
}

// buroRecord is the text of one of the documents; nil when there is none.
func (s *Server) buroRecord(v *verification, slug string) []string {
	f := s.st.findings.get(v.Identifier)
	at := slices.IndexFunc(papers, func(p paper) bool { return p.slug == slug })
	if f == nil || at < 0 {
		return nil
	}
	d := f.open()
	lines := record(&account{Platform: papers[at].institution, Identifier: d.facts.text, LastSuccess: d.asOf})
	return slices.Insert(lines, 1, papers[at].name)
}
