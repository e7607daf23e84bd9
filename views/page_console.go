package views

// ConsoleSettingsPage holds the settings of the console as a whole.
type ConsoleSettingsPage struct {
	Page
	Values ConsoleValues
	Waits  WaitsForm
	Errors map[string]Note // institution, notice_version, notice_url, consent_days
}

// ConsoleValues is what an administrator typed, kept as typed.
type ConsoleValues struct {
	Institution, NoticeVersion, NoticeURL, ConsentDays string
}
