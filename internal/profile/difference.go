package profile

import "time"

// Change is one field that differs between two profiles of one person; "" means absent. Name is one of ours, or the
// source's own name of an identifier.
type Change struct{ Name, Before, After string }

// Sensitive tells whether the values are identifiers that pages show masked.
func (c Change) Sensitive() bool { return c.Name == "curp" || c.Name == "nss" }

// Difference lists the fields in which two profiles of one person differ: what they say of the person first, then
// identifiers in the order of the newer one, then those that it no longer has.
func Difference(before, after Profile) (changes []Change) {
	add := func(name, a, b string) {
		if a != b {
			changes = append(changes, Change{Name: name, Before: a, After: b})
		}
	}
	add("first_name", before.FirstName, after.FirstName)
	add("last_name", before.LastName, after.LastName)
	add("birthday", date(before.Birthday), date(after.Birthday))
	add("email", before.Email, after.Email)
	add("phone", before.Phone, after.Phone)
	was := map[string]string{}
	for _, id := range before.IDs {
		if _, twice := was[id.word()]; !twice {
			was[id.word()] = id.Value
		}
	}
	seen := map[string]bool{}
	for _, id := range after.IDs {
		if !seen[id.word()] {
			seen[id.word()] = true
			add(id.word(), was[id.word()], id.Value)
		}
	}
	for _, id := range before.IDs {
		if !seen[id.word()] {
			seen[id.word()] = true
			add(id.word(), id.Value, "")
		}
	}
	return changes
}

// word names an identifier: by its name, and by its type where it has none.
func (id ID) word() string {
	switch {
	case id.Name != "":
		return id.Name
	case id.Type == "social_security_number":
		return "nss"
	case id.Type == "tax":
		return "rfc"
	case id.Type == "national", id.Type == "population_registry":
		return "curp"
	}
	return id.Type
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
