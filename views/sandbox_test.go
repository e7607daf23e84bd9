package views

import (
	"testing"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

var aBoard = SandboxBoard{Known: true, Dialects: []lookup.Dialect{lookup.Palenca},
	Cases: []UglyCase{
		{Name: "lost", Title: "Perdido", Group: "way", Person: aRow.CURP, Description: "No llega", Expected: "Se pregunta", Dialects: []lookup.Dialect{lookup.Palenca, lookup.Buro}},
		{Name: "expired_jwt", Title: "JWT", Group: "proof", Needs: "jwt", Dialects: []lookup.Dialect{lookup.Buro}},
		{Name: "wrong_signature", Title: "Firma", Group: "proof", Needs: "signature", Dialects: []lookup.Dialect{lookup.Palenca}, Lacking: []lookup.Dialect{lookup.Palenca}},
	},
	Orders: []UglyOrder{{Case: "lost", Dialect: lookup.Palenca, Times: 2, Every: 10}, {Case: "of a newer sandbox", Dialect: lookup.Buro, Times: 1}},
}

func TestUglyBoard(t *testing.T) {
	t.Parallel()
	p := testPage("es-MX")
	p.User.Role = auth.Administrator
	doc := render(t, People(PeoplePage{Page: p, Board: aBoard}))
	says(t, doc, `[data-case=lost] [data-ordered]`, "Quedan 2 veces")
	says(t, doc, `[data-order=lost]`, "Perdido Palenca · Quedan 2 veces, una de cada 10")
	says(t, doc, `[data-order="of a newer sandbox"]`, "of a newer sandbox Buró · Queda 1 vez")
	// What cannot be seen here is named and not offered.
	count(t, doc, `[data-case=expired_jwt] form, [data-case=wrong_signature] form`, 0)
	count(t, doc, `[data-case=wrong_signature] a[href="/subscriptions"]`, 1)
	count(t, doc, `select[name=case] option`, 2)

	// A person is asked for where the case is played.
	both := aBoard
	both.Dialects = lookup.Dialects
	doc = render(t, People(PeoplePage{Page: p, Board: both}))
	count(t, doc, `[data-case=lost] form[action^="/lookups?"] input[name=platform][value=imss]`, 1)
	count(t, doc, `[data-case=lost] form[action^="/lookups?"] input[name=platform][value=all]`, 1)

	p.User.Role = auth.Analyst
	doc = render(t, People(PeoplePage{Page: p, Board: aBoard}))
	count(t, doc, `form[action^="/sandbox/"]`, 0)
	count(t, doc, `[data-case=lost] form[action^="/lookups?"]`, 1)

	silent := SandboxBoard{Known: true, Silent: true}
	doc = render(t, People(PeoplePage{Page: p, Board: silent}))
	count(t, doc, ".alert--error", 1)
}
