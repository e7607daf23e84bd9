package curp

// RegistroPatronal groups an employer registration as the IMSS writes it,
// "Y52 34129 08" or, with the check digit, "Y52 34129 08 1": municipality,
// sequence, modality, check digit (docs/vendor.md#registro-patronal). Sources
// give 10 or 11 characters, a letter or digit followed by digits. Anything else
// comes back as it was, with false.
func RegistroPatronal(s string) (formatted string, ok bool) {
	t := Clean(s)
	if len(t) != 10 && len(t) != 11 {
		return s, false
	}
	for i, r := range t {
		if !isDigit(r) && (i > 0 || !isLetter(r)) {
			return s, false
		}
	}
	formatted = t[:3] + " " + t[3:8] + " " + t[8:10]
	if len(t) == 11 {
		formatted += " " + t[10:]
	}
	return formatted, true
}
