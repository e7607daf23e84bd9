package handlers_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/auth"
	"cotejo/internal/lookup"
)

// stream is an open event stream: the data of its events as they come.
type stream struct {
	t      *testing.T
	events chan string
	ended  chan struct{}
	close  func()
}

func (b *browser) watch(query string) *stream {
	b.t.Helper()
	return b.watchAt("/lookups/live", query)
}

func (b *browser) watchAt(path, query string) *stream {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path+"?"+query, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	client := &http.Client{Jar: b.http.Jar} // without a time limit
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "text/event-stream" {
		b.t.Fatalf("status %d, type %q", res.StatusCode, got)
	}
	s := &stream{t: b.t, events: make(chan string, 100), ended: make(chan struct{}), close: cancel}
	b.t.Cleanup(cancel)
	go func() {
		defer close(s.ended)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		var event strings.Builder
		for lines.Scan() {
			if lines.Text() != "" {
				event.WriteString(lines.Text() + "\n")
				continue
			}
			s.events <- event.String()
			event.Reset()
		}
	}()
	return s
}

// until waits for an event with all parts and gives the ones before it.
func (s *stream) until(parts ...string) (before []string) {
	s.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case event := <-s.events:
			if hasAll(event, parts) {
				return before
			}
			before = append(before, event)
		case <-s.ended:
			s.t.Fatalf("the stream ended before %q", parts)
		case <-limit:
			s.t.Fatalf("no event with %q; got %q", parts, before)
		}
	}
}

// sees waits for such an event too, and tells whether it came before the end of the stream.
func (s *stream) sees(limit <-chan time.Time, parts ...string) bool {
	for {
		select {
		case event := <-s.events:
			if hasAll(event, parts) {
				return true
			}
		case <-s.ended:
			return false
		case <-limit:
			s.t.Errorf("no event with %q", parts)
			return true
		}
	}
}

func hasAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// The status on the page moves by itself, from the first answer to the last, on the case's page and in the list.
func TestLiveFollowsALookup(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	b := c.as(auth.Analyst)
	uid, _ := c.request(alejandro)
	page := b.watch("ids=" + uid.String())
	list := b.watch("view=list&ids=" + uid.String() + "&since=" + time.Now().UTC().Format(time.RFC3339Nano))
	page.until(`data-status="success"`, `data-records="complete"`)
	list.until(`data-lookup="`+uid.String()+`"`, `data-status="success"`, `data-records="complete"`)
	// Another lookup, not on either page: the list is told that there is news, the case is left alone.
	other, _ := c.request(eduardo)
	before := list.until("1") // the count of new ones
	c.await(`select employment_state = 'complete' from lookups where uid = $1`, other)
	for _, event := range before {
		if strings.Contains(event, other.String()) {
			t.Errorf("a row that is not on the page: %s", event)
		}
	}
	select {
	case event := <-page.events:
		if strings.Contains(event, other.String()) {
			t.Errorf("the case was told of another lookup: %s", event)
		}
	default:
	}
}

// A browser lets few streams of one site be open; more tabs take turns, and each comes to see the end.
func TestEightTabsWatchAtOnce(t *testing.T) {
	t.Parallel()
	c := withVendor(t)
	b := c.as(auth.Analyst)
	uid, _ := c.request(alejandro)
	var tabs sync.WaitGroup
	for range 8 {
		tabs.Go(func() {
			for limit := time.After(time.Minute); ; {
				s := b.watch("ids=" + uid.String())
				if s.sees(limit, `data-status="success"`, `data-records="complete"`) {
					s.close()
					return
				}
			}
		})
	}
	tabs.Wait()
	b.get("/lookups").want(http.StatusOK) // and there is room for a page beside them
}

// A stream shows nothing of the other environment, whatever ids it asks for, and ends with its session.
func TestLiveLimits(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	c.connect(lookup.Production, "https://api.example/v1", "private_live_key_0123456789", "")
	b := c.as(auth.Analyst)
	live, _ := c.request(alejandro, in(lookup.Production))
	test, _ := c.request(alejandro)
	s := b.watch("ids=x,," + uuid.NewString() + "," + live.String() + "," + test.String())
	for _, event := range s.until(test.String()) {
		if strings.Contains(event, live.String()) {
			t.Error("a stream crossed the environments")
		}
	}
	s.close()
	<-s.ended
	c.stranger().get("/lookups/live").want(http.StatusUnauthorized)
	c.as(auth.Developer).get("/lookups/live").want(http.StatusForbidden)
}

// A filtered list announces what it would show, and nothing else.
func TestFilteredNews(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	r := b.get("/lookups?platform=issste").want(http.StatusOK)
	_, query, _ := strings.Cut(r.attr(`[hx-sse\:connect]`, "hx-sse:connect"), "?")
	if !strings.Contains(query, "platform=issste") {
		t.Fatalf("follows %s", query)
	}
	s := b.watch(query)
	c.request(alejandro)
	c.request(alejandro, func(n *db.NewLookup) { n.Platform = lookup.ISSSTE })
	for _, event := range s.until("lookups-new", spanish.T("lookups.list.listed", "Count", 1)) {
		if strings.Contains(event, "lookups-new") && !strings.Contains(event, `<span id="lookups-new"></span>`) {
			t.Errorf("announced before: %s", event)
		}
	}
}

// A filtered list announces what comes to fit it, too, however long ago that was asked for, takes it back when it leaves
// again, and leads to where it stands.
func TestFilteredNewsOfWhatChanges(t *testing.T) {
	t.Parallel()
	c := hooked(t)
	b := c.as(auth.Analyst)
	ours, _ := c.request(alejandro)
	c.request(eduardo)
	become := func(status string) {
		c.exec(`update lookups set status = $2, detail = 'x' where uid = $1`, ours, status)
		c.exec(`select pg_notify($1, id::text) from lookups`, db.Channel) // both are told of, one fits
	}
	pages := []string{"/lookups?actor=analyst", "/lookups?status=error"}
	var streams []*stream
	var queries []string
	for _, page := range pages {
		_, query, _ := strings.Cut(b.get(page).want(http.StatusOK).attr(`[hx-sse\:connect]`, "hx-sse:connect"), "?")
		streams, queries = append(streams, b.watch(query)), append(queries, query)
	}
	become("error")
	for i, s := range streams {
		s.until("lookups-new", `href="`+pages[i]+`"`, spanish.T("lookups.list.listed", "Count", 1))
	}
	become("success")
	for _, s := range streams {
		s.until(`<span id="lookups-new"></span>`)
	}
	// Where somebody paused, the stream that opens again says how it stands.
	become("error")
	streams[1].until(spanish.T("lookups.list.listed", "Count", 1))
	streams[1].close()
	become("success")
	again := b.watch(queries[1])
	again.until(`<span id="lookups-new"></span>`)
	again.close()
	become("error")
	b.watch(queries[1]).until(spanish.T("lookups.list.listed", "Count", 1))
}
