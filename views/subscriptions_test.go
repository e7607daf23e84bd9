package views

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

func testSubscription(n byte) webhook.Subscription {
	return webhook.Subscription{
		ID: int64(n), UID: testID(n), Environment: lookup.Sandbox, Dialect: lookup.Palenca, Name: "Avisos de prueba", VendorID: "3fa85f64-5717-4562-b3fc-2c963f66afa6",
		TokenTail: "4c1e", Events: []string{"login.success", "login.error"}, Active: true, VendorActive: true, VendorSeenAt: noon.Add(-time.Hour),
		Settings:  webhook.Settings{Signature: webhook.SignatureRequired, SignatureHeader: "X-Signature", SignatureEncoding: webhook.Base64, Addresses: webhook.AddressOff, WindowMinutes: 20},
		CreatedAt: noon.AddDate(0, -1, 0), ChangedAt: noon.Add(-26 * time.Hour), ChangedBy: "Mariana Ortega", LastArrival: noon.Add(-3 * time.Minute),
		Secrets: []webhook.SecretNote{
			{UID: testID(80), Kind: webhook.KindSignature, Tail: "a9Q=", CreatedAt: noon.Add(-time.Hour)},
			{UID: testID(81), Kind: webhook.KindSignature, Tail: "77xw", Raw: true, CreatedAt: noon.AddDate(0, -1, 0), ExpiresAt: noon.Add(23 * time.Hour)},
			{UID: testID(82), Kind: webhook.KindSignature, Tail: "old1", CreatedAt: noon.AddDate(0, -2, 0), ExpiresAt: noon.Add(-time.Hour)},
		},
		Counts: map[webhook.Verdict]int64{webhook.Accepted: 412, webhook.Duplicate: 9, webhook.Refused: 1},
	}
}

// everything asks for all there is, and has no secret for it.
func everything(s webhook.Subscription) webhook.Subscription {
	s.Settings = webhook.Settings{Signature: webhook.SignatureOptional, SignatureHeader: "X-Signature", SignatureEncoding: webhook.Hex, JWT: true,
		Headers: true, Token: true, Standard: true, Addresses: webhook.AddressEnforce, WindowMinutes: 30}
	s.Secrets = nil
	return s
}

func testHours() []HourCount {
	var list []HourCount
	for i, n := range []int64{0, 2, 1, 0, 0, 4, 9, 22, 31, 44, 38, 27, 19, 33, 41, 36, 25, 14, 8, 6, 4, 5, 12, 18} {
		hour := noon.Truncate(time.Hour).Add(time.Duration(i-23) * time.Hour)
		list = append(list, HourCount{hour, webhook.Accepted, n}, HourCount{hour, webhook.Duplicate, n / 10})
	}
	return append(list, HourCount{noon.Truncate(time.Hour).Add(-time.Hour), webhook.Refused, 15},
		HourCount{noon.Truncate(time.Hour), webhook.Refused, 3}, HourCount{noon.Truncate(time.Hour), webhook.Unmatched, 1})
}

func testSubscriptions(lang string) SubscriptionsPage {
	on, off, left, fresh := testSubscription(1), testSubscription(2), testSubscription(3), testSubscription(4)
	off.Name, off.Active, off.Counts, off.LastArrival, off.Events = "Anterior", false, nil, time.Time{}, []string{"*"}
	left.Name, left.VendorActive, left.Counts = "Sucursales", false, map[webhook.Verdict]int64{webhook.Refused: 17, webhook.Accepted: 3}
	fresh.Name, fresh.VendorID, fresh.Settings = "Nueva", "", webhook.Settings{Signature: webhook.SignatureOff}
	p := testPage(lang)
	p.Nav = "subscriptions"
	return SubscriptionsPage{Page: p, List: []webhook.Subscription{on, off, left, fresh}, Quiet: []string{"Avisos de prueba"}, Hours: testHours(),
		Differences: []HookDifference{
			{Kind: DiffMissingHere, Name: "otra", VendorID: "v-1"},
			{Kind: DiffMissingThere, Name: "Avisos de prueba", VendorID: "v-2", UID: on.UID},
			{Kind: DiffInactiveThere, Name: "Sucursales", VendorID: "v-3", UID: left.UID},
			{Kind: DiffInactiveThere, Name: "Anterior", VendorID: "v-4", UID: off.UID},
			{Kind: DiffOtherURL, Name: "Nueva", VendorID: "v-5", UID: fresh.UID},
		}}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := testSubscriptions(lang)
		doc := render(t, Subscriptions(v))
		checkDocument(t, doc, lang)
		for i, state := range []string{"active", "off", "vendor_off", "unregistered"} {
			attr(t, doc, `tr[data-subscription="`+v.List[i].UID.String()+`"]`, "data-state", state)
		}
		count(t, doc, "[data-vendor-off]", 1)
		attr(t, doc, "[data-vendor-off] form", "action", "/subscriptions/"+v.List[2].UID.String()+"/mend")
		count(t, doc, "[data-difference]", len(v.Differences))
		count(t, doc, `form[action="/subscriptions/forget"] input[name=vendor_id][value="v-1"]`, 1)
		attr(t, doc, `[data-difference=other_url] form`, "action", "/subscriptions/"+v.List[3].UID.String()+"/mend")
		count(t, doc, `a[href^="/subscriptions?compare=on"]`, 1)
		count(t, doc, `a[href="/deliveries?subscription=`+v.List[0].UID.String()+`&verdict=refused"]`, 1)
		count(t, doc, ".alert--warn", 2) // one is quiet, one refuses much
	})
	doc := render(t, Subscriptions(testSubscriptions("es-MX")))
	says(t, doc, "tbody tr:nth-child(1)", "firma obligatoria en X-Signature")
	says(t, doc, "tbody tr:nth-child(1)", "412 aceptadas")
	says(t, doc, "tbody tr:nth-child(1)", "1 rechazada")
	says(t, doc, "tbody tr:nth-child(2)", "todos los eventos")
	says(t, doc, "tbody tr:nth-child(4)", "solo la dirección secreta")
	says(t, doc, "[data-difference]:nth-child(3)", "está apagada en el proveedor")
	says(t, doc, "[data-difference]:nth-child(4)", "encendida en el proveedor y apagada aquí")
}

