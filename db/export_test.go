package db

import (
	"time"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// What the tests, which live outside because package testdb imports this one, need to see.
var (
	ReceiptsPage  = receiptsPage
	PeoplePage    = peoplePage
	NamesNearby   = namesNearby
	NamesAnywhere = namesAnywhere
	ReferencePage = referencePage
	HistoryPage   = historyPage
	SchemaKeyOf   = schemaKey
	Clean         = clean
	StatementName = statementName
	NewestQueue   = newestQueue
	Tell          = (*DB).tell
	FailuresWest  = failuresWest
)

const (
	FailureWindow   = failureWindow
	CredentialsKept = credentialsKept
	OutcomesKept    = outcomesKept
)

// ReceiveStatement is what stores a delivery.
const ReceiveStatement = receiveStatement

// LookupsPage is what reads the ids of a page of lookups.
func LookupsPage(env lookup.Environment, f lookup.Filter, page lookup.Page) (text string, args []any) {
	q := lookupConditions(env, f, time.UTC)
	text, args, _ = q.ids(page)
	return text, args
}

// DeliveriesPage is what reads the ids of a page of deliveries.
func DeliveriesPage(env lookup.Environment, f webhook.Filter, page lookup.Page) (text string, args []any) {
	q := deliveryConditions(env, f, time.UTC)
	text, args, _ = q.ids(page)
	return text, args
}

// A busy machine is given the time that a vendor would not wait.
func init() { copyPatience = 20 * time.Second }
