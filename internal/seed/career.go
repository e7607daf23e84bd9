package seed

import (
	"strconv"
	"strings"
	"time"

	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/profile"
)

// Employers are a trade, a made-up word and a legal form, in the capitals in which sources print them.
var (
	trades = strings.Split(`ACEROS;ALIMENTOS;AUTOPARTES;COMERCIALIZADORA;CONSTRUCTORA;CONSULTORES;DISTRIBUIDORA;EMPACADORA;FERRETERA;GRUPO;
HOTELERA;INDUSTRIAS;LABORATORIOS;LOGISTICA;MAQUILADORA;OPERADORA;PLASTICOS;SERVICIOS;TEXTILES;TRANSPORTES`, ";")
	words = strings.Split(`ALMENARIA;BRUMALTA;CALIZADORA;DUNARIA;ENCINALTO;FARALLONIA;GUIJARRAL;HORIZONTEC;JICARALIA;LAURELTEC;MESETARIA;
NOPALIA;OYAMELIA;PITAYALTA;QUEBRADORA;ROCALLANA;SABINALIA;TEZONTLIA;VEREDALTA;ZACATONAL`, ";")
	forms = []string{"S.A. DE C.V.", "S.A. DE C.V.", "S.A. DE C.V.", "S. DE R.L. DE C.V.", "S.A.P.I. DE C.V.", "S.C."}

	dependencies = []string{"SECRETARIA DE SALUD", "SECRETARIA DE EDUCACION PUBLICA", "COMISION NACIONAL DEL AGUA", "SERVICIO DE ADMINISTRACION TRIBUTARIA"}
	posts        = []string{"ENFERMERA GENERAL", "PROFESOR DE PRIMARIA", "TECNICO SUPERIOR", "AUXILIAR ADMINISTRATIVO", "MEDICO GENERAL"}
)

// job is one spell before it is put into the words of a source.
type job struct {
	employer, registration, post string
	start, end                   time.Time
	centavos                     []int64 // the daily salary at the start and after each change
	changed                      []time.Time
}

