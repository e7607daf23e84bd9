package lookup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Tag is a short word by which people sort cases.
type Tag struct {
	UID  uuid.UUID
	Name string
}

// Bounds of tags; the schema repeats the length.
const (
	MaxTag  = 30 // characters
	MaxTags = 10 // on one lookup
	// mostDigits is how many digits a tag may have in a row: an NSS, an account or a telephone number is no tag.
	mostDigits = 5
)

// CleanTag brings a typed tag to the form in which it is kept. problem is the message id of what is wrong with it, "" when
// nothing is. Tags stand in lists and filters, so what looks like somebody's identifier is refused.
func CleanTag(typed string) (name, problem string) {
	name = strings.ToLower(strings.Join(strings.Fields(typed), " "))
	digits, letter := 0, false
	for _, r := range name {
		if unicode.IsDigit(r) {
			if digits++; digits > mostDigits {
				return name, "work.tag.number"
			}
			continue
		}
		digits = 0
		letter = letter || unicode.IsLetter(r)
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune(" -_./", r) {
			return name, "work.tag.signs"
		}
	}
	switch {
	case !letter:
		return name, "work.tag.empty"
	case utf8.RuneCountInString(name) > MaxTag:
		return name, "work.tag.long"
	}
	return name, ""
}
