package views

import (
	"strings"
	"testing"
	"time"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func testBench(lang string) BenchPage {
	p := testPage(lang)
	request := webhook.Request{Method: "POST", At: noon, Body: []byte("{\"a\":1}\n"), Header: []webhook.Header{{Name: "x-signature", Value: "VGhpcyBpcyBub3QgYSBzaWduYXR1cmUsIGJ1dCAzMiE="}}}
	policy := webhook.Policy{Signature: &webhook.SignaturePolicy{Required: true, Secrets: []webhook.Secret{{ID: "1", Key: []byte("key")}}}, JWT: &webhook.JWTPolicy{}}
	outcome := webhook.Verify(policy, request)
	return BenchPage{Page: p, Subscriptions: []webhook.Subscription{testSubscription(1)}, Outcome: &outcome,
		Findings: webhook.Diagnose(webhook.Bench{Policy: policy, Request: request}),
		Values:   BenchValues{Headers: "\nx-signature: abc", Body: "\n{\"a\":1}\n", Secret: "typed-secret", Raw: true, Subscription: testID(1).String()}}
}

func TestBench(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := testBench(lang)
		doc := render(t, Bench(v))
		checkDocument(t, doc, lang)
		attr(t, doc, "[data-outcome]", "data-outcome", "refused")
		count(t, doc, "[data-check]", len(v.Outcome.Checks))
		count(t, doc, "[data-finding]", len(v.Findings))
		attr(t, doc, "[data-check=signature]", "data-result", "fail")
		attr(t, doc, "#subscription option[selected]", "value", testID(1).String())
		count(t, doc, "#raw[checked]", 1)
		if strings.Contains(html(t, Bench(v)), "typed-secret") {
			t.Error("a typed secret comes back")
		}
		// A parser drops the first line break of a textarea (HTML, 13.2.6.4.7); what was pasted may begin with one.
		if got := doc.Find("textarea#body").Text(); got != v.Values.Body {
			t.Errorf("the body comes back as %q", got)
		}
	})
}

func TestBenchEmptyAndStored(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := BenchPage{Page: testPage(lang), Errors: map[string]Note{"body": {ID: "subscriptions.bench.body_missing"}, "headers": {ID: "subscriptions.bench.headers_bad"}, "secret": {ID: "subscriptions.bench.secret_missing"}, "subscription": {ID: "subscriptions.bench.subscription_bad"}}}
		doc := render(t, Bench(v))
		checkDocument(t, doc, lang)
		count(t, doc, ".alert[role=alert] li", 4)
		count(t, doc, "#how-title", 1)
		d := testDelivery(1, webhook.Refused, webhook.CauseSignatureMismatch)
		v = BenchPage{Page: testPage(lang), Delivery: &d, Outcome: &webhook.Outcome{}}
		doc = render(t, Bench(v))
		checkDocument(t, doc, lang)
		attr(t, doc, "input[name=delivery]", "value", d.UID.String())
		attr(t, doc, "[data-outcome]", "data-outcome", "accepted")
		count(t, doc, "textarea", 0)
		count(t, doc, `a[href="/bench"]`, 1)
	})
}

func TestDeliveryChecks(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		d := testDelivery(1, webhook.Refused, webhook.CauseSignatureMismatch)
		d.Twins = []webhook.Twin{{UID: testID(60), ReceivedAt: noon, Verdict: webhook.Accepted}}
		d.Checks = []webhook.Check{
			{Scheme: webhook.SchemeSignature, Result: webhook.Fail, Cause: d.Cause, ReasonID: "verify.signature.mismatch", Args: []any{"Header", "x-signature"}},
			{Scheme: webhook.SchemeJWT, Result: webhook.Pass, ReasonID: "verify.jwt.ok", Args: []any{"Until", "2026-03-15 18:00:00 UTC"}},
			{Scheme: webhook.SchemeAddress, Result: webhook.Warn, ReasonID: "verify.address.unknown", Args: []any{"Address", "203.0.113.24"}},
		}
		v := DeliveryPage{Page: testPage(lang), Delivery: d, Body: string(d.Body), Curl: "curl -i -X POST 'https://x/hooks/TOKEN'"}
		doc := render(t, Delivery(v))
		checkDocument(t, doc, lang)
		for i, scheme := range []string{"signature", "jwt", "address"} {
			if got := doc.Find("[data-check]").Eq(i).AttrOr("data-check", ""); got != scheme {
				t.Errorf("check %d is %s, want %s", i, got, scheme)
			}
		}
		count(t, doc, ".steps__item--fail", 1)
		count(t, doc, `form[action="/deliveries/`+d.UID.String()+`/verify"]`, 1)
		count(t, doc, `a[href="/bench?delivery=`+d.UID.String()+`"]`, 1)
		count(t, doc, `a[href="/deliveries/`+d.UID.String()+`/compare/`+testID(60).String()+`"]`, 1)
		attr(t, doc, "button[data-copy^=curl]", "data-copy", v.Curl)
		v.Page = v.as(auth.Developer)
		count(t, render(t, Delivery(v)), `form[action$="/verify"], a[href^="/bench"]`, 0)
		v.Page = testPage(lang)
		v.Delivery.Verdict, v.Delivery.Cause, v.Delivery.Checks[0].Result = webhook.Accepted, webhook.CauseNone, webhook.Pass
		doc = render(t, Delivery(v))
		count(t, doc, `form[action$="/verify"]`, 0)
		count(t, doc, ".steps__item--skip", 0)
	})
}

