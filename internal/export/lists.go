package export

// LookupRow is one lookup of a filtered list, as its page shows it. The tags are the header, in order; columns are only
// ever added at the end. The database fills it in as text (db/export_rows.go), in this order.
type LookupRow struct {
	LookupID        string `csv:"lookup_id"`
	ExternalID      Text   `csv:"external_id"`
	CURP            Text   `csv:"curp"`
	RFC             Text   `csv:"rfc"` // what was asked about when there is no CURP
	PersonID        string `csv:"person_id"`
	PersonName      Text   `csv:"person_name"`
	Platform        Text   `csv:"platform"`
	Dialect         string `csv:"dialect"`
	Environment     string `csv:"environment"`
	Origin          string `csv:"origin"` // form, bulk, refresh, automatic
	RequestedBy     Text   `csv:"requested_by"`
	RequestedAt     Moment `csv:"requested_at"`
	SourceStatus    string `csv:"source_status"`
	StatusDetails   Text   `csv:"status_details"`
	Warning         Text   `csv:"warning"`
	StatusAt        Moment `csv:"status_at"`
	ProfileState    string `csv:"profile_state"`
	EmploymentState string `csv:"employment_state"`
	Records         int    `csv:"records"`
	Employers       int    `csv:"employers"`
	Employer        Text   `csv:"employer"` // of the open record that began last
	EmployedSince   Day    `csv:"employed_since"`
	EndedOn         Day    `csv:"ended_on"`
	MonthlySalary   Amount `csv:"monthly_salary"`
}

// DeliveryRow is one delivery of the ledger: how it came and what was made of it, without headers and body.
type DeliveryRow struct {
	DeliveryID     string `csv:"delivery_id"`
	ReceivedAt     Milli  `csv:"received_at"`
	Environment    string `csv:"environment"`
	Dialect        string `csv:"dialect"`
	SubscriptionID string `csv:"subscription_id"`
	Subscription   Text   `csv:"subscription"`
	RemoteAddress  Text   `csv:"remote_address"`
	Method         Text   `csv:"method"`
	BodyBytes      int64  `csv:"body_bytes"`
	BodySHA256     string `csv:"body_sha256"`
	Verdict        string `csv:"verdict"`
	Cause          string `csv:"cause"`
	Answered       int    `csv:"answered"`
	AnswerMicros   int64  `csv:"answer_micros"`
	State          string `csv:"state"` // waiting, failing, processed; "" of a refused one
	ProcessedAt    Milli  `csv:"processed_at"`
	Runs           int    `csv:"runs"`
	Action         Text   `csv:"action"`
	AccountID      Text   `csv:"account_id"`
	LookupID       string `csv:"lookup_id"`
	ExternalID     Text   `csv:"external_id"`
}
