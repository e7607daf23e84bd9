package employment

// Fold brings the spellings of an employer's name that count as one to one text, "" for no name. It is for comparing, not
// for showing: what a person reads is the name as received.
func Fold(name string) string { return normal(name) }
