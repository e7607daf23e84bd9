package handlers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/uuid"

	"cotejo/internal/audit"
	"cotejo/internal/auth"
)

// Every fact on a lookup's page that leads somewhere leads to the value itself, in the answer that it was read from.
func TestFactsLeadToTheirPlace(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	b := c.as(auth.Analyst)
	followed := 0
	page := b.get("/lookups/" + uid.String()).want(http.StatusOK)
	page.doc().Find("a.fact").Each(func(_ int, link *goquery.Selection) {
		path, anchor, _ := strings.Cut(link.AttrOr("href", ""), "#")
		at := strings.TrimPrefix(anchor, "at-")
		if !strings.HasSuffix(path, "?at="+at) {
			t.Fatalf("the link is %q", link.AttrOr("href", ""))
		}
		if followed++; followed > 24 {
			return // each is a page; these are of every kind
		}
		r := b.get(path).want(http.StatusOK).lacks(alejandro)
		line := r.doc().Find("#" + anchor)
		if line.Length() != 1 || !line.HasClass("raw__line--fact") {
			t.Errorf("%s leads to %d lines", path, line.Length())
		}
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '.' {
				return r
			}
			return -1
		}, link.Text())
		if strings.HasSuffix(at, "salary") || strings.HasSuffix(at, "weeks") {
			if !strings.Contains(line.Text(), digits) {
				t.Errorf("%q leads to %q", link.Text(), line.Text())
			}
		}
	})
	if followed < 10 {
		t.Errorf("%d facts lead somewhere", followed)
	}
}

func TestPull(t *testing.T) {
	t.Parallel()
	c, uid := finished(t)
	nss := one[string](c, `select nss from people`)
	pull := func(kind string) string {
		return "/pulls/" + one[string](c, `select p.uid::text from pulls p join lookups l on l.id = p.lookup_id where l.uid = $1 and p.kind = $2`, uid, kind)
	}
	b := c.as(auth.Analyst)
	r := b.get(pull("profile")).want(http.StatusOK).lacks(alejandro, nss).count("[data-proof=ok]", 1).count("#pull-reveal", 1).count("#pull-body", 0).count("#pull-lookup", 1)
	if sum := one[string](c, `select encode(sha256, 'hex') from pulls where kind = 'profile'`); !strings.Contains(r.body, sum) {
		t.Error("the hash is not shown whole")
	}
	delivery := one[string](c, `select d.uid::text from pulls p join events e on e.id = p.event_id join deliveries d on d.id = e.delivery_id where p.kind = 'profile'`)
	if got := r.attr("#pull-delivery", "href"); got != "/deliveries/"+delivery {
		t.Errorf("caused by %q", got)
	}
	if n := c.trail(audit.PullViewed, b.user); n != 1 {
		t.Errorf("%d views on the trail", n)
	}

	// Revealed on the trail, at the same place.
	b.post(pull("profile")+"/reveal?at=profile-birthday", nil).want(http.StatusOK).has(alejandro, nss).count(".raw__line--fact", 1).count("#pull-reveal", 0)
	auditor := c.as(auth.Auditor)
	auditor.get(pull("profile")).want(http.StatusOK).lacks(alejandro, nss).count("#pull-reveal", 0)
	auditor.post(pull("profile")+"/reveal", nil).want(http.StatusForbidden).lacks(alejandro)
	if n := c.trail(audit.PullRevealed, b.user); n != 1 {
		t.Errorf("%d reveals on the trail", n)
	}

	// The bytes are the vendor's, to the last one.
	boss := c.as(auth.Supervisor)
	body := boss.get(pull("employment") + "/body").want(http.StatusOK)
	sum := sha256.Sum256([]byte(body.body))
	if got := one[string](c, `select encode(sha256, 'hex') from pulls where kind = 'employment'`); got != hex.EncodeToString(sum[:]) {
		t.Error("other bytes than those that were hashed")
	}
	if body.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(body.header.Get("Content-Disposition"), "attachment; ") {
		t.Errorf("headers %v", body.header)
	}
	b.get(pull("employment") + "/body").want(http.StatusForbidden)
	if n := c.trail(audit.PullBody, boss.user); n != 1 {
		t.Errorf("%d downloads on the trail", n)
	}

	// What an address asks for beyond the answer is its beginning, or nothing.
	b.get(pull("employment")+"?page=9&from=99999&at=nothing").want(http.StatusOK).count(".raw__line--fact", 0)
	b.get("/pulls/" + uuid.NewString()).want(http.StatusNotFound)
	b.get("/pulls/" + uuid.NewString() + "?at=" + alejandro).want(http.StatusNotFound)
	c.as(auth.Developer).get(pull("profile")).want(http.StatusForbidden)

	// Bytes that are no longer those that came are said to be.
	c.exec(`alter table pulls disable trigger pulls_fixed`)
	c.exec(`update pulls set body = '{"data":null}' where kind = 'profile'`)
	b.get(pull("profile")).want(http.StatusOK).count("[data-proof=bad]", 1)
}
