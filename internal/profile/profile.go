// Package profile holds what a source says about who a person is.
package profile

import "time"

// Profile is the answer to one request for a profile. Absent values are "".
type Profile struct {
	AccountID string
	FirstName string
	LastName  string
	Email     string
	Phone     string
	Birthday  time.Time // calendar date; zero when absent
	IDs       []ID
}

// ID is one identifier of a person, with the source's words for its type and name.
type ID struct {
	Type, Name, Value string
}

// NSS gives the social security number, "" when the source gave none.
func (p Profile) NSS() string { return p.id("nss", "social_security_number") }

// RFC gives the taxpayer number, "" when the source gave none.
func (p Profile) RFC() string { return p.id("rfc", "tax") }

func (p Profile) id(name, kind string) string {
	for _, id := range p.IDs {
		if id.Name == name {
			return id.Value
		}
	}
	for _, id := range p.IDs {
		if id.Type == kind {
			return id.Value
		}
	}
	return ""
}

// FullName puts surnames first, as lists of people in Mexico do: "García Téllez, Alejandro". It is "" when nothing is known.
func (p Profile) FullName() string {
	switch {
	case p.LastName == "":
		return p.FirstName
	case p.FirstName == "":
		return p.LastName
	}
	return p.LastName + ", " + p.FirstName
}