func TestNoSubscriptions(t *testing.T) {
	t.Parallel()
	doc := render(t, Subscriptions(SubscriptionsPage{Page: testPage("es-MX")}))
	checkDocument(t, doc, "es-MX")
	says(t, doc, ".empty", "No hay ninguna suscripción")
	says(t, doc, "#hours", "no llegó ninguna entrega")
	says(t, doc, "#differences", "todavía no")
	count(t, doc, "#hours svg.chart", 0)
}

func TestAsks(t *testing.T) {
	t.Parallel()
	got := asks(testPage("es-MX"), everything(testSubscription(1)))
	want := []string{"firma en X-Signature, si llega", "token JWT", "encabezados acordados", "token emitido por Cotejo", "Standard Webhooks", "solo direcciones del proveedor"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHooksBanner(t *testing.T) {
	t.Parallel()
	for _, trouble := range []string{HooksOff, HooksFailing, HooksQuiet} {
		p := testPage("en")
		p.Hooks = trouble
		doc := render(t, Shell(p))
		checkMarkup(t, doc)
		attr(t, doc, "[data-hooks]", "data-hooks", trouble)
		count(t, doc, `[data-hooks] a[href="/subscriptions"]`, 1)
		count(t, render(t, Shell(p.as(auth.Developer))), `[data-hooks] a`, 0)
		p.Nav = "subscriptions"
		count(t, render(t, Shell(p)), `[data-hooks]`, 0)
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		for name, s := range map[string]webhook.Subscription{"signed": testSubscription(1), "everything": everything(testSubscription(2))} {
			v := subscriptionOf(lang, s)
			doc := render(t, Subscription(v))
			checkDocument(t, doc, lang)
			path := "/subscriptions/" + s.UID.String()
			for _, act := range []string{"", "/secrets", "/address", "/switch", "/test", "/delete"} {
				count(t, doc, `form[method=post][action="`+path+act+`"]`, 1)
			}
			count(t, doc, `form[action="`+path+`/revoke"]`, map[bool]int{true: 1}[s.Token])
			count(t, doc, `input[name=events]`, 5)
			if strings.Contains(html(t, Subscription(v)), "hooks.") {
				t.Errorf("%s: an id is shown", name)
			}
		}
	})
}

func subscriptionOf(lang string, s webhook.Subscription) SubscriptionPage {
	p := testPage(lang)
	p.Nav = "subscriptions"
	return SubscriptionPage{Page: p, Subscription: s, Dialect: s.Dialect, Offered: []string{"login.created", "login.success", "login.incomplete", "login.error"},
		TokenURL: "https://avisos.malintzi.example/oauth/token", Secret: SecretValues{Kind: "signature"},
		Values: webhook.SubscriptionForm{Name: s.Name, Events: s.Events, Signature: string(s.Signature), SignatureHeader: s.SignatureHeader,
			SignatureEncoding: string(s.SignatureEncoding), Addresses: string(s.Addresses), Window: "20", JWT: s.JWT, Headers: s.Headers, Token: s.Token, Standard: s.Standard}}
}

func TestSubscriptionSecrets(t *testing.T) {
	t.Parallel()
	s := testSubscription(1)
	doc := render(t, Subscription(subscriptionOf("es-MX", s)))
	count(t, doc, "[data-secrets=signature] tbody tr", 3)
	count(t, doc, "[data-secrets]", 1)
	says(t, doc, `tr[data-secret="`+testID(81).String()+`"]`, "convive con el nuevo")
	says(t, doc, `tr[data-secret="`+testID(81).String()+`"]`, "caracteres tal cual")
	count(t, doc, `form[action="/subscriptions/`+s.UID.String()+`/secrets/`+testID(80).String()+`/end"]`, 1)
	count(t, doc, `tr[data-secret="`+testID(82).String()+`"] form`, 0)
	attr(t, doc, "#secret-overlap option[selected]", "value", "24h")

	doc = render(t, Subscription(subscriptionOf("es-MX", everything(s))))
	count(t, doc, "[data-secrets]", len(SecretKinds))
	count(t, doc, "[data-secrets] .field__error", len(SecretKinds)) // asked for, and nothing to compare with

	s.Signature = webhook.SignatureOff
	doc = render(t, Subscription(subscriptionOf("es-MX", s)))
	count(t, doc, "[data-secrets] .field__error", 0)
	says(t, doc, "[data-secrets]", "no se usa")
}

func TestSubscriptionStates(t *testing.T) {
	t.Parallel()
	s := testSubscription(1)
	s.Active = false
	doc := render(t, Subscription(subscriptionOf("es-MX", s)))
	attr(t, doc, `form[action$="/switch"] input[name=active]`, "value", "on")
	s = testSubscription(1)
	attr(t, render(t, Subscription(subscriptionOf("es-MX", s))), `form[action$="/switch"] input[name=active]`, "value", "off")
	s.VendorActive = false
	count(t, render(t, Subscription(subscriptionOf("es-MX", s))), `[data-vendor-off] form[action$="/mend"]`, 1)
	s.VendorID = ""
	count(t, render(t, Subscription(subscriptionOf("es-MX", s))), `[data-unregistered] form[action$="/mend"]`, 1)

	v := subscriptionOf("es-MX", testSubscription(1))
	count(t, render(t, Subscription(v)), "[data-once], [data-hook-address], [data-refused]", 0)
	v.Refused, v.Address = 17, "https://avisos.malintzi.example/hooks/abcdef"
	v.Once = []OnceSecret{{Kind: "client", Name: "cotejo-abc", Text: "s3cr3t"}}
	doc = render(t, Subscription(v))
	checkDocument(t, doc, "es-MX")
	says(t, doc, "[data-once-secret]", "s3cr3t")
	says(t, doc, "[data-once-name]", "cotejo-abc")
	says(t, doc, "[data-hook-address]", "/hooks/abcdef")
	says(t, doc, "[data-refused]", "17 entregas")
	count(t, doc, `[data-refused] form[action$="/verify"]`, 1)
}

func TestSubscriptionErrors(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := subscriptionOf(lang, testSubscription(1))
		v.Values = webhook.SubscriptionForm{Name: " ", Signature: "moon", SignatureHeader: "a b", SignatureEncoding: "rot13", Addresses: "moon", Window: "0", JWT: true, Token: true}
		_, problems := v.Values.Check()
		v.Errors = map[string]Note{"confirm": {ID: "subscriptions.flash.unsure"}}
		for _, p := range problems {
			v.Errors[p.Field] = Note{p.ID, p.Args}
		}
		v.SecretErrors = map[string]Note{"kind": {ID: "hooks.secret.kind_bad"}, "name": {ID: webhook.CheckHeaderName("host")}, "text": {ID: "verify.secret.undecodable"}, "overlap": {ID: "hooks.secret.too_many", Args: []any{"Max", 3}}}
		v.Secret = SecretValues{Kind: "header", Name: "host", Text: "typed-secret", Raw: true, Overlap: "7d"}
		doc := render(t, Subscription(v))
		checkDocument(t, doc, lang)
		count(t, doc, `.alert[role=alert] li a`, len(problems)+4)
		doc.Find(`.alert[role=alert] li a`).Each(func(_ int, link *goquery.Selection) {
			count(t, doc, link.AttrOr("href", ""), 1)
		})
		attr(t, doc, "#signature_header", "value", "a b")
		attr(t, doc, "#secret-name", "value", "host")
		attr(t, doc, "#secret-overlap option[selected]", "value", "7d")
		count(t, doc, "#jwt[checked][aria-invalid=true]", 1)
		if strings.Contains(html(t, Subscription(v)), "typed-secret") {
			t.Error("a typed secret comes back")
		}
	})
}

func TestNewSubscription(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		v := SubscriptionPage{Page: testPage(lang), Dialect: lookup.Palenca, Offered: []string{"login.success"}, Values: webhook.SubscriptionForm{Events: []string{"login.success", "moon.rise"}},
			Errors: map[string]Note{"": {ID: "subscriptions.no_connection"}}}
		doc := render(t, Subscription(v))
		checkDocument(t, doc, lang)
		count(t, doc, `form[method=post][action^="/subscriptions?"]`, 1)
		count(t, doc, `main form`, 1)
		count(t, doc, `input[name=events]`, 3)
		count(t, doc, `input[name=events][checked]`, 2)
		attr(t, doc, "#window", "value", "20")
		attr(t, doc, "input[name=signature][checked]", "value", "off")
	})
}
