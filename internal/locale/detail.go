package locale

import "strings"

// Detail explains one word of the vendor's (or of ours, where the vendor
// refused a request): what it is in short, what it means, what to do next, and
// who acts. Known is false for a word we have no text for; then Title is the
// word itself and the rest is empty, because the vendor's set is open.
type Detail struct {
	Code, Title, Meaning, Next string
	Actor                      string // cotejo, source, person, analyst, nobody, support, developer; "" when unknown
	Known                      bool
}

// Detail explains a status_details value, or a code of ours (OwnCodes). The
// platform ("imss", "issste", other or "") picks the institution named: nobody
// is sent to an IMSS office over an ISSSTE login.
func (p *Printer) Detail(code, platform string) Detail {
	actor, ok := actors[code]
	if !ok {
		return Detail{Code: code, Title: code}
	}
	return p.explain("details.status.", code, platform, actor)
}

// Warning explains a value of the account's warning field, which comes with a
// login that otherwise succeeded; so a code that is also a status_details
// value has another text here.
func (p *Printer) Warning(code string) Detail {
	actor, ok := warningActors[code]
	if !ok {
		return Detail{Code: code, Title: code}
	}
	return p.explain("details.warning.", code, "", actor)
}

// explain takes each part in the words of the platform where there are some,
// "details.status.<code>.issste.next", and the general ones otherwise.
func (p *Printer) explain(prefix, code, platform, actor string) Detail {
	platform = strings.ToLower(platform)
	words := p.institution(platform)
	part := func(field string) string {
		if special := prefix + code + "." + platform + "." + field; p.Has(special) {
			return p.T(special, words...)
		}
		return p.T(prefix+code+"."+field, words...)
	}
	if special, ok := actorAt[code+"/"+platform]; ok {
		actor = special
	}
	return Detail{
		Code: code, Known: true, Actor: actor,
		Title: part("title"), Meaning: part("meaning"), Next: part("next"),
	}
}

// institution gives the pairs that name a platform's institution in a text:
// Source "el IMSS", SourceCap "El IMSS" to begin a sentence, Of "del IMSS", To
// "al IMSS", and Office, the place where a person settles things.
func (p *Printer) institution(platform string) []any {
	if platform != "imss" && platform != "issste" {
		platform = "unknown"
	}
	name := func(word string) string { return p.T("details.institution." + platform + "." + word) }
	return []any{
		"Source", name("source"), "SourceCap", name("sourcecap"), "Of", name("of"), "To", name("to"),
		"Office", name("office"),
	}
}
