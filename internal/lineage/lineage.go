// Package lineage leads from a fact back to its place in the answer it was read from: the path of a value in the vendor's
// JSON, and the answer cut into lines that carry such paths.
package lineage

import (
	"strconv"

	"cotejo/internal/lookup"
)

// Fact names something that was read from an answer. Those of records and movements go with an index.
type Fact string

const (
	Record         Fact = "record"
	RecordEmployer Fact = "record_employer"
	RecordState    Fact = "record_state"
	RecordStart    Fact = "record_start"
	RecordEnd      Fact = "record_end"
	RecordBase     Fact = "record_base"
	RecordMonthly  Fact = "record_monthly"
	Movement       Fact = "movement"
	MovementBase   Fact = "movement_base"
	WeeksQuoted    Fact = "weeks_quoted"
	WeeksLess      Fact = "weeks_discounted"
	WeeksBack      Fact = "weeks_reintegrated"
	Standing       Fact = "standing"
	EndOfRights    Fact = "end_of_rights"
	FirstName      Fact = "first_name"
	Birthday       Fact = "birthday"
	Email          Fact = "email"
	Phone          Fact = "phone"
	TaxNumber      Fact = "rfc"
)

// places are the paths in each dialect's answer (docs/vendor.md#salary, #weeks; docs/vendor-buro.md#buro-profile,
// #buro-employment). "#" is the index. A fact that a dialect has no fixed place for has none here.
var places = map[lookup.Dialect]map[Fact]string{
	lookup.Palenca: {
		Record: "employment_history-#", RecordEmployer: "employment_history-#-employer", RecordState: "employment_history-#-federal_entity",
		RecordStart: "employment_history-#-start_date", RecordEnd: "employment_history-#-end_date",
		RecordBase: "employment_history-#-base_salary", RecordMonthly: "employment_history-#-monthly_salary",
		Movement: "employment_events-#", MovementBase: "employment_events-#-base_salary",
		WeeksQuoted: "employment_info-quoted_weeks", WeeksLess: "employment_info-discounted_weeks", WeeksBack: "employment_info-reintegrated_weeks",
		Standing: "employment_info-status", EndOfRights: "employment_info-end_of_rights",
		FirstName: "profile-first_name", Birthday: "profile-birthday", Email: "profile-email", Phone: "profile-phone", TaxNumber: "ids_info",
	},
	lookup.Buro: {
		Record: "employment_history-#", RecordEmployer: "employment_history-#-employer", RecordState: "employment_history-#-federal_entity",
		RecordStart: "employment_history-#-start_date", RecordEnd: "employment_history-#-end_date",
		RecordBase: "employment_history-#-base_salary", RecordMonthly: "employment_history-#-monthly_salary",
		WeeksQuoted: "semanas_cotizadas",
		FirstName:   "personal_info-first_name", Email: "personal_info-email", Phone: "personal_info-phone", TaxNumber: "personal_info-rfc",
	},
}

// Path gives the place of a fact in an answer, "" when none is known. index counts records or movements as they were read,
// from 0, over all pages of the answer.
func Path(d lookup.Dialect, f Fact, index int) string {
	place := places[d][f]
	for i := range len(place) {
		if place[i] == '#' {
			return place[:i] + strconv.Itoa(index) + place[i+1:]
		}
	}
	return place
}
