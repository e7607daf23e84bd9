package sandbox

// independent lives without formal employment.
var independent = outcome{Status: "success", Warning: "no_employment_records", empty: true}

// others are people with a part whom no vendor knows
// (docs/sandbox.md#more-people): first a person or business for every outcome
// that the nine do not have, then one for every ugly case that can follow a
// person. They are ours; their numbers keep the official rules.
var others = []person{
	{"CACU810924HYNRHL07", full, buroOutcome{entities: []string{"profile", "invoices", "employment", "employment_files", "earnings"}}, ""},
	{"OAAP890328HASCMB05", independent, buroOutcome{entities: []string{"profile", "earnings"}}, ""},
	{"ROIF850731HPLJGD03", independent, buroOutcome{entities: []string{"profile", "invoices"}}, ""},
	{"COTE850612V21", outcome{}, buroOutcome{entities: []string{"profile", "invoices"}}, ""},
	{"VERI720310720", outcome{}, noData, ""},
	{"TNX9804159P9", outcome{}, buroOutcome{entities: []string{"business_profile", "invoices"}}, ""},
	{"NOX030722QI0", outcome{}, noData, ""},
	{"ERB1109099E3", outcome{}, retry, ""},

	{"IIRM880603HSPXVX08", full, fullData, "duplicate"},
	{"CACS960323HQTLRM05", full, fullData, "late"},
	{"GOSL870416MYNNRR07", full, fullData, "out_of_order"},
	{"EUIS870630MYNSGS04", full, fullData, "lost"},
	{"GAFS840817MBCMNL02", full, fullData, "wrong_signature"},
	{"VISV820323MBCLLR08", full, fullData, "altered_body"},
	{"GOAN911120MASDCR03", full, fullData, "expired_jwt"},
	{"EUPD910310HPLSXG05", full, fullData, "alg_none_jwt"},
	{"TELL860611HVZLZS04", full, fullData, "unknown_event"},
	{"BETE850429MPLLRL08", full, fullData, "unknown_entity"},
	{"OIGM890328HMCRRR06", full, fullData, "unknown_status"},
	{"AERE820201HMCRSG09", full, fullData, "unknown_detail"},
	{"TORS850421HDFRNR09", full, fullData, "none_string"},
	{"AAAO870512MSPLLL02", full, fullData, "null_character"},
	{"PAUM910729MYNZRR04", full, fullData, "missing_fields"},
	{"AEHM820319HSPLRR02", full, fullData, "nine_decimals"},
	{"POAR880917HBCZRD03", full, fullData, "zoneless"},
	{"CUBI960616HSPVRS03", full, fullData, "invalid_curp"},
	{"OECM860504MVZRRR07", full, fullData, "huge_body"},
	{"OOMC940223MSPSRM08", full, fullData, "deep_body"},
	{"BACW850608HYNRRL06", full, fullData, "empty_body"},
	{"AAZR890505HNLLRN06", full, fullData, "nothing"},
	{"RONV890411HPLMVC03", full, fullData, "api_400"},
	{"VAAB951115HGTRBR04", full, fullData, "api_412"},
	{"PUVA961217MDFNLM00", full, fullData, "api_422"},
	{"AAZB850826HDFNMN01", full, fullData, "api_422_detail"},
	{"GASO820611HJCTCS04", full, fullData, "api_429"},
	{"PAGL910613HYNRLN07", full, fullData, "api_429_no_reset"},
	{"MOLY850703MSPRNZ02", full, fullData, "api_429_daily"},
	{"OORP930227MYNCNL03", full, fullData, "api_500"},
	{"PIQV910513HMCZVC07", full, fullData, "api_timeout"},
	{"MEZT910209HJCRRD06", full, fullData, "api_cut"},
	{"CABS790119MSPRSN06", full, fullData, "api_redirect"},
}
