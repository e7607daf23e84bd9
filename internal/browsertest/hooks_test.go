package browsertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// hook is a subscription that a visitor made by form.
type hook struct {
	b       *tab
	path    string // of its page
	address string // that the vendor is told
}

// subscribe makes one by form, with the boxes and picks ticked that css names, and has its whole address shown.
func (b *tab) subscribe(name string, ticks ...string) *hook {
	b.t.Helper()
	b.open("/subscriptions/new")
	acts := []chromedp.Action[chromedp.Void]{fill("#name", name)}
	for _, css := range ticks {
		acts = append(acts, click(css))
	}
	b.leads(append(acts, click(`form[action^="/subscriptions?"] .form__acts .btn--primary`))...)
	id := ask[string](b, `document.querySelector('form[action$="/switch"]').action.split("/").at(-2)`)
	h := &hook{b: b, path: "/subscriptions/" + id}
	b.leads(click(`form[action="` + h.path + `/address"] button`))
	h.address = b.text("[data-hook-address]")
	return h
}

// secret adds one by form; an empty text has it made, and shown this once.
func (h *hook) secret(kind, name, text string) (shownName, shown string) {
	h.b.t.Helper()
	h.b.open(h.path)
	h.b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector("#secret-kind").value = %q`, kind)))
	acts := []chromedp.Action[chromedp.Void]{fill("#secret-name", name), fill("#secret-text", text)}
	if text != "" {
		acts = append(acts, click("#secret-raw"))
	}
	h.b.leads(append(acts, click("#secret-form .btn--primary"))...)
	if text != "" {
		return name, text
	}
	shown = h.b.text("[data-once-secret]")
	if h.b.count("[data-once-name]") > 0 {
		shownName = h.b.text("[data-once-name]")
	}
	h.b.open(h.path)
	if strings.Contains(h.b.text("main"), shown) {
		h.b.t.Errorf("the secret of kind %s is shown a second time", kind)
	}
	return shownName, shown
}

// send posts a body as a vendor would, and gives the status of the answer.
func (h *hook) send(body string, headers ...string) int {
	h.b.t.Helper()
	req, err := http.NewRequestWithContext(h.b.t.Context(), http.MethodPost, h.address, strings.NewReader(body))
	if err != nil {
		h.b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.b.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func sealOf(key, text string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func bearerOf(key string) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	signed := part(`{"alg":"HS256"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, time.Now().Add(time.Hour).Unix()))
	return "Bearer " + signed + "." + base64.RawURLEncoding.EncodeToString(sealOf(key, signed))
}

// TestEachAuthentication makes a subscription for each, breaks its secret, reads why it refuses, mends it and runs what
// was refused again.
func TestEachAuthentication(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := admin(t, p)
	const right, wrong = "the vendor's own secret, long enough", "a mistyped secret, long enough too"
	for _, q := range []struct {
		name, tick, kind, header, why string
		sent                          func(secret, body string) []string
	}{
		{"Firma", `input[name="signature"][value="required"]`, "signature", "", "firma",
			func(secret, body string) []string {
				return []string{"X-Signature", base64.StdEncoding.EncodeToString(sealOf(secret, body))}
			}},
		{"JWT", "#jwt", "jwt", "", "JWT", func(secret, _ string) []string { return []string{"Authorization", bearerOf(secret)} }},
		{"Encabezado", "#headers", "header", "X-Lender", "encabezado", func(secret, _ string) []string { return []string{"X-Lender", secret} }},
	} {
		h := b.subscribe(q.name, q.tick)
		h.secret(q.kind, q.header, wrong)
		body := fmt.Sprintf(`{"data":{"webhook_action":"login.created","account_id":%q}}`, "of "+q.name)
		if status := h.send(body, q.sent(right, body)...); status != 401 {
			t.Errorf("%s: a request that does not pass is answered %d", q.name, status)
		}
		refused := value[string](s, "select uid::text from deliveries where verdict = 'refused' order by id desc limit 1")
		b.open("/deliveries/" + refused)
		if said := strings.ToLower(b.text("main")); !strings.Contains(said, strings.ToLower(q.why)) || b.count(`[data-check][data-result="fail"]`) != 1 {
			t.Errorf("%s: the page does not say why: %.300s", q.name, said)
		}
		h.secret(q.kind, q.header, right)
		b.leads(click(`form[action="` + h.path + `/verify"] button`))
		s.until("verdict = 'unmatched' from deliveries where uid = $1", refused)
		b.open("/deliveries/" + refused)
		if n := b.count(`[data-check][data-result="fail"]`); n != 0 {
			t.Errorf("%s: mended, and %d checks fail", q.name, n)
		}
	}
	// The token endpoint: a client made here, asked as the vendor asks.
	h := b.subscribe("Emisor", "#token")
	client, secret := h.secret("client", "", "")
	body := `{"data":{"webhook_action":"login.created","account_id":"of a token"}}`
	if status := h.send(body, "Authorization", "Bearer of nobody"); status != 401 {
		t.Errorf("a token of nobody's is answered %d", status)
	}
	res, err := http.PostForm(p.url+"/oauth/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err := json.Unmarshal(text, &answer); err != nil || h.send(body, "Authorization", "Bearer "+answer.AccessToken) != 200 {
		t.Errorf("the token that was issued does not pass: %v", err)
	}
}

