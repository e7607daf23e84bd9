package handlers_test

import (
	"bytes"
	"encoding/csv"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/auth"
	"cotejo/internal/bulk"
)

// upload posts the form for a file; name "" stands for pasted text.
func (b *browser) upload(name, file, platform string) *reply {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	field, text := "", file
	if name != "" {
		field, text = file, ""
	}
	for _, err := range []error{form.WriteField("platform", platform), form.WriteField("text", text)} {
		if err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := part.Write([]byte(field)); err != nil {
		b.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.do(http.MethodPost, "/bulk", &body, "Content-Type", form.FormDataContentType())
}

// draft uploads a file and gives the address of its page.
func (b *browser) draft(file string) string {
	b.t.Helper()
	at := b.upload("cartera.csv", file, "imss").want(http.StatusSeeOther).header.Get("Location")
	if !strings.HasPrefix(at, "/bulk/") {
		b.t.Fatalf("leads to %q", at)
	}
	return at
}

// consents is the form that sends the draft of a page.
func (b *browser) consents(at string, pairs ...string) url.Values {
	b.t.Helper()
	judged, _ := b.get(at).doc().Find("[name=judged]").Attr("value")
	v := url.Values{"judged": {judged}, "consent": {"on"}, "means": {"paper"}, "given_on": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

const portfolio = "CURP;Folio\n" + alejandro + ";=1+1\n" + eduardo + ";F-2\nnadie;F-3\n" + alejandro + ";F-4\n"

func TestBulk(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	b.get("/bulk").want(http.StatusOK).count("#bulk-upload", 1).count("[data-bulk]", 0)
	at := b.draft(portfolio)
	page := b.get(at).want(http.StatusOK).count(`#bulk[data-state=draft][data-send="2"]`, 1).count("tr[data-row]", 4).
		count(`tr[data-verdict=send]`, 2).count(`tr[data-verdict=invalid]`, 1).count(`tr[data-verdict=duplicate]`, 1).lacks(alejandro, eduardo)
	if got, _ := page.doc().Find("#reference option[selected]").Attr("value"); got != "1" {
		t.Errorf("the reference is read from column %q", got)
	}
	b.get(at+"?verdict=invalid").count("tr[data-row]", 1)
	page.count("#bulk-cost, #bulk-no-price", 0)
	c.as(auth.Administrator).get(at).count("#bulk-no-price", 1)
	c.exec(`update connections set price = '12.5', priced_at = now()`)
	b.get(at).count("#bulk-cost", 1).has("2 × $12.50 MXN = $25.00 MXN")
	// The columns can be corrected.
	b.post(at+"/read", url.Values{"header": {"on"}, "identifier": {"1"}, "reference": {"-1"}, "platform": {"imss"}}).to(at)
	b.get(at).count(`tr[data-verdict=invalid]`, 4).count("#bulk-consent", 0)
	b.post(at+"/read", url.Values{"header": {"on"}, "identifier": {"7"}, "reference": {"-1"}, "platform": {"imss"}}).want(http.StatusUnprocessableEntity)
	b.post(at+"/read", url.Values{"header": {"on"}, "identifier": {"0"}, "reference": {"1"}, "platform": {"imss"}}).to(at)

	for name, tt := range map[string]struct{ field, value, wrong string }{
		"no consent":   {"consent", "", "consent"},
		"no date":      {"given_on", "", "given_on"},
		"tomorrow":     {"given_on", time.Now().AddDate(0, 0, 2).Format(time.DateOnly), "given_on"},
		"long ago":     {"given_on", time.Now().AddDate(-2, 0, 0).Format(time.DateOnly), "given_on"},
		"unknown mean": {"means", "telepathy", "means"},
	} {
		if b.post(at+"/send", b.consents(at, tt.field, tt.value)).want(http.StatusUnprocessableEntity).doc().Find("#"+tt.wrong+"-error").Length() != 1 {
			t.Errorf("%s: no reason at %s", name, tt.wrong)
		}
	}
	if n := one[int](c, `select count(*) from lookups`) + one[int](c, `select count(*) from river_job where kind = 'run_bulk'`); n != 0 {
		t.Fatal("a draft was sent")
	}
	stale := b.consents(at, "judged", "1")
	b.post(at+"/send", stale).to(at)
	b.get(at).count("#bulk[data-state=draft]", 1)
	b.post(at+"/send", b.consents(at)).to(at)
	b.get(at).want(http.StatusOK).count("#bulk[data-state=sending]", 1).count(`form[action$="/pause"]`, 1)
	b.post(at+"/pause", nil).to(at)
	b.get(at).count("#bulk[data-state=paused]", 1).count(`form[action$="/resume"]`, 1)
	b.post(at+"/pause", nil).to(at) // somebody was quicker: the page says so
	b.post(at+"/resume", nil).to(at)
	id := one[int64](c, `select id from bulks`)
	if _, err := c.HandOut(t.Context(), id, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.post(at+"/cancel", nil).to(at)
	b.get(at).count("#bulk[data-state=cancelled]", 1).count(`form[action$="/resume"]`, 0)
	b.post(at+"/discard", nil).want(http.StatusConflict)

	b.get(at + "/result.csv").to("/exports/new?of=bulk&bulk=" + strings.TrimPrefix(at, "/bulk/"))
	result := b.post("/exports", url.Values{"of": {"bulk"}, "filter": {"bulk=" + strings.TrimPrefix(at, "/bulk/")}}).want(http.StatusOK)
	if strings.Contains(result.header.Get("Content-Disposition"), "cartera") {
		t.Error("the result is named after the file")
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(result.body, "\xef\xbb\xbf"))).ReadAll()
	c.must(err)
	var got []string
	for _, l := range lines {
		if l[9] != "" && l[9] != "lookup_id" {
			l[9] = "id"
		}
		got = append(got, strings.Join(l[:10], " "))
	}
	want := []string{"row line curp external_id verdict detail same_as_line status status_details lookup_id",
		"1 2 " + alejandro + " '=1+1 send   queued  id", "2 3 " + eduardo + " F-2 cancelled     ", "3 4 NADIE F-3 invalid digit_wanted    ", "4 5 " + alejandro + " F-4 duplicate  2   "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(result.body, "\r\n") || strings.Count(result.body, "\n") != strings.Count(result.body, "\r\n") {
		t.Error("a line end is not CRLF")
	}
	if got := one[string](c, `select string_agg(action, ' ' order by id) from audit_entries where action like 'bulk.%'`); got != "bulk.uploaded bulk.read_again bulk.read_again bulk.sent bulk.paused bulk.resumed bulk.cancelled bulk.exported" {
		t.Errorf("the trail says %q", got)
	}
	for _, curp := range []string{alejandro, eduardo} {
		if strings.Contains(c.log.String(), curp) {
			t.Error("a CURP is in the log")
		}
	}
	// The same file again: what was asked is not asked again, and the page says where it was.
	again := b.upload("", portfolio, "imss").want(http.StatusSeeOther).header.Get("Location")
	b.get(again).count("[data-earlier]", 1).count(`tr[data-verdict=open]`, 1).count(`tr[data-verdict=send]`, 1)
	b.post(again+"/discard", nil).to("/bulk")
	b.get(again).want(http.StatusNotFound)
	b.get("/bulk").count("[data-row][data-bulk]", 1)
}

// A file without names of columns whose first row is badly spelled: that row has its verdict, in the totals and in the result,
// and nothing of it is kept as the name of a column, also when somebody says that it is one.
func TestBulkWithoutHeader(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	const misspelled = "PEPJ8001O1HDFRRN05"
	at := b.upload("", misspelled+";Juan Pérez\n"+alejandro+";Ana\n", "imss").want(http.StatusSeeOther).header.Get("Location")
	b.get(at).want(http.StatusOK).count("tr[data-row]", 2).count("tr[data-verdict=invalid]", 1).count("tr[data-verdict=send]", 1).count("#header[checked]", 0)
	columns := func() string { return one[string](c, `select array_to_string(columns, ' ') from bulks`) }
	if got := columns(); got != "1 2" {
		t.Errorf("columns %q", got)
	}
	b.post(at+"/read", url.Values{"header": {"on"}, "identifier": {"0"}, "reference": {"1"}, "platform": {"imss"}}).to(at)
	if got := columns(); got != "1 2" {
		t.Errorf("columns, said to be names: %q", got)
	}
	b.post(at+"/discard", nil).to("/bulk")

	at = b.upload("", alejandro+";Juan Pérez\n"+misspelled+";Ana\n", "imss").want(http.StatusSeeOther).header.Get("Location")
	b.post(at+"/read", url.Values{"header": {"on"}, "identifier": {"0"}, "reference": {"-1"}, "platform": {"imss"}}).want(http.StatusUnprocessableEntity).
		has(spanish.T("bulk.fault.header", "Line", 1)).count("tr[data-row]", 2)
	draft := exporting("bulk", "bulk="+strings.TrimPrefix(at, "/bulk/"))
	b.post("/exports", draft).want(http.StatusNotFound).lacks(misspelled)
	b.get("/exports/new?of=bulk&bulk=" + strings.TrimPrefix(at, "/bulk/")).want(http.StatusNotFound)
	b.post(at+"/send", b.consents(at)).to(at)
	if got := columns(); got != "" {
		t.Errorf("columns of what was sent: %q", got)
	}
	result := b.post("/exports", draft)
	if !strings.Contains(result.body, misspelled) || strings.Count(result.body, "\r\n") != 3 {
		t.Errorf("the result is %q", result.body)
	}
}

// A file that was read wrongly is put right by the form of its draft: what separates it, and how its letters are spelled.
func TestBulkReadAnotherWay(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	picked := func(at, name string) string {
		value, _ := b.get(at).doc().Find("select[name=" + name + "] option[selected]").Attr("value")
		return value
	}
	with := func(pairs ...string) url.Values {
		v := url.Values{"delimiter": {"comma"}, "encoding": {"windows-1252"}, "header": {"on"}, "identifier": {"0"}, "reference": {"1"}, "platform": {"imss"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	references := func() string {
		return one[string](c, `select string_agg(reference, ' ' order by number) from bulk_rows`)
	}
	// The file says that commas separate it, and they do not.
	at := b.draft("sep=,\nCURP;Cr\xe9dito, n\xfam.\n" + alejandro + ";\xd1and\xfa, 1\n" + eduardo + ";\x80, 2\n")
	b.get(at).count("tr[data-verdict=invalid]", 2).count("#delimiter option", 4).count("#encoding option", 2)
	if d, e := picked(at, "delimiter"), picked(at, "encoding"); d != "comma" || e != "windows-1252" {
		t.Fatalf("preselected: %q, %q", d, e)
	}
	// By another delimiter the columns are others: they are found anew, whatever the form says of the old ones.
	b.post(at+"/read", with("delimiter", "semicolon", "identifier", "1", "reference", "0")).to(at)
	b.get(at).count("tr[data-verdict=send]", 2)
	if d, i := picked(at, "delimiter"), picked(at, "identifier"); d != "semicolon" || i != "0" {
		t.Errorf("read again: %q, column %q", d, i)
	}
	for _, step := range []struct{ encoding, stored, references string }{
		{"utf-8", "utf-8", "\ufffdand\ufffd, 1 \ufffd, 2"}, {"windows-1252", "windows-1252", "Ñandú, 1 €, 2"}, {"", "windows-1252", "Ñandú, 1 €, 2"},
	} {
		b.post(at+"/read", with("delimiter", "semicolon", "encoding", step.encoding)).to(at)
		if got := references(); got != step.references || one[string](c, `select encoding from bulks`) != step.stored || picked(at, "encoding") != step.stored {
			t.Errorf("as %q: %s, %q is chosen", step.encoding, got, picked(at, "encoding"))
		}
	}
	for field, v := range map[string]url.Values{
		"delimiter":  with("delimiter", "moon", "encoding", "utf-8"),
		"encoding":   with("encoding", "ebcdic", "delimiter", "pipe"),
		"identifier": with("delimiter", "semicolon", "identifier", "7"),
		"platform":   with("delimiter", "semicolon", "platform", "moon"),
	} {
		doc := b.post(at+"/read", v).want(http.StatusUnprocessableEntity).doc()
		if doc.Find("#bulk-layout [aria-invalid=true]#"+field+", #bulk-layout fieldset[aria-invalid=true] #"+field).Length() != 1 || doc.Find("#"+field+"-error").Length() != 1 {
			t.Errorf("%s: no reason at the field", field)
		}
		for _, kept := range []string{"delimiter", "encoding"} {
			if got, _ := doc.Find("#" + kept + " option[selected]").Attr("value"); kept != field && got != v.Get(kept) {
				t.Errorf("%s: %s comes back as %q", field, kept, got)
			}
		}
	}
	if got := references(); got != "Ñandú, 1 €, 2" || picked(at, "delimiter") != "semicolon" {
		t.Errorf("what was refused was stored: %s", got)
	}
	// A mark of UTF-8 is the file's own: it stays so when nothing is changed.
	marked := b.draft("\xef\xbb\xbf" + portfolio)
	if got := picked(marked, "encoding"); got != "utf-8" {
		t.Errorf("a file with a mark: %q", got)
	}
	b.post(marked+"/read", with("delimiter", "semicolon", "encoding", "utf-8")).to(marked)
	b.get(marked).has(spanish.T("bulk.encoding.utf_8_bom")).count("tr[data-verdict=send]", 2)
}

func TestBadUploads(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	for name, tt := range map[string]struct{ file, text, platform, says string }{
		"nothing":    {"", "", "imss", "No hay ninguna fila"},
		"workbook":   {"a.xlsx", "PK\x03\x04", "imss", "libro de hoja de cálculo"},
		"no source":  {"a.csv", portfolio, "infonavit", "Elija a qué fuente"},
		"no vendor":  {"a.csv", portfolio, "all", "no hay una conexión"},
		"open quote": {"", "curp,ref\n" + alejandro + ",\"x\n" + eduardo + ",y", "imss", "línea 2"},
		"too large":  {"a.csv", strings.Repeat("x", bulk.MaxBytes+1), "imss", "5 MB"},
	} {
		r := b.upload(tt.file, tt.text, tt.platform).want(http.StatusUnprocessableEntity).has(tt.says)
		if got := r.doc().Find("#text").Text(); tt.file == "" && strings.TrimSpace(got) != strings.TrimSpace(tt.text) {
			t.Errorf("%s: what was pasted is gone: %q", name, got)
		}
	}
	b.post("/bulk", url.Values{"text": {alejandro}}).want(http.StatusBadRequest)
	// A name that a person stands in is not kept.
	for name, want := range map[string]string{alejandro + " GODE561231GR8.csv": "… ….csv", "nss_02189216878.csv": "nss_….csv", "caso 0218-92-1687-8.csv": "caso ….csv",
		"GATA-000408-HTLRLLA7 de noviembre.csv": "… de noviembre.csv"} {
		b.upload(`C:\casos\`+name, portfolio, "imss").want(http.StatusSeeOther)
		if got := one[string](c, `select file_name from bulks order by id desc limit 1`); got != want {
			t.Errorf("the file is called %q, want %q", got, want)
		}
	}
}

// Who may do what: the table of routes holds the roles; here, that a draft is nobody's business in the other environment,
// and that a reader is shown no form.
func TestBulkForReaders(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	at := c.as(auth.Analyst).draft(portfolio)
	reader := c.as(auth.Auditor)
	reader.get("/bulk").want(http.StatusOK).count("#bulk-upload", 0)
	reader.get(at).want(http.StatusOK).count("form[action^='/bulk/']", 0)
	reader.upload("a.csv", portfolio, "imss").want(http.StatusForbidden)
	reader.get(at + "/result.csv").want(http.StatusForbidden)
	c.as(auth.Developer).get(at).want(http.StatusForbidden)
	c.exec(`update console set environment = 'production'`)
	reader.get(at).want(http.StatusNotFound)
}
