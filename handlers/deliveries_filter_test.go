package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// sift fills the ledger's filter in and gives the address of the list under it, in which nothing that was looked for stands.
func (b *browser) sift(query string) (path string) {
	b.t.Helper()
	form, err := url.ParseQuery(query)
	if err != nil {
		b.t.Fatal(err)
	}
	path = b.post("/deliveries", form).want(http.StatusSeeOther).header.Get("Location")
	if text := form.Get("text"); text != "" && (strings.Contains(path, url.QueryEscape(text)) || !strings.Contains(path, "search=")) {
		b.t.Errorf("%q leads to %s", query, path)
	}
	return path
}

// fields are those of a form as it stands.
func (r *reply) fields(form string) url.Values {
	r.t.Helper()
	v := url.Values{}
	r.doc().Find(form).First().Find("input[name]").Each(func(_ int, s *goquery.Selection) { v.Add(s.AttrOr("name", ""), s.AttrOr("value", "")) })
	if len(v) == 0 {
		r.t.Errorf("no fields in %s", form)
	}
	return v
}

// What is looked for in bodies stands in no address: not of the list, its pages, its stream, nor where its filter is carried on.
func TestLedgerTextInNoAddress(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Supervisor)
	const name = "García Tello"
	c.deliver(`{"person":"` + name + `"}`).want(http.StatusOK)
	c.exec(`insert into deliveries (environment, subscription_id, connection_id, received_at, method, headers, body, body_size, body_sha256, verdict, cause, answered)
		select environment, subscription_id, connection_id, received_at - g * interval '1 second', method, headers, body, body_size, sha256(g::text::bytea), verdict, cause, answered
		  from deliveries, generate_series(1, 59) g`)
	c.deliver(`{"person":"nobody"}`).want(http.StatusOK)
	days := "&from=" + today(-1) + "&to=" + today(1)
	path := b.sift("status=200&text=" + url.QueryEscape(name) + days)
	if !strings.Contains(path, "status=200") || one[string](c, `select sealed::text from searches`) == "" || one[int](c, `select count(*) from searches where position('Garc'::bytea in sealed) > 0`) != 0 {
		t.Errorf("%s, or what was typed is not sealed", path)
	}
	list := b.get(path).want(http.StatusOK).count("[data-delivery]", 50).count(".chip", 3).has(name)
	if got := list.attr("#f-text", "value"); got != name {
		t.Errorf("the filter shows %q", got)
	}
	list.doc().Find("[href], [action], [hx-sse\\:connect]").Each(func(_ int, s *goquery.Selection) {
		for _, a := range []string{"href", "action", "hx-sse:connect"} {
			if address, _ := url.QueryUnescape(s.AttrOr(a, "")); strings.Contains(address, "García") {
				t.Errorf("an address has what was looked for: %s", address)
			}
		}
	})
	b.get(list.attr(".pager [rel=next]", "href")).want(http.StatusOK).count("[data-delivery]", 10).has(name)
	// What is filled in again on the page keeps the text, and its chip takes it off.
	again := b.sift(list.fields("form.filters").Encode() + "&verdict=ignored")
	b.get(again).want(http.StatusOK).has(name)
	b.get(list.attr(`.chips .chip:nth-last-of-type(2)`, "href")).want(http.StatusOK).count(".chip", 2).lacks(name)

	// Carried on to an export, and of its receipt only that there was a text.
	searched := c.trail(audit.Searched, b.user)
	form := b.get(list.attr("#export-these", "href")).want(http.StatusOK).count(`#export-count[data-items="60"]`, 1).has(name)
	if n := c.trail(audit.Searched, b.user); n != searched+1 {
		t.Errorf("counting left %d entries", n-searched)
	}
	file := b.post("/exports", exporting("deliveries", form.fields("#export-form").Get("filter")))
	id := file.file()
	if rows := strings.Count(file.body, "\r\n"); rows != 61 {
		t.Errorf("%d lines in the file", rows)
	}
	if words := one[string](c, `select words::text from receipts where uid = $1`, id); strings.Contains(words, "Garc") || strings.Contains(words, "search") || !strings.Contains(words, `"text": "…"`) {
		t.Errorf("the receipt keeps %s", words)
	}
	b.get("/exports/" + id).want(http.StatusOK).has("…").lacks(name)
	if got := one[string](c, `select kind from receipts where uid = $1`, id); got != string(receipt.Deliveries) {
		t.Error(got)
	}

	// Also an identifier may be looked for: it is in no address.
	b.get(b.sift("text="+alejandro+days)).want(http.StatusOK).count("#filter-errors", 0).count("[data-delivery]", 0)

	// Nobody else's, not in the other environment, not for ever: said, and nothing is narrowed by it.
	_, query, _ := strings.Cut(path, "?")
	other := c.as(auth.Analyst)
	gone := func(who *browser, what string) {
		t.Helper()
		who.get(path).want(http.StatusOK).lacks(name).has(spanish.T("deliveries.filter.text_gone")).count("#filter-errors p", 1).count("#export-these, [hx-sse\\:connect]", 0)
		who.get("/deliveries/live?" + query).want(http.StatusNotFound)
		who.get("/exports/new?of=deliveries&" + query).want(http.StatusUnprocessableEntity).lacks(name)
		if r := who.post("/exports", exporting("deliveries", query)); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: exported with status %d", what, r.status)
		}
	}
	gone(other, "another's")
	b.get("/replays/new?" + query).want(http.StatusOK).has(name)
	c.exec(`update searches set environment = 'production'`)
	gone(b, "another environment's")
	c.exec(`update searches set environment = 'sandbox', expires_at = now()`)
	gone(b, "one that is over")
	b.get("/replays/new?" + query).want(http.StatusUnprocessableEntity).has(spanish.T("deliveries.filter.text_gone"))
	b.get("/deliveries?search=x").want(http.StatusOK).has(spanish.T("deliveries.filter.text_gone"))
	if kept, err := c.KeptSearch(t.Context(), lookup.Sandbox, uuid.New(), b.user.ID); err == nil {
		t.Errorf("found %q", kept)
	}

	// A text in an address of old narrows nothing and goes from the page's own address.
	b.get("/deliveries?text="+url.QueryEscape(name)+days).want(http.StatusOK).count("#filter-errors p", 1).lacks("Tello")
	if strings.Contains(c.log.String(), "Tello") {
		t.Error("a name is in the log")
	}
}