// TestSubscriptionStory is one subscription's life by form: made, its secret shown once, its events edited, rotated, tried,
// found to differ at the vendor, mended, and deleted.
func TestSubscriptionStory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := admin(t, p)
	h := b.subscribe("Historia", `input[name="signature"][value="required"]`)
	_, first := h.secret("signature", "", "")
	b.leads(click(`input[name="events"][value="login.error"]`), click(`form[action="`+h.path+`"] .form__acts .btn--primary`))
	if n := b.count(`input[name="events"]:checked`); n != 3 {
		t.Errorf("%d events ticked after one was taken out", n)
	}
	_, second := h.secret("signature", "", "")
	if first == second || b.count(`[data-secrets="signature"] tbody tr`) < 2 {
		t.Error("a rotation does not keep the secret before beside the new one")
	}
	b.leads(click(`form[action="` + h.path + `/test"] button`))
	b.says(".flash", "llegó y pasó")
	s.until("exists (select 1 from deliveries where cause = 'test')")

	// Somebody removes it at the vendor: the comparison says so, and its button makes it again.
	id := value[string](s, "select vendor_id from subscriptions where name = 'Historia'")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, "http://"+s.sandbox+"/v1/webhooks/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-api-key", p.sandboxKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode >= 300 {
		t.Fatal(err, res.StatusCode)
	}
	_ = res.Body.Close()
	b.open("/subscriptions")
	b.leads(click("#differences .panel__acts a"))
	b.leads(click(`[data-difference="missing_there"] button`))
	b.leads(chromedp.Navigate(p.url + "/subscriptions?compare=on"))
	if n := b.count(`[data-difference="missing_there"]`); n != 0 {
		t.Error("mended, and still missing at the vendor")
	}
	b.open(h.path)
	b.leads(click("#delete-confirm"), click(`form[action="`+h.path+`/delete"] .btn--danger`))
	if at := b.path(); at != "/subscriptions" || strings.Contains(b.text("tbody"), "Historia") {
		t.Errorf("deleted, at %s", at)
	}
	if status := h.send("{}"); status != 404 {
		t.Errorf("its address answers %d", status)
	}
}

// TestLedgerComesLive watches the list of deliveries: new ones on top, nothing moved while it is paused or being read.
func TestLedgerComesLive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.serve()
	b := admin(t, p)
	h := b.subscribe("Libro")
	sent := 0
	send := func() string {
		t.Helper()
		sent++
		if status := h.send(fmt.Sprintf(`{"n":%d}`, sent)); status != 200 {
			t.Fatalf("answered %d", status)
		}
		return "#delivery-" + value[string](s, "select uid::text from deliveries order by id desc limit 1")
	}
	for range 3 {
		send()
	}
	s.until("count(*) = 3 from deliveries where processed_at is not null")
	b.open("/deliveries")
	b.until(opened)
	ask[any](b, "window.sameDocument = true, null")
	rows := func() int { return b.count("[data-tail] tbody tr") }

	row := send()
	b.until(fmt.Sprintf(`document.querySelector('%s[data-verdict="ignored"]')`, row)) // there, and as it is once it is processed
	if first := ask[string](b, `"#" + document.querySelector("[data-tail] tbody tr").id`); first != row || rows() != 4 {
		t.Errorf("%d rows, %s on top", rows(), first)
	}
	b.do(click("[data-live-pause]"))
	b.until(`document.querySelector(".live--paused")`)
	send()
	send()
	b.until(`!document.querySelector("[data-tail-new]").hidden && document.querySelector("[data-tail-new]").textContent.startsWith("2 nuevas")`)
	if rows() != 4 {
		t.Errorf("paused, and %d rows", rows())
	}
	b.do(click("[data-tail-new]"))
	b.until(`document.querySelector("[data-tail-new]").hidden`)
	if rows() != 6 {
		t.Errorf("shown, and %d rows", rows())
	}
	send()
	b.until(`document.querySelector("[data-tail-new]").textContent.startsWith("1 nueva")`)
	b.do(click("[data-live-pause]")) // goes on: the stream begins again and brings what was missed
	b.until(`!document.querySelector(".live--paused")`)
	b.do(click("[data-tail-new]"))
	b.until(`document.querySelectorAll("[data-tail] tbody tr").length == 7`)

	// Scrolled down, what is read stays where it is.
	b.size(1440, 300)
	ask[any](b, `scrollTo(0, document.body.scrollHeight), null`)
	b.until(`document.querySelector("[data-tail]").getBoundingClientRect().top < 0`)
	still := b.steady("[data-tail] tbody tr:last-child")
	send()
	b.until(`!document.querySelector("[data-tail-new]").hidden`)
	still("a delivery that came while scrolled")
	if !ask[bool](b, "window.sameDocument === true") {
		t.Error("the list was loaded again")
	}
	// A filter is respected.
	b.size(1440, 900)
	b.open("/deliveries?status=405")
	b.until(opened)
	send()
	if res, err := http.Get(h.address); err != nil || res.Body.Close() != nil || res.StatusCode != 405 {
		t.Fatal(err)
	}
	b.until(`!document.querySelector("[data-tail-new]").hidden`)
	b.says("[data-tail-new]", "1 nueva")
}