// Every cause has words of its own, wherever it is shown.
func TestEveryCauseHasWords(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		p := testPage(lang)
		for _, cause := range webhook.Causes {
			if got := causeWord(p, cause); got == string(cause) {
				t.Errorf("%s has no word", cause)
			}
			d := testDelivery(1, webhook.Refused, cause)
			unlisted := p.T("deliveries.why.unlisted", "Cause", string(cause))
			for _, group := range []string{"deliveries.why.", "deliveries.head.", "deliveries.body."} {
				if got := deliverySays(p, d, group); got == "" || got == unlisted || strings.Contains(got, "⟨") {
					t.Errorf("%s%s: %q", group, cause, got)
				}
			}
		}
		if got := causeWord(p, "moon_phase"); got != "moon_phase" {
			t.Errorf("an unknown cause is called %q", got)
		}
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := ComparePage{Page: testPage(lang), A: testDelivery(1, webhook.Accepted, ""), B: testDelivery(2, webhook.Duplicate, webhook.CauseSameFact),
			Headers: []DiffLine{{LineSame, "a: 1", "a: 1"}, {LineOld, "b: 2", ""}, {LineNew, "", "c: <b>3</b>"}}, Body: []DiffLine{{LineSame, "{}", "{}"}}}
		v.B.ReceivedAt, v.B.Dialect = v.B.ReceivedAt.Add(31*time.Second), lookup.Palenca
		doc := render(t, Compare(v))
		checkDocument(t, doc, lang)
		count(t, doc, "[data-line=same]", 2)
		count(t, doc, "del", 1)
		count(t, doc, "ins", 1)
		says(t, doc, "ins", "c: <b>3</b>")
		count(t, doc, ".versus__differs", 1)
		attr(t, doc, ".page__acts a", "href", "/deliveries/"+v.B.UID.String()+"/compare/"+v.A.UID.String())
		v.Same, v.Headers = true, nil
		doc = render(t, Compare(v))
		checkDocument(t, doc, lang)
		count(t, doc, ".alert--success", 1)
	})
}

func TestHours(t *testing.T) {
	t.Parallel()
	first := noon.Truncate(time.Hour).Add(-23 * time.Hour)
	h := drawHours([]HourCount{
		{first, webhook.Accepted, 3}, {first, webhook.Refused, 2}, {first.Add(23 * time.Hour), webhook.Unmatched, 1},
		{first.Add(-time.Second), webhook.Accepted, 99}, {first.Add(24 * time.Hour), webhook.Accepted, 99}, {first, "moon", 99}, {first, webhook.Accepted, -1},
	}, noon)
	if len(h.Rows) != 24 || h.Total != 6 || h.Refused != 2 || h.Top != 6 || len(h.filled()) != 2 {
		t.Errorf("%d rows, %d in all, %d refused, top %d, %d filled", len(h.Rows), h.Total, h.Refused, h.Top, len(h.filled()))
	}
	if got := len(h.Verdicts); got != 4 {
		t.Errorf("%d verdicts: the usual three and the one that came", got)
	}
	bars := h.Rows[0].Bars
	if len(bars) != 2 || bars[1].Verdict != webhook.Refused || bars[1].Y >= bars[0].Y && len(bars[1].Y) == len(bars[0].Y) || h.Rows[0].RefuseY == 0 {
		t.Errorf("the refused are not on top: %+v", bars)
	}
	for n, want := range map[int64]int64{0: 2, 1: 2, 2: 2, 3: 4, 7: 8, 9: 10, 10: 10, 11: 20, 49: 60, 101: 200, 99999: 100000} {
		if got := roundTop(n); got != want {
			t.Errorf("the top of %d is %d, want %d", n, got, want)
		}
	}
	doc := render(t, hourPanel(testPage("es-MX"), testHours()))
	checkMarkup(t, doc)
	count(t, doc, "svg[role=img] text.chart__badtext", 2)
	says(t, doc, "table", "11:00")
	says(t, doc, "desc", "18 rechazadas")
}

func TestDeliveryFilters(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := DeliveriesPage{Page: testPage(lang), Hours: testHours(), Subscriptions: []webhook.Subscription{testSubscription(1)}, Causes: webhook.Causes,
			Rows:   []webhook.Delivery{testDelivery(1, webhook.Refused, webhook.CauseJWTExpired)},
			Values: DeliveryFilterValues{Cause: "jwt_expired", Subscription: testID(1).String(), Text: "ee64", Search: testID(9).String(), From: "2026-03-14", To: "2026-03-15"},
			Errors: map[string]Note{"text": {ID: "deliveries.filter.text_range"}}}
		doc := render(t, Deliveries(v))
		checkDocument(t, doc, lang)
		count(t, doc, ".chip", 3) // what was not applied is none
		count(t, doc, "#filter-errors p", 1)
		attr(t, doc, `[aria-invalid="true"][aria-describedby="filter-errors"]`, "id", "f-text")
		attr(t, doc, "#f-cause option[selected]", "value", "jwt_expired")
		attr(t, doc, "#f-subscription option[selected]", "value", testID(1).String())
		attr(t, doc, "#f-text", "value", "ee64")
		count(t, doc, "#hours svg[role=img]", 1)
		says(t, doc, ".chips", "Avisos de prueba")
		count(t, doc, `[href*="ee64"], [action*="ee64"], [hx-sse\:connect*="ee64"]`, 0)
		count(t, doc, `form.filters[method=post][action="/deliveries"]`, 1)
	})
}
