package webhook

import (
	"strings"
)

// preamble is what is signed before the body.
type preamble struct {
	text   string
	remark remark
	rank   int
}

// preambles lists what the headers offer to sign before the body, what the
// scheme says first: nothing for the vendor's signature, id and time for
// Standard Webhooks.
func preambles(r Request, standard bool) []preamble {
	nothing := preamble{}
	var list []preamble
	id, stamp := first(r.values(standardID)), first(r.values(standardTimestamp))
	both := preamble{text: id + "." + stamp + "."}
	if standard {
		nothing.remark, nothing.rank = "verify.bench.preamble.none", 1
	} else {
		both.remark, both.rank = "verify.bench.preamble.standard", 1
	}
	list = append(list, nothing)
	if id != "" && stamp != "" {
		list = append(list, both)
	}
	// Some senders sign "<time>.<body>" under a header of their own. A few
	// candidates are enough, each doubles the work.
	for i, h := range r.Header {
		if i == maxHeaders || len(list) == 4 {
			break
		}
		if strings.Contains(strings.ToLower(h.Name), "timestamp") && h.Value != "" && len(h.Value) < 64 {
			list = append(list, preamble{h.Value + ".", "verify.bench.preamble.timestamp", 1})
		}
	}
	return list
}

// combination is one way in which a signature may have been made.
type combination struct {
	key      keyReading
	body     bodyVariant
	preamble preamble
	read     signatureReading
}

// search tries the combinations from the likeliest on and reports the first that
// verifies, or that none does.
func (t *trials) search(list []signatureReading, secrets []Secret, b Bench, before []preamble) []Finding {
	if b.BodySize > len(b.Request.Body) || len(b.Request.Body) > MaxBody {
		return []Finding{finding(Skip, "verify.bench.body_incomplete")}
	}
	keys := readings(secrets, b.Secrets, t.at)
	if len(keys) == 0 {
		return []Finding{finding(Skip, "verify.bench.no_secret")}
	}
	bodies, whole := bodyVariants(b.Request.Body)
	tried := t.hmacs // another scheme may have used some before
	hit, ok := t.first(list, keys, bodies, before)
	if ok {
		return hit.findings()
	}
	found := []Finding{finding(Fail, "verify.bench.nothing", "Count", t.hmacs-tried)}
	if t.cut {
		found = append(found, finding(Skip, "verify.bench.cut_short"))
	}
	if !whole {
		found = append(found, finding(Skip, "verify.bench.not_rewritten"))
	}
	return found
}

// first walks the combinations by the sum of their ranks: one fault is likelier
// than two, so the simplest explanation comes out.
func (t *trials) first(list []signatureReading, keys []keyReading, bodies []bodyVariant, before []preamble) (combination, bool) {
	const highest = 5 + 3 + 1 // the least likely key, body and preamble together
	for total := 0; total <= highest; total++ {
		for _, k := range keys {
			for _, body := range bodies {
				for _, p := range before {
					if k.rank+body.rank+p.rank != total {
						continue
					}
					sum, ok := t.sum(k.key, []byte(p.text), body.body)
					if !ok {
						return combination{}, false
					}
					// However many ways to read the header, the sum is computed once.
					for _, read := range list {
						if read.made(sum) {
							return combination{k, body, p, read}, true
						}
					}
				}
			}
		}
	}
	return combination{}, false
}

// findings say that the combination verifies, and each thing about it that is
// not as the subscription expects.
func (c combination) findings() []Finding {
	// From the inside out: the key, what was signed, how it was written down.
	aspects := c.key.aspects()
	for _, r := range append([]remark{c.preamble.remark, c.body.remark}, c.read.remarks...) {
		if r != "" {
			aspects = append(aspects, finding(Warn, string(r)))
		}
	}
	return verifies(c.key.secretID, aspects)
}

func verifies(secretID string, aspects []Finding) []Finding {
	head := finding(Pass, "verify.bench.verifies")
	if len(aspects) > 0 {
		head.ReasonID = "verify.bench.verifies_with"
	}
	head.SecretID = secretID
	return append([]Finding{head}, aspects...)
}
