package handlers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// tail opens the stream that a list of deliveries opens by itself.
func (b *browser) tail(list string) *stream {
	b.t.Helper()
	address := b.get(list).want(http.StatusOK).doc().Find("[hx-sse\\:connect]").AttrOr("hx-sse:connect", "")
	path, query, found := strings.Cut(address, "?")
	if !found || path != "/deliveries/live" {
		b.t.Fatalf("%s follows %q", list, address)
	}
	return b.watchAt(path, query)
}

// New deliveries come to every open list whose filter lets them through, and to no other.
func TestDeliveriesComeLive(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.work()
	b := c.as(auth.Analyst)
	c.deliver(`not JSON`).want(http.StatusOK)
	c.await(`select count(*) = 1 from deliveries where verdict = 'ignored'`)
	shown := c.last("uid")
	all, refused, text := b.tail("/deliveries"), b.tail("/deliveries?status=405"), b.tail(b.sift("text=needle&from="+today(-1)+"&to="+today(1)))
	all.until("event: delivery", `data-delivery="`+shown+`"`) // a stream begins with what is on the page

	c.stranger().get("/hooks/" + c.token).want(http.StatusMethodNotAllowed)
	method := c.last("uid")
	c.deliver(`{"needle":1}`).want(http.StatusOK)
	c.await(`select count(*) = 2 from deliveries where verdict = 'ignored'`)
	needle := c.last("uid")
	all.until(`data-delivery="`+method+`"`, `data-verdict="refused"`)
	all.until(`data-delivery="`+needle+`"`, `data-verdict="ignored"`) // and again once it is processed
	for what, before := range map[string][]string{"refused": refused.until(`data-delivery="` + method + `"`), "a text": text.until(`data-delivery="` + needle + `"`)} {
		for _, event := range before {
			if strings.Contains(event, "data-delivery") {
				t.Errorf("the list of %s was told of %s", what, event)
			}
		}
	}
	// A row that changes is told of although it does not match any more: it is still being read.
	c.exec(`update deliveries set received_at = received_at - interval '1 day'`)
	waiting := b.tail("/deliveries?verdict=refused")
	waiting.until(`data-delivery="` + method + `"`)

	// What came between the page and its stream is sent when the stream opens.
	address := b.get("/deliveries").doc().Find("[hx-sse\\:connect]").AttrOr("hx-sse:connect", "")
	c.stranger().get("/hooks/" + c.token)
	late := c.last("uid")
	_, query, _ := strings.Cut(address, "?")
	b.watchAt("/deliveries/live", query).until(`data-delivery="` + late + `"`)
}

// mexico is where users are, unless they say otherwise: in the evening there it is tomorrow in UTC.
var mexico = func() *time.Location {
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		panic(err)
	}
	return zone
}()

func today(days int) string { return time.Now().In(mexico).AddDate(0, 0, days).Format(time.DateOnly) }

// A list follows its own environment, for those who may read deliveries.
func TestDeliveriesLiveLimits(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	test := c.token
	c.connect(lookup.Production, "https://api.example/v1", "private_live_key_0123456789", "")
	b := c.as(auth.Analyst)
	s := b.tail("/deliveries")
	c.stranger().get("/hooks/" + c.token) // the one of production
	live := c.last("uid")
	c.stranger().get("/hooks/" + test)
	for _, event := range s.until(`data-delivery="` + c.last("uid") + `"`) {
		if strings.Contains(event, live) {
			t.Error("a stream crossed the environments")
		}
	}
	s.close()
	<-s.ended
	c.stranger().get("/deliveries/live").want(http.StatusUnauthorized)
	c.as(auth.Auditor).get("/deliveries").want(http.StatusOK)
	b.get("/deliveries/live?text=x").want(http.StatusNotFound)
	if n := b.get("/deliveries?text=x").want(http.StatusOK).doc().Find("[hx-sse\\:connect]").Length(); n != 0 {
		t.Error("a list that leaves a filter out follows something")
	}
}

