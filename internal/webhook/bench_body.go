package webhook

import (
	"bytes"
)

// bodyVariant is a body that the sender may have signed instead of what arrived.
type bodyVariant struct {
	body   []byte
	remark remark
	rank   int
}

var bom = []byte("\ufeff")

// rewrites are the libraries that write JSON anew on its way: a sender that
// signs one text and posts another, a proxy or framework that parses and
// serialises, or a person who copied the body from a viewer.
var rewrites = []struct {
	remark remark
	rank   int
	style  style
}{
	{"verify.bench.body.node", 1, style{comma: ",", colon: ":", number: numberJS}},
	{"verify.bench.body.compact", 1, style{comma: ",", colon: ":", number: asWritten}},
	{"verify.bench.body.python", 1, style{comma: ", ", colon: ": ", ascii: true, number: numberPython}},
	{"verify.bench.body.python_utf8", 2, style{comma: ", ", colon: ": ", number: numberPython}},
	{"verify.bench.body.spaced", 2, style{comma: ", ", colon: ": ", number: asWritten}},
	{"verify.bench.body.sorted", 2, style{comma: ",", colon: ":", sorted: true, number: asWritten}},
	{"verify.bench.body.sorted_python", 2, style{comma: ", ", colon: ": ", sorted: true, ascii: true, number: numberPython}},
	{"verify.bench.body.indented", 2, style{comma: ",", colon: ": ", indent: "  ", number: numberJS}},
	{"verify.bench.body.indented", 2, style{comma: ",", colon: ": ", indent: "  ", ascii: true, number: numberPython}},
	{"verify.bench.body.indented", 3, style{comma: ",", colon: ": ", indent: "    ", number: numberJS}},
	{"verify.bench.body.indented", 3, style{comma: ",", colon: ": ", indent: "    ", ascii: true, number: numberPython}},
	{"verify.bench.body.ascii", 2, style{comma: ",", colon: ":", ascii: true, number: asWritten}},
	{"verify.bench.body.php", 3, style{comma: ",", colon: ":", ascii: true, slashes: true, number: asWritten}},
	{"verify.bench.body.golang", 3, style{comma: ",", colon: ":", sorted: true, html: true, number: numberJS}},
}

// bodyVariants lists what to try for a body, as received first; two that come
// out alike count once. whole is false when the body was too large to rewrite.
func bodyVariants(body []byte) (list []bodyVariant, whole bool) {
	add := func(b []byte, r remark, rank int) {
		for _, v := range list {
			if string(v.body) == string(b) {
				return
			}
		}
		list = append(list, bodyVariant{b, r, rank})
	}
	add(body, "", 0)
	// Line ends come and go with editors, echo and copying.
	trimmed := bytes.TrimRight(body, "\r\n")
	add(trimmed, "verify.bench.body.newline_removed", 1)
	add(bytes.TrimSpace(body), "verify.bench.body.space_removed", 2)
	add(joined(trimmed, []byte("\n")), "verify.bench.body.newline_added", 1)
	add(joined(trimmed, []byte("\r\n")), "verify.bench.body.newline_added", 2)
	unix := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	add(unix, "verify.bench.body.crlf_to_lf", 1)
	add(bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n")), "verify.bench.body.lf_to_crlf", 1)
	plain := bytes.TrimPrefix(body, bom)
	add(plain, "verify.bench.body.bom_removed", 1)
	add(joined(bom, body), "verify.bench.body.bom_added", 2)
	add(nil, "verify.bench.body.empty", 3) // read once already, and signed after
	if len(plain) > maxRewritten {
		return list, false
	}
	if root, ok := parseTree(plain); ok {
		for _, w := range rewrites {
			add(w.style.write(root), w.remark, w.rank)
		}
	}
	return list, true
}

func joined(a, b []byte) []byte { return append(append(make([]byte, 0, len(a)+len(b)), a...), b...) }