// career invents the jobs of a person as of a day, oldest first; nil for the few who never had a formal one.
func (m *maker) career(p person, platform lookup.Platform, asOf time.Time) []job {
	if m.chance(4) {
		return nil
	}
	asOf = asOf.Truncate(24 * time.Hour)
	start := p.birth.AddDate(18, 0, m.IntN(3*365))
	if oldest := asOf.AddDate(-12, 0, 0); start.Before(oldest) {
		start = oldest.AddDate(0, 0, m.IntN(3*365)) // sources reach further back; lists stay readable
	}
	pay := int64(27_000 + m.ExpFloat64()*30_000)
	var jobs []job
	for range 1 + m.IntN(5) {
		if !start.Before(asOf) {
			break
		}
		j := job{start: start, end: start.AddDate(0, 0, 40+int(m.ExpFloat64()*800)), centavos: []int64{pay}}
		if platform == lookup.ISSSTE {
			j.employer, j.post = pick(m, dependencies), pick(m, posts)
		} else {
			j.employer = strings.TrimSpace(pick(m, trades)) + " " + strings.TrimSpace(pick(m, words)) + " " + pick(m, forms)
			j.registration = string([]byte{byte('A' + m.IntN(26))}) + strconv.Itoa(1_000_000_000 + m.IntN(9_000_000_000))[:10]
		}
		for on := start.AddDate(1, 0, m.IntN(60)); on.Before(j.end) && on.Before(asOf) && len(j.changed) < 2; on = on.AddDate(1, 0, 0) {
			pay += pay * int64(m.IntN(12)) / 100
			j.centavos, j.changed = append(j.centavos, pay), append(j.changed, on)
		}
		start = j.end.AddDate(0, 0, 1+int(m.ExpFloat64()*90))
		if !j.end.Before(asOf) {
			j.end = time.Time{}
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// history puts jobs into what the product reads of a source's answer, newest first as the vendor lists them.
func (m *maker) history(p person, l *Lookup, account string, jobs []job, asOf time.Time) *employment.History {
	h := &employment.History{Platform: string(l.Platform), AccountID: account, Status: "unemployed", Complete: "complete",
		IDType: "social_security_number", Files: []employment.File{{Type: "imss_employment_record"}}}
	if l.Platform == lookup.ISSSTE {
		h.IDType, h.Files = "national", nil
	}
	days := 0
	for i := len(jobs) - 1; i >= 0; i-- {
		j := jobs[i]
		base := j.centavos[len(j.centavos)-1]
		r := employment.Record{Employer: j.employer, Registration: j.registration, Start: j.start, End: j.end, State: p.state,
			BaseSalary: money(base), Monthly: money(base * 3042 / 100)}
		if j.post != "" {
			r.JobTitle, r.Designation, r.PayFrequency = j.post, "Base", "biweekly"
		}
		h.Records = append(h.Records, r)
		end := j.end
		if r.Open() {
			h.Status, end = "employed", asOf
		}
		days += int(end.Sub(j.start).Hours() / 24)
		if l.Platform == lookup.ISSSTE {
			continue // movements and weeks are what IMSS keeps
		}
		move := func(kind string, on time.Time, base int64) {
			h.Movements = append(h.Movements, employment.Movement{Type: kind, Employer: j.employer, Registration: j.registration, Date: on, BaseSalary: money(base)})
		}
		if !r.Open() {
			move("discharge", j.end, base)
		}
		for c := len(j.changed) - 1; c >= 0; c-- {
			move("salary_modification", j.changed[c], j.centavos[c+1])
		}
		move("reentry", j.start, j.centavos[0])
	}
	switch {
	case len(jobs) == 0:
		h.Complete = "empty"
	case m.chance(4):
		h.Complete = "partial"
	}
	if l.Platform == lookup.IMSS {
		weeks, none := days/7, 0
		h.Weeks = employment.Weeks{Quoted: &weeks, Discounted: &none, Reintegrated: &none}
	}
	return h
}

func money(centavos int64) string {
	cents := strconv.FormatInt(100+centavos%100, 10)[1:]
	return strconv.FormatInt(centavos/100, 10) + "." + cents
}

// text appends JSON text by hand: a quarter of a million answers are written, and none of what is invented here needs
// an escape.
type text []byte

func (t *text) raw(s string) { *t = append(*t, s...) }

// field appends a name and a string, null when it is empty.
func (t *text) field(name, value string) {
	t.raw(name)
	if value == "" {
		t.raw(`null`)
		return
	}
	*t = append(*t, '"')
	t.raw(value)
	*t = append(*t, '"')
}

func (t *text) number(name, value string) {
	t.raw(name)
	if value == "" {
		value = "null"
	}
	t.raw(value)
}

func (t *text) day(name string, at time.Time) {
	if at.IsZero() {
		t.field(name, "")
		return
	}
	t.field(name, at.Format(time.DateOnly))
}

func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// employmentBody is the vendor's answer from which h would be read (docs/vendor.md#salary).
func employmentBody(h *employment.History) []byte {
	var t text
	t.field(`{"success":true,"error":null,"data":{"platform":`, h.Platform)
	t.field(`,"account_id":`, h.AccountID)
	t.field(`,"external_id":null,"employment_info":{"id_type":`, h.IDType)
	t.number(`,"quoted_weeks":`, count(h.Weeks.Quoted))
	t.number(`,"discounted_weeks":`, count(h.Weeks.Discounted))
	t.number(`,"reintegrated_weeks":`, count(h.Weeks.Reintegrated))
	t.field(`,"end_of_rights":null,"status":`, h.Status)
	t.raw(`,"employment_files":[`)
	for _, f := range h.Files {
		t.field(`{"url":"https://files.invalid/record.pdf","file_type":`, f.Type)
		t.field(`,"account_id":`, h.AccountID)
		t.raw(`}`)
	}
	t.field(`],"employment_history_status":`, h.Complete)
	t.raw(`},"employment_history":[`)
	for i, r := range h.Records {
		if i > 0 {
			t.raw(`,`)
		}
		t.field(`{"employer":`, r.Employer)
		t.field(`,"employer_registration":`, r.Registration)
		t.day(`,"start_date":`, r.Start)
		t.day(`,"end_date":`, r.End)
		t.field(`,"job_title":`, r.JobTitle)
		t.field(`,"federal_entity":`, r.State)
		t.number(`,"base_salary":`, r.BaseSalary)
		t.number(`,"monthly_salary":`, r.Monthly)
		t.field(`,"quoted_days":null,"payment_frequency":`, r.PayFrequency)
		t.field(`,"payment_days":null,"designation":`, r.Designation)
		t.raw(`,"modality":null}`)
	}
	t.raw(`],"employment_events":[`)
	for i, v := range h.Movements {
		if i > 0 {
			t.raw(`,`)
		}
		t.field(`{"event_type":`, v.Type)
		t.field(`,"employer":`, v.Employer)
		t.field(`,"employer_registration":`, v.Registration)
		t.day(`,"event_date":`, v.Date)
		t.number(`,"base_salary":`, v.BaseSalary)
		t.raw(`}`)
	}
	total := strconv.Itoa(len(h.Records))
	t.number(`]},"pagination":{"page":1,"items_per_page":100,"total_items":`, total)
	t.raw(`,"total_pages":1}}`)
	return t
}

// whoIs is the profile that a source gives of p.
func whoIs(p person, account string, platform lookup.Platform) *profile.Profile {
	who := &profile.Profile{AccountID: account, FirstName: p.given, LastName: p.last, Birthday: p.birth}
	if platform == lookup.IMSS {
		who.IDs = append(who.IDs, profile.ID{Type: "social_security_number", Name: "nss", Value: p.nss})
	}
	who.IDs = append(who.IDs, profile.ID{Type: "national", Name: "curp", Value: p.curp})
	return who
}

// profileBody is the vendor's answer from which who would be read (docs/vendor.md#envelope).
func profileBody(who *profile.Profile) []byte {
	var t text
	t.field(`{"success":true,"error":null,"data":{"account_id":`, who.AccountID)
	t.field(`,"external_id":null,"profile":{"first_name":`, who.FirstName)
	t.field(`,"last_name":`, who.LastName)
	t.day(`,"email":null,"birthday":`, who.Birthday)
	t.raw(`},"ids_info":[`)
	for i, id := range who.IDs {
		if i > 0 {
			t.raw(`,`)
		}
		t.field(`{"type":`, id.Type)
		t.field(`,"name":`, id.Name)
		t.field(`,"value":`, id.Value)
		t.raw(`}`)
	}
	t.raw(`]}}`)
	return t
}
