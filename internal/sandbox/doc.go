// Package sandbox is the data vendor in a box: a real HTTP server that answers
// like the vendor's API, extracts invented employment histories, and delivers
// real webhooks, so that Cotejo can be run, shown and tested without an
// account and without a network.
//
// It shares no code with the clients that talk to it. Whoever wrote both ends
// of a protocol from one set of types has tested nothing; here a misreading of
// the vendor's pages has to be made twice to go unnoticed.
//
// The parts: a store of users, accounts, logins, webhooks and deliveries kept
// in a journal (store.go, journal.go), one loop that ends extractions and
// sends webhooks (run.go, deliver.go), the people and their working lives
// (people.go, career.go, names.go), and one dialect per vendor API, which owns
// its routes and shapes: the files named palenca_*. What the vendor documents
// and what we chose where it is silent is told apart in docs/sandbox.md.
package sandbox
