package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// file is what a browser saved.
type file struct {
	name  string
	bytes []byte
}

// download runs an action that makes the browser save a file, and returns it.
func (b *tab) download(action chromedp.Action[chromedp.Void]) file {
	b.t.Helper()
	dir := b.t.TempDir()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	on := true
	if _, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, DownloadPath: dir, EventsEnabled: &on,
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	}); err != nil {
		b.fail(err)
	}
	var mu sync.Mutex
	names := map[string]string{} // by the browser's id; other tests' downloads are heard, too
	saved := make(chan file, 1)
	if err := chromedp.ListenBrowser(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *browser.EventDownloadWillBegin:
			if strings.HasPrefix(e.URL, b.base+"/") {
				names[e.GUID] = e.SuggestedFilename
			}
		case *browser.EventDownloadProgress:
			if name, ours := names[e.GUID]; ours && e.State == browser.DownloadProgressStateCompleted {
				saved <- file{name: name, bytes: []byte(e.GUID)}
			}
		}
	}); err != nil {
		b.fail(err)
	}
	b.do(action)
	select {
	case f := <-saved:
		text, err := os.ReadFile(filepath.Join(dir, string(f.bytes)))
		if err != nil {
			b.t.Fatal(err)
		}
		return file{name: f.name, bytes: text}
	case <-time.After(patience):
		b.t.Fatal("nothing was downloaded")
		return file{}
	}
}
