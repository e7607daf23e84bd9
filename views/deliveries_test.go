package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func testDelivery(n byte, verdict webhook.Verdict, cause webhook.Cause) webhook.Delivery {
	return webhook.Delivery{
		UID: testID(100 + n), Environment: lookup.Sandbox, Dialect: lookup.Palenca, Subscription: "Palenca, pruebas", TokenTail: "4c1e",
		ReceivedAt: noon.Add(-time.Minute), RemoteAddr: "203.0.113.24", Method: "POST",
		Headers: []webhook.Header{{Name: "content-type", Value: "application/json"}, {Name: "authorization", Value: "Bearer s3cr3t", Sealed: true}},
		Body:    []byte(`{"a":1}`), Size: 7, SHA256: []byte{0xc0, 0x7b, 0x19, 0xef, 1, 2, 3, 4, 0x83, 0xd2},
		Verdict: verdict, Cause: cause, Answered: 200, AnswerMicros: 9123, Action: "login.success",
		AccountID: "ee64a864-91f3-4b11-9c0a-aa10b2c3d4e5", LookupUID: testID(7), Reference: "SOL-1873",
		ProcessedAt: noon.Add(-59 * time.Second), Attempts: 1,
	}
}

// cases are all pairs of verdict and cause that the receiver and the jobs make, and one that they do not.
var cases = []struct {
	verdict webhook.Verdict
	cause   webhook.Cause
	reason  string
	failed  string
}{
	{webhook.Accepted, webhook.CauseNone, "accepted", ""},
	{webhook.Accepted, webhook.CauseLate, "late", "order"},
	{webhook.Duplicate, webhook.CauseSameBytes, "same_bytes", "bytes"},
	{webhook.Duplicate, webhook.CauseSameFact, "same_fact", "fact"},
	{webhook.Duplicate, webhook.CauseNone, "duplicate", ""},
	{webhook.Unmatched, webhook.CauseNone, "unmatched", "pair"},
	{webhook.Ignored, webhook.CauseNone, "ignored", ""},
	{webhook.Ignored, webhook.CauseUnreadable, "unreadable", "readable"},
	{webhook.Ignored, webhook.CauseUnknownEvent, "unknown_event", "known"},
	{webhook.Ignored, webhook.CauseForeign, "foreign", "pair"},
	{webhook.Refused, webhook.CauseNone, "refused", ""},
	{webhook.Refused, webhook.CauseTooLarge, "too_large", "size"},
	{webhook.Refused, webhook.CauseDisabled, "disabled", "enabled"},
	{webhook.Refused, "moon_phase", "unlisted", ""},
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, tt := range cases {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			bothLanguages(t, func(t *testing.T, lang string) {
				d := testDelivery(1, tt.verdict, tt.cause)
				if got := reason(d); got != tt.reason {
					t.Fatalf("reason %q, want %q", got, tt.reason)
				}
				doc := render(t, Delivery(DeliveryPage{Page: testPage(lang), Delivery: d, Body: string(d.Body)}))
				checkDocument(t, doc, lang)
				attr(t, doc, "#delivery", "data-verdict", string(tt.verdict))
				attr(t, doc, "#delivery", "data-delivery", d.UID.String())
				for _, selector := range []string{".state__next b", ".state__next small"} {
					if strings.TrimSpace(doc.Find(selector).Text()) == "" {
						t.Errorf("%s says nothing", selector)
					}
				}
				says(t, doc, "pre code", `{"a":1}`)
				count(t, doc, ".steps__item--fail", map[bool]int{true: 1}[tt.failed != ""])
				if strings.Contains(html(t, Delivery(DeliveryPage{Page: testPage(lang), Delivery: d})), "s3cr3t") {
					t.Error("a sealed header is shown")
				}
			})
		})
	}
}

func TestDeliverySteps(t *testing.T) {
	t.Parallel()
	for _, tt := range cases {
		d := testDelivery(1, tt.verdict, tt.cause)
		var failed string
		reached := true
		for _, s := range deliverySteps(d) {
			if s.State == stepFail {
				failed, reached = s.Name, false
				continue
			}
			if !reached && s.State == stepPass {
				t.Errorf("%s %s: %s passed after a failure", tt.verdict, tt.cause, s.Name)
			}
		}
		if failed != tt.failed {
			t.Errorf("%s %s failed at %q, want %q", tt.verdict, tt.cause, failed, tt.failed)
		}
	}
	waiting := testDelivery(1, webhook.Accepted, webhook.CauseNone)
	waiting.ProcessedAt = time.Time{}
	states := map[string]int{}
	for _, s := range deliverySteps(waiting) {
		states[s.State]++
	}
	if diff := cmp.Diff(map[string]int{stepPass: 4, stepWait: 5}, states); diff != "" {
		t.Errorf("a delivery that waits (-want +got):\n%s", diff)
	}
	refused := testDelivery(1, webhook.Refused, webhook.CauseNone)
	refused.Answered = 405
	if got := failedStep(refused); got != "size" {
		t.Errorf("a wrong method fails at %q", got)
	}
}

