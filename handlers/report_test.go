package handlers_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/ledongthuc/pdf"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

func TestReport(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	b := c.as(auth.Analyst)
	path := "/lookups/" + uid.String() + "/report.pdf"
	r := b.get(path).want(http.StatusOK)
	if got := r.header.Get("Content-Type"); got != "application/pdf" || r.header.Get("Cache-Control") != "no-store" || r.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("type %q, %q", got, r.header.Get("Cache-Control"))
	}
	name := r.header.Get("Content-Disposition")
	if !regexp.MustCompile(`^attachment; filename="report-[a-z0-9-]+T[0-9]+Z-[a-z0-9-]+\.pdf"$`).MatchString(name) || strings.Contains(strings.ToUpper(name), alejandro[:10]) {
		t.Errorf("disposition %q", name)
	}
	file, err := pdf.NewReader(bytes.NewReader([]byte(r.body)), int64(len(r.body)))
	c.must(err)
	var text strings.Builder
	for i := range file.NumPage() {
		page, err := file.Page(i + 1).GetPlainText(nil)
		c.must(err)
		text.WriteString(page)
	}
	solid := strings.Join(strings.Fields(text.String()), "")
	for _, want := range []string{alejandro, one[string](c, `select nss from people`), one[string](c, `select encode(sha256, 'hex') from pulls where kind = 'employment'`),
		one[string](c, `select d.uid::text from pulls p join events e on e.id = p.event_id join deliveries d on d.id = e.delivery_id where p.kind = 'employment'`),
		one[string](c, `select uid::text from pulls where kind = 'profile'`),
		one[string](c, `select replace(employer, ' ', '') from employment_records order by position limit 1`)} {
		if !strings.Contains(solid, want) {
			t.Errorf("%q is not in the report", want)
		}
	}
	// The trail has it, with the reference that each page shows.
	reference := one[string](c, `select subject from audit_entries where action = $1 and actor_id = $2`, audit.ReportTaken, b.user.ID)
	if _, err := uuid.Parse(reference); err != nil || !strings.Contains(solid, reference) {
		t.Errorf("the trail has %q", reference)
	}
	// The receipt is of these very bytes, and of the report that its pages name.
	sum := sha256.Sum256([]byte(r.body))
	if got := one[string](c, `select encode(sha256, 'hex') from receipts where kind = 'report' and uid = $1 and people = 1 and reason = ''`, reference); got != hex.EncodeToString(sum[:]) {
		t.Errorf("the receipt is of %s", got)
	}
	b.get("/exports/" + reference).want(http.StatusOK).has(hex.EncodeToString(sum[:]))

	// With a reason, which stays in the receipt; one that names somebody comes back with what was typed.
	b.post(path, url.Values{"reason": {"Expediente 118"}, "as_of": {"2024-05-01"}}).want(http.StatusOK).has("%PDF")
	if n := one[int](c, `select count(*) from receipts where reason = 'Expediente 118'`); n != 1 {
		t.Errorf("%d receipts with the reason", n)
	}
	if got := b.post(path, url.Values{"reason": {"por " + alejandro}}).want(http.StatusUnprocessableEntity).count("#report-form .error-list, #report-form [role=alert]", 1).attr("#why", "value"); got != "por "+alejandro {
		t.Errorf("the form came back with %q", got)
	}
	b.post(path, url.Values{"as_of": {"never"}}).want(http.StatusBadRequest)
	b.get("/lookups/"+uid.String()).count("#case-pdf", 1).count("#case-print", 1)
	auditor := c.as(auth.Auditor)
	auditor.get("/lookups/"+uid.String()).count("#case-pdf", 0)

	b.get(path + "?as_of=2020-05-01").want(http.StatusOK)
	b.get(path + "?as_of=tomorrow").want(http.StatusBadRequest)
	b.get("/lookups/" + uuid.NewString() + "/report.pdf").want(http.StatusNotFound)
	auditor.get(path).want(http.StatusForbidden).lacks("%PDF")

	// What cannot be written to the trail does not leave.
	c.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	c.exec(`create trigger refuse before insert on audit_entries for each row execute function refuse()`)
	b.get(path).want(http.StatusInternalServerError).lacks("%PDF")
}
