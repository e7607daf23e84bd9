package main

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// freeText is what somebody writes into the product and nothing may repeat elsewhere.
const freeText = "Marca libre de la casa"

// workWith does all that is done with a case at a desk, well and badly: it is searched for, noted, tagged, decided on, asked
// about in bulk, and taken out. case and person are their pages.
func workWith(g *guest, at, person, name, nss string) {
	g.t.Helper()
	send := func(want int, path string, pairs ...string) (location string) {
		g.t.Helper()
		form := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		code, body, location := g.post(path, form)
		if code != want {
			g.t.Errorf("POST %s: %d, want %d\n%.300s", path, code, want, body)
		}
		return location
	}
	see := func(path string) (body string) {
		g.t.Helper()
		code, body := g.get(path)
		if code != http.StatusOK {
			g.t.Errorf("%s: %d", path, code)
		}
		return body
	}
	for _, text := range []string{alejandro, alejandro[:10], nss, name, freeText, "%" + alejandro} {
		page := send(http.StatusSeeOther, "/search", "text", text)
		see(page)
		for _, query := range []string{"?as=name", "?as=" + alejandro, "?after=" + alejandro} {
			g.get(page + query)
		}
	}
	send(http.StatusBadRequest, "/search", "text", alejandro+"\x00")
	send(http.StatusUnprocessableEntity, "/search", "text", strings.Repeat(alejandro, 20))
	g.get("/search?text=" + alejandro)

	see(person)
	send(http.StatusOK, person+"/reveal", "field", "curp")
	send(http.StatusBadRequest, person+"/reveal", "field", alejandro)
	g.get(person + "?before=" + alejandro)

	long := strings.Repeat(freeText+" "+alejandro+" ", 200)
	send(http.StatusSeeOther, at+"/notes", "note", freeText+" "+alejandro)
	send(http.StatusUnprocessableEntity, at+"/notes", "note", long)
	send(http.StatusSeeOther, at+"/tags", "tag", freeText)
	send(http.StatusUnprocessableEntity, at+"/tags", "tag", long)
	send(http.StatusNotFound, at+"/tags/remove", "tag", alejandro)
	send(http.StatusSeeOther, at+"/reference", "reference", freeText)
	send(http.StatusUnprocessableEntity, at+"/owner", "owner", alejandro)
	see("/tags")

	page := see(at)
	shown := regexp.MustCompile(`name="shown" value="([^"]*)"`).FindStringSubmatch(page)
	if shown == nil {
		g.t.Fatal("nothing can be decided")
	}
	zone, err := time.LoadLocation("America/Mexico_City") // the user's: in the evening there it is tomorrow in UTC
	if err != nil {
		g.t.Fatal(err)
	}
	today := time.Now().In(zone).Format(time.DateOnly)
	send(http.StatusUnprocessableEntity, at+"/decisions", "reason", freeText+" "+alejandro, "as_of", today, "shown", alejandro)
	send(http.StatusSeeOther, at+"/decisions", "reason", freeText+" "+alejandro, "as_of", "2024-01-31", "shown", shownAsOf(see, at, "2024-01-31"))
	send(http.StatusBadRequest, at+"/decisions", "reason", freeText, "as_of", alejandro, "shown", shown[1])
	see(at + "?as_of=" + alejandro)

	if !strings.HasPrefix(see(at+"/report.pdf"), "%PDF-") {
		g.t.Error("the paper is no PDF")
	}
	send(http.StatusOK, at+"/report.pdf", "reason", freeText)
	send(http.StatusUnprocessableEntity, at+"/report.pdf", "reason", long)
	send(http.StatusOK, "/exports", "of", "lookups", "filter", "status=success", "reason", freeText)
	send(http.StatusOK, "/exports", "of", "lookups", "filter", "status=success", "kind", "records", "reason", freeText)
	send(http.StatusUnprocessableEntity, "/exports", "of", "lookups", "filter", "status=success", "reason", long)
	g.post("/exports", url.Values{"of": {alejandro}, "filter": {alejandro}, "kind": {alejandro}})
	for _, spelled := range append(spellings(nss), name) {
		send(http.StatusUnprocessableEntity, "/deliveries", "account", spelled)
		send(http.StatusUnprocessableEntity, "/deliveries", "action", spelled)
		g.get("/deliveries?" + url.Values{"account": {spelled}}.Encode())
		g.get("/exports/new?" + url.Values{"of": {"deliveries"}, "account": {spelled}}.Encode())
		if spelled != name { // which nothing tells from other words
			send(http.StatusUnprocessableEntity, "/exports", "of", "lookups", "filter", "status=success", "reason", freeText+" "+spelled)
		}
	}
	g.get("/exports/new?of=lookups&curp=" + alejandro + "&text=" + alejandro)
	see("/exports")

	var body bytes.Buffer
	upload := multipart.NewWriter(&body)
	must(g.t, upload.WriteField("platform", "imss"))
	must(g.t, upload.WriteField("text", "CURP,Nombre\n"+alejandro+","+name+"\nLALE870908HDFRPD02,"+name+"\n"+alejandro[:12]+","+freeText+"\n"))
	must(g.t, upload.Close())
	code, _, bulk := g.do(http.MethodPost, "/bulk", upload.FormDataContentType(), body.String())
	if code != http.StatusSeeOther {
		g.t.Fatalf("a bulk: %d", code)
	}
	judged := regexp.MustCompile(`name="judged" value="(\d+)"`).FindStringSubmatch(see(bulk))
	if judged == nil {
		g.t.Fatal("the bulk cannot be sent")
	}
	send(http.StatusUnprocessableEntity, bulk+"/send", "judged", judged[1], "means", freeText)
	send(http.StatusSeeOther, bulk+"/send", "judged", judged[1], "consent", "on", "means", "branch", "given_on", today, "insist", "on")
	g.until(bulk, `data-state="done"`)
	g.get(bulk + "/result.csv")
	send(http.StatusOK, "/exports", "of", "bulk", "filter", "bulk="+strings.TrimPrefix(bulk, "/bulk/"), "reason", freeText)
	g.do(http.MethodPost, "/bulk", "text/csv", alejandro)
}

// spellings are others of a CURP and an NSS, which the product takes where it asks for one.
func spellings(nss string) []string {
	grouped := nss[:4] + "-" + nss[4:6] + "-" + nss[6:10] + "-" + nss[10:]
	return []string{alejandro[:4] + "-" + alejandro[4:10] + "-" + alejandro[10:], alejandro[:4] + " " + alejandro[4:10] + " " + alejandro[10:], grouped, "NSS" + nss}
}

// shownAsOf is the hash of what a case shows as of a day.
func shownAsOf(see func(path string) string, at, day string) string {
	if m := regexp.MustCompile(`name="shown" value="([^"]*)"`).FindStringSubmatch(see(at + "?as_of=" + day)); m != nil {
		return m[1]
	}
	return ""
}
