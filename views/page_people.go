package views

import (
	"cotejo/internal/curp"
	"cotejo/internal/lookup"
)

// PeoplePage shows the sandbox's people.
type PeoplePage struct {
	Page
	Latest map[string]lookup.Row // by CURP: the newest lookup of that person here, if any
	Board  SandboxBoard

	Order                     OrderValues
	Switches                  SwitchValues
	OrderErrors, SwitchErrors map[string]Note
}

// TestPerson is one of the sandbox's documented people and what asking for it comes to (docs/vendor.md#sandbox-people).
// They are fictitious: their CURPs may be shown in full.
type TestPerson struct {
	CURP   string
	Status lookup.Status
	Code   string // status_details that comes with it, "" for none
	Story  string // last part of the id of the sentence that says what will be seen
}

// TestPeople lists the nine, one outcome after the other.
var TestPeople = []TestPerson{
	{"GATA000408HTLRLLA7", lookup.Success, "", "full"},
	{"LALE870908HDFRPD02", lookup.Success, "", "full"},
	{"JITM910411HASMMR08", lookup.Success, "", "full"},
	{"ZUAL000827HMCXRSA8", lookup.Success, "", "empty"},
	{"AATE910411HASLMG07", lookup.Success, "", "empty"},
	{"POTP910411HASBMP04", lookup.Incomplete, "curp_has_inconsistencies", "person"},
	{"MEMC760502MMCJGR00", lookup.Incomplete, "nss_not_found_in_imss", "person"},
	{"AUAT940412HCLQQM08", lookup.Error, "service_degradation", "fault"},
	{"DETJ910411HASLMR04", lookup.Error, "service_degradation", "fault"},
}

// outcome is what the row says in words: the cause when there is one, else what kind of history comes.
func (t TestPerson) outcome(p Page) string {
	if t.Code != "" {
		return p.P.Detail(t.Code, string(lookup.IMSS)).Title
	}
	return p.T("people.outcome." + t.Story)
}

// about reads birth date and state out of the CURP, as the lookup form does.
func (t TestPerson) about(p Page) string {
	c, err := curp.Parse(t.CURP)
	if err != nil {
		return ""
	}
	return p.P.Date(c.Birth())
}
