package sandbox

import "time"

// outcome is how an extraction ends.
type outcome struct {
	Status  string // success, incomplete, error
	Details string // status_details, "" = null
	Warning string // "" = null
	empty   bool   // success without employment
	full    bool   // success with employment, whatever the dice say
}

// person is somebody with a part to play.
type person struct {
	CURP string // or RFC
	outcome
	buro buroOutcome
	ugly string // the case that strikes everything about them, "" = none
}

// buroOutcome is how a verification ends, in the flags that tell its cases
// apart: data when there are entities, an error when it can be retried.
type buroOutcome struct {
	entities []string
	canRetry bool
}

// caseName is the vendor's name of the outcome.
func (o buroOutcome) caseName() string {
	switch {
	case o.canRetry:
		return "error"
	case len(o.entities) == 0:
		return "no_data"
	case len(o.entities) == 1:
		return "partial"
	default:
		return "full"
	}
}

var (
	full     = outcome{Status: "success", full: true}
	degraded = outcome{Status: "error", Details: "service_degradation"}

	// fullData and imssData are printed in the vendor's page, in this order.
	fullData = buroOutcome{entities: []string{"profile", "invoices", "employment", "employment_files"}}
	imssData = buroOutcome{entities: []string{"profile", "employment", "employment_files"}}
	partial  = buroOutcome{entities: []string{"profile"}}
	noData   = buroOutcome{}
	retry    = buroOutcome{canRetry: true}
)

// people are the nine CURPs of the vendor's IMSS tutorial with the outcome it
// documents (docs/sandbox.md#the-nine-people). The two warnings are ours: the
// page only says "without having employment information", of people who never
// had a formal job and of students who have IMSS access but no salary. What they
// are to Buró is ours, too.
var people = []person{
	{"GATA000408HTLRLLA7", full, fullData, ""},
	{"LALE870908HDFRPD02", full, fullData, ""},
	{"JITM910411HASMMR08", full, imssData, ""},
	{"ZUAL000827HMCXRSA8", outcome{Status: "success", Warning: "no_employment_records", empty: true}, partial, ""},
	{"AATE910411HASLMG07", outcome{Status: "success", Warning: "zero_quoted_weeks", empty: true}, partial, ""},
	{"POTP910411HASBMP04", outcome{Status: "incomplete", Details: "curp_has_inconsistencies"}, noData, ""},
	{"MEMC760502MMCJGR00", outcome{Status: "incomplete", Details: "nss_not_found_in_imss"}, noData, ""},
	{"AUAT940412HCLQQM08", degraded, retry, ""},
	{"DETJ910411HASLMR04", degraded, retry, ""},
}

// known finds a person with a part; nil for everybody else.
func known(identifier string) *person { return parts[identifier] }

// everyone is people and others; parts finds them by their number.
var (
	everyone = append(people[:len(people):len(people)], others...)
	parts    = func() map[string]*person {
		m := map[string]*person{}
		for i, p := range everyone {
			m[p.CURP] = &everyone[i]
		}
		return m
	}()
)

// outcomeOf decides an extraction for a well-formed CURP on a given day.
// Everybody without a part is our choice (docs/sandbox.md#any-other-curp).
func outcomeOf(platform, curp string, on time.Time) outcome {
	if p := known(curp); p != nil {
		return p.outcome
	}
	facts, err := readCURP(curp)
	if err != nil || facts.birth.After(on) {
		return outcome{Status: "incomplete", Details: "curp_not_found_in_renapo"}
	}
	if len(career(platform, facts, false, on)) == 0 {
		return outcome{Status: "success", Warning: "no_employment_records", empty: true}
	}
	return outcome{Status: "success"}
}

// buroOutcomeOf decides a verification. What Palenca's dialect would tell of
// the same CURP on the same day is what is found here.
func buroOutcomeOf(identifier string, on time.Time) buroOutcome {
	if p := known(identifier); p != nil {
		return p.buro
	}
	if r, err := readRFC(identifier); err == nil {
		if rfcDigit(identifier[:len(identifier)-1]) != identifier[len(identifier)-1] {
			return noData
		}
		if r.business {
			return buroOutcome{entities: []string{"business_profile", "invoices"}}
		}
		return buroOutcome{entities: []string{"profile", "invoices"}}
	}
	facts, err := readCURP(identifier)
	if err != nil || facts.birth.After(on) {
		return noData
	}
	spells := buroCareer(identifier, on)
	if len(spells) == 0 {
		return partial
	}
	if len(payslips(facts, spells, on)) > 0 {
		return fullData
	}
	return imssData
}

// careerOf is the history behind a successful account, oldest spell first.
func careerOf(platform, curp string, asOf time.Time) []spell {
	facts, err := readCURP(curp)
	if err != nil {
		return nil
	}
	p := known(curp)
	if p != nil && p.empty {
		return nil
	}
	return career(platform, facts, p != nil && p.full, asOf)
}