// The filters that narrow by lookup, dialect and how processing stands, alone and together.
func TestDeliveryFiltersCombine(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	c.silence()
	boss := c.as(auth.Administrator)
	id, attempt := c.request(alejandro)
	body := c.success(attempt)
	c.deliver(body).want(http.StatusOK)
	c.await(`select status = 'success' from lookups where uid = $1`, id)
	c.deliver(body).want(http.StatusOK) // a copy belongs to the same lookup
	c.deliver(`not JSON`).want(http.StatusOK)
	c.stranger().get("/hooks/" + c.token).want(http.StatusMethodNotAllowed)
	c.await(`select count(*) = 0 from deliveries where processed_at is null and verdict <> 'refused'`)
	c.exec(`update deliveries set processed_at = null, last_error = 'timeout' where cause = 'unreadable'`)
	for query, want := range map[string]int{
		"lookup=" + id.String(): 2, "lookup=" + url.QueryEscape(c.site.URL+"/lookups/"+id.String()): 2, "lookup=" + uuid.NewString(): 0,
		"lookup=" + id.String() + "&verdict=duplicate": 1, "dialect=palenca": 4, "dialect=buro": 0, "dialect=other": 4,
		"status=405": 1, "status=401": 0, "status=200": 3, "status=failing": 1, "status=waiting": 1, "status=processed": 2, "status=never": 4,
		"status=200&dialect=palenca&lookup=" + id.String() + "&action=login.success&verdict=accepted": 1,
	} {
		r := boss.get("/deliveries?"+query).want(http.StatusOK).count("#filter-errors", 0)
		if n := r.doc().Find("[data-delivery]").Length(); n != want {
			t.Errorf("?%s shows %d rows, want %d", query, n, want)
		}
	}
	r := boss.get("/deliveries?lookup="+id.String()+"&status=405&dialect=buro").want(http.StatusOK).count(".chip", 3)
	r.count(`select[name="status"] option[selected][value="405"]`, 1).count(`select[name="dialect"] option[selected][value="buro"]`, 1)
	if got := boss.get("/deliveries?lookup=nothing").want(http.StatusOK).doc().Find("#filter-errors p").Length(); got != 1 {
		t.Errorf("%d notes on a lookup that is none", got)
	}
}

// Each filter means the same to the query and in memory, where what comes live is judged.
func TestFiltersMeanTheSame(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	c.silence()
	id, attempt := c.request(alejandro)
	c.deliver(c.success(attempt)).want(http.StatusOK)
	c.await(`select status = 'success' from lookups where uid = $1`, id)
	c.deliver(c.success(attempt) + " ")
	c.deliver(`not JSON`)
	c.deliver(`{"data":{"account_id":"nobody0","webhook_action":"login.error"}}`)
	c.stranger().get("/hooks/" + c.token)
	c.await(`select count(*) = 0 from deliveries where processed_at is null and verdict <> 'refused'`)
	c.exec(`update deliveries set processed_at = null, last_error = 'timeout' where cause = 'unreadable'`)
	c.exec(`update deliveries set processed_at = null, received_at = received_at - interval '3 days' where verdict = 'unmatched'`)
	now := time.Now().UTC()
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	hook := one[uuid.UUID](c, `select uid from subscriptions limit 1`)
	account := one[string](c, `select account_id from attempts limit 1`)
	filters := []webhook.Filter{{}, {Dialect: lookup.Palenca}, {Dialect: lookup.Buro}, {Hook: hook}, {Hook: uuid.New()}, {Verdict: webhook.Refused}, {Verdict: webhook.Duplicate},
		{Cause: webhook.CauseUnreadable}, {Action: "login.success"}, {Account: account}, {Account: "nobody0"}, {Lookup: id}, {Lookup: uuid.New()},
		{State: webhook.StateWaiting}, {State: webhook.StateFailing}, {State: webhook.StateProcessed}, {Answered: 200}, {Answered: 405},
		{From: day}, {To: day.AddDate(0, 0, -1)}, {From: day.AddDate(0, 0, -4), To: day}, {Text: "nobody"}, {Text: "login", From: day, To: day}}
	zone := time.FixedZone("", -6*3600)
	ids := one[[]int64](c, `select array_agg(id) from deliveries`)
	all, err := c.DeliveryChanges(t.Context(), ids)
	c.must(err)
	for _, f := range filters {
		list, _, _, err := c.Deliveries(t.Context(), lookup.Sandbox, f, lookup.Page{Limit: 100}, zone)
		c.must(err)
		listed := map[uuid.UUID]bool{}
		for _, d := range list {
			listed[d.UID] = true
		}
		for _, d := range all {
			if f.Match(d, zone) != listed[d.UID] {
				t.Errorf("%+v: %s %s %s is listed: %v", f, d.Verdict, d.Cause, d.Action, listed[d.UID])
			}
		}
	}
}

// Where the hooks have a listener of their own, nothing of the console answers there.
func TestHooksListenAlone(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	alone := httptest.NewServer(c.HooksHandler())
	t.Cleanup(alone.Close)
	ask := func(method, path, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, alone.URL+path, strings.NewReader(body))
		c.must(err)
		res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
		c.must(err)
		c.must(res.Body.Close())
		return res.StatusCode
	}
	for request, want := range map[string]int{
		"POST /hooks/" + c.token: 200, "GET /hooks/" + c.token: 405, "POST /hooks/unknown": 404, "POST /oauth/token": 400, "GET /healthz": 200,
		"GET /": 404, "GET /login": 404, "POST /login": 404, "GET /lookups": 404, "GET /lookups/live": 404, "GET /deliveries": 404, "GET /subscriptions": 404,
		"GET /settings": 404, "GET /readyz": 404, "GET /metrics": 404, "GET /assets/app.css": 404, "GET /favicon.ico": 404, "GET /hooks/": 404,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := ask(method, path, fmt.Sprintf(`{"of":%q}`, request)); got != want {
			t.Errorf("%s answers %d, want %d", request, got, want)
		}
	}
}
