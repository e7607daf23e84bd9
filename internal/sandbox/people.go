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

// person is one of the identifiers that the vendor's IMSS tutorial publishes.
type person struct {
	CURP string
	outcome
}

// people are the nine CURPs of the vendor's IMSS tutorial with the outcome it
// documents (docs/sandbox.md#the-nine-people). The two warnings are ours: the
// page only says "without having employment information", of people who never
// had a formal job and of students who have IMSS access but no salary.
var people = []person{
	{"GATA000408HTLRLLA7", outcome{Status: "success", full: true}},
	{"LALE870908HDFRPD02", outcome{Status: "success", full: true}},
	{"JITM910411HASMMR08", outcome{Status: "success", full: true}},
	{"ZUAL000827HMCXRSA8", outcome{Status: "success", Warning: "no_employment_records", empty: true}},
	{"AATE910411HASLMG07", outcome{Status: "success", Warning: "zero_quoted_weeks", empty: true}},
	{"POTP910411HASBMP04", outcome{Status: "incomplete", Details: "curp_has_inconsistencies"}},
	{"MEMC760502MMCJGR00", outcome{Status: "incomplete", Details: "nss_not_found_in_imss"}},
	{"AUAT940412HCLQQM08", outcome{Status: "error", Details: "service_degradation"}},
	{"DETJ910411HASLMR04", outcome{Status: "error", Details: "service_degradation"}},
}

// outcomeOf decides an extraction for a well-formed CURP on a given day.
// Everything outside the nine is our choice (docs/sandbox.md#any-other-curp).
func outcomeOf(platform, curp string, on time.Time) outcome {
	for _, p := range people {
		if p.CURP == curp {
			return p.outcome
		}
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

// careerOf is the history behind a successful account, oldest spell first.
func careerOf(platform, curp string, asOf time.Time) []spell {
	facts, err := readCURP(curp)
	if err != nil {
		return nil
	}
	full := false
	for _, p := range people {
		if p.CURP == curp {
			if p.empty {
				return nil
			}
			full = true
		}
	}
	return career(platform, facts, full, asOf)
}
