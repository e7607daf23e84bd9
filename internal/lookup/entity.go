package lookup

import "slices"

// Entity is one kind of data that a vendor may have of a person. The set is the vendor's and open; those below are the
// documented ones (docs/vendor-buro.md#buro-webhook), others are kept by their name.
type Entity string

const (
	EntityProfile    Entity = "profile"
	EntityEmployment Entity = "employment"
	EntityInvoices   Entity = "invoices"
	EntityEarnings   Entity = "earnings"
	EntityFiles      Entity = "employment_files"
	EntityBusiness   Entity = "business_profile"
)

// Entities lists the documented ones, in the order in which pages show them.
var Entities = []Entity{EntityProfile, EntityEmployment, EntityInvoices, EntityEarnings, EntityFiles, EntityBusiness}

// Known tells whether e can be fetched.
func (e Entity) Known() bool { return slices.Contains(Entities, e) }

// Usual is what is fetched when a success does not say what there is.
var Usual = []Entity{EntityProfile, EntityEmployment}

// Cell is one value of a row with its label, a word of ours that the message files translate (lookups.entity.label.…).
// Money and other values are the text received.
type Cell struct{ Label, Value string }

// Cells is one row of data that has no type of its own. A label may repeat: a payroll slip has several incomes.
type Cells []Cell

// Value gives the first value under a label, "" when there is none.
func (c Cells) Value(label string) string {
	for _, cell := range c {
		if cell.Label == label {
			return cell.Value
		}
	}
	return ""
}

// Finding is one kind of data besides profile and employment that the vendor named for an attempt, and how far it has
// come; PullNone for a kind that we do not know.
type Finding struct {
	Entity Entity
	State  PullState
}