func TestDeliveryProgress(t *testing.T) {
	t.Parallel()
	d := testDelivery(1, webhook.Accepted, webhook.CauseNone)
	d.Changes = []webhook.Change{{What: "profile", Before: "none", After: "fetching"}, {What: "status", Before: "pending", After: "success"}, {What: "warning", After: "brand_new"}, {What: "moon", After: "full"}}
	if got := reason(d); got != "moved" {
		t.Error(got)
	}
	doc := render(t, Delivery(DeliveryPage{Page: testPage("es-MX"), Delivery: d}))
	checkDocument(t, doc, "es-MX")
	says(t, doc, "#delivery", "movió la consulta")
	for _, want := range []string{"En proceso", "Con resultado", "no se pidió", "se está pidiendo", "brand_new", "full", "nada"} {
		says(t, doc, ".cols__main table", want)
	}
	d.Changes, d.ProcessedAt = nil, time.Time{}
	if got := reason(d); got != "waiting" {
		t.Error(got)
	}
	d.LastError, d.Attempts = "lookup: no such attempt", 3
	if got := reason(d); got != "failing" {
		t.Error(got)
	}
	doc = render(t, Delivery(DeliveryPage{Page: testPage("es-MX"), Delivery: d}))
	says(t, doc, "main", "lookup: no such attempt")
}

func TestDeliveryBodyByRole(t *testing.T) {
	t.Parallel()
	d := testDelivery(1, webhook.Accepted, webhook.CauseNone)
	masked := DeliveryPage{Page: testPage("es-MX"), Delivery: d, Body: `{"curp":"GATA••••••••••LLA7"}`, Masked: true}
	doc := render(t, Delivery(masked))
	checkDocument(t, doc, "es-MX")
	count(t, doc, `form[action="/deliveries/`+d.UID.String()+`/reveal"]`, 1)
	count(t, doc, `a[href$="/body"]`, 1)
	count(t, doc, ".code__hide", 1)
	masked.Page = masked.as(auth.Developer)
	doc = render(t, Delivery(masked))
	checkDocument(t, doc, "es-MX")
	count(t, doc, `form[action$="/reveal"], a[href$="/body"]`, 0)
	masked.Page, masked.Masked = testPage("es-MX"), false
	count(t, render(t, Delivery(masked)), `form[action$="/reveal"]`, 0)
}

func TestDeliveryBodySizes(t *testing.T) {
	t.Parallel()
	none := testDelivery(1, webhook.Refused, webhook.CauseNone)
	none.Body, none.Size, none.Headers = nil, 0, nil
	doc := render(t, Delivery(DeliveryPage{Page: testPage("es-MX"), Delivery: none}))
	checkDocument(t, doc, "es-MX")
	says(t, doc, "#delivery-body", "Llegó sin cuerpo")
	count(t, doc, `pre, a[href$="/body"]`, 0)

	large := testDelivery(1, webhook.Refused, webhook.CauseTooLarge)
	large.Size, large.Body = 1258291, make([]byte, webhook.KeptOfRefused)
	v := DeliveryPage{Page: testPage("es-MX"), Delivery: large, Body: strings.Repeat("x", webhook.KeptOfRefused)}
	if got := v.bodyNote(); got != "16.3 kB de 1.2 MB recibidos" {
		t.Error(got)
	}
	if got := sizeWords(v.Page, large); got != "16.3 kB de 1.2 MB" {
		t.Error(got)
	}
}

func TestTwins(t *testing.T) {
	t.Parallel()
	d := testDelivery(1, webhook.Accepted, webhook.CauseNone)
	d.Twins = []webhook.Twin{
		{UID: testID(60), ReceivedAt: d.ReceivedAt.Add(31 * time.Second), Verdict: webhook.Duplicate, Cause: webhook.CauseSameBytes},
		{UID: testID(61), ReceivedAt: d.ReceivedAt.Add(-2 * time.Minute), Verdict: webhook.Duplicate, Cause: webhook.CauseSameFact},
	}
	doc := render(t, Delivery(DeliveryPage{Page: testPage("es-MX"), Delivery: d}))
	checkDocument(t, doc, "es-MX")
	count(t, doc, `a[href="/deliveries/`+testID(60).String()+`"]`, 1)
	says(t, doc, "aside", "31 s después")
	says(t, doc, "aside", "2 min antes")
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := DeliveriesPage{Page: testPage(lang), After: "k2", Before: "k0", Actions: []string{"login.success"}}
		for i, c := range cases {
			v.Rows = append(v.Rows, testDelivery(byte(i), c.verdict, c.cause))
		}
		v.Rows[0].Action, v.Rows[0].LookupUID = "", uuid.Nil
		v.Rows[1].Twins = make([]webhook.Twin, 2)
		v.Values = DeliveryFilterValues{Verdict: "refused", Action: "login.success", Account: "ee64", From: "2024-03-14"}
		doc := render(t, Deliveries(v))
		checkDocument(t, doc, lang)
		count(t, doc, "tr[data-delivery][data-verdict]", len(cases))
		for _, d := range v.Rows {
			attr(t, doc, `tr[data-delivery="`+d.UID.String()+`"]`, "data-verdict", string(d.Verdict))
		}
		count(t, doc, ".chip", 4)
		attr(t, doc, "#f-verdict option[selected]", "value", "refused")
		attr(t, doc, "#f-account", "value", "ee64")
		attr(t, doc, "a[rel=next]", "href", "/deliveries?account=ee64&action=login.success&after=k2&from=2024-03-14&verdict=refused")
		count(t, doc, "[data-filter]", 1)
		count(t, doc, "#lookup", 0)
	})
}

func TestNoDeliveries(t *testing.T) {
	t.Parallel()
	doc := render(t, Deliveries(DeliveriesPage{Page: testPage("es-MX")}))
	checkDocument(t, doc, "es-MX")
	says(t, doc, ".empty", "Todavía no llega ninguna entrega")
	count(t, doc, "#f-action[placeholder]", 1)
	doc = render(t, Deliveries(DeliveriesPage{Page: testPage("es-MX"), Values: DeliveryFilterValues{Verdict: "moon"}}))
	checkDocument(t, doc, "es-MX")
	says(t, doc, ".empty", "Nada coincide")
	says(t, doc, ".chip", "moon")
}