// A stream of bodies leaves a trace where no page did.
func TestFollowedBodiesAreOnTheTrail(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	path := b.sift("text=needle&from=" + today(-1) + "&to=" + today(1))
	_, query, _ := strings.Cut(path, "?")
	c.deliver(`{"needle":1}`).want(http.StatusOK)
	for range 2 {
		s := b.watchAt("/deliveries/live", query+"&ids="+c.last("uid"))
		s.until(c.last("uid"))
		s.close()
		<-s.ended
	}
	if n := c.trail(audit.Searched, b.user); n != 1 {
		t.Errorf("%d searches on the trail, want 1", n)
	}
}

// An id is no RFC, though a part of it may look like one.
func TestIDsAreNotPersonal(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	const like, plain = "0c9b1f6e-1111-4222-8333-abc92571101a", "11111111-1111-4222-8333-111111111111"
	s := b.watchAt("/deliveries/live", "ids="+plain+","+like+"&verdict=unmatched&since=AAZg-abc92571101a-AAAA")
	s.close()
	b.get("/deliveries?subscription="+like+"&after=AAZg-abc92571101a-AAAA").want(http.StatusOK).count("#filter-errors", 0)
	for _, text := range []string{"abc92571101a,abc92571101a", plain + ",abc92571101a", alejandro} {
		b.get("/deliveries?account="+text).want(http.StatusOK).count("#filter-errors p", 1).lacks(text)
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z-]+$`)

// What is no id of a vendor's may be a name or a person's number in another spelling: it gets into no address.
func TestNamesInNoFilter(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Supervisor)
	for _, account := range []string{"0c9b1f6e-1111-4222-8333-abc92571101a", "acc_1.2:*", "12345678901234"} {
		b.post("/deliveries", url.Values{"account": {account}, "action": {"login.success"}}).to("/deliveries?account=" + url.QueryEscape(account) + "&action=login.success")
	}
	for typed, kept := range map[string]bool{"Alejandro García": true, "García": true, "Tello": true, "tello-garcia": true, "a/b": true, strings.Repeat("x", 81): true,
		"GATA-000408-HTLRLLA7": false, "GATA 000408 HTLRLLA7": false, "0218-92-1687-8": false, "NSS02189216878": false} {
		for _, field := range []string{"account", "action"} {
			if field == "action" && plainWord.MatchString(typed) { // chosen there from a list; one that is not on it has this form
				continue
			}
			r := b.post("/deliveries", url.Values{field: {typed}, "verdict": {"unmatched"}}).want(http.StatusUnprocessableEntity).count("#filter-errors p", 1)
			if field == "account" {
				r.count("#f-account[aria-invalid]", 1)
				if got := r.attr("#f-account", "value"); kept && got != typed || !kept && got != "" {
					t.Errorf("%q comes back as %q", typed, got)
				}
			}
			for _, page := range []*reply{r, b.get("/deliveries?"+url.Values{field: {typed}}.Encode()).want(http.StatusOK).count("#filter-errors p", 1)} {
				page.doc().Find("[href], [action], [name=back]").Each(func(_ int, s *goquery.Selection) {
					for _, a := range []string{"href", "action", "value"} {
						if address, _ := url.QueryUnescape(s.AttrOr(a, "")); strings.Contains(address, typed) {
							t.Errorf("%s=%s is in an address: %s", field, typed, address)
						}
					}
				})
			}
			b.get("/exports/new?of=deliveries&"+url.Values{field: {typed}}.Encode()).want(http.StatusUnprocessableEntity).lacks(typed).count("#export-form", 0)
			b.get("/replays/new?" + url.Values{field: {typed}}.Encode()).want(http.StatusUnprocessableEntity).lacks(typed)
		}
	}
}
