package db

import "time"

// What the tests, which live outside because package testdb imports this one, need to see.
var (
	LookupsPage    = lookupsPage
	DeliveriesPage = deliveriesPage
	ReceiptsPage   = receiptsPage
	PeoplePage     = peoplePage
	NamesNearby    = namesNearby
	NamesAnywhere  = namesAnywhere
	ReferencePage  = referencePage
	HistoryPage    = historyPage
	SchemaKeyOf    = schemaKey
	Clean          = clean
	StatementName  = statementName
	NewestQueue    = newestQueue
	Tell           = (*DB).tell
)

const (
	FailureWindow   = failureWindow
	CredentialsKept = credentialsKept
)

// ReceiveStatement is what stores a delivery.
const ReceiveStatement = receiveStatement

// What a search by employer runs.
const (
	EmployersByWords = employersByWords
	EmployerPage     = employerPage
	EmployerPageBack = employerPageBack
)

// A busy machine is given the time that a vendor would not wait.
func init() { copyPatience = 20 * time.Second }
