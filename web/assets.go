package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// AssetsPrefix is where Assets expects to be mounted.
const AssetsPrefix = "/assets/"

// assetTypes is also the list of what is served: a placeholder, a licence or a source map's directory is not.
var assetTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".map":         "application/json",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".webp":        "image/webp",
	".ico":         "image/x-icon",
	".woff2":       "font/woff2",
	".webmanifest": "application/manifest+json",
}

type asset struct {
	contentType string
	etag        string
	plain       []byte
	gzipped     []byte // nil when it saves nothing
	url         string // with the content's hash
}

// Assets serves a built bundle from memory, each file under an address with its content's hash that a browser may
// keep for ever, and under its own name that it must ask about again (for addresses written inside a style sheet).
type Assets struct {
	byName map[string]*asset // "app.css"
	byURL  map[string]*asset // "/assets/app-3f9a….css"
}

// NewAssets reads every servable file of fsys. name.gz beside a name is taken as its compressed form; text
// without one is compressed here.
func NewAssets(fsys fs.FS) (*Assets, error) {
	a := &Assets{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		contentType, ok := assetTypes[path.Ext(name)]
		if !ok {
			return nil
		}
		plain, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		zipped, err := fs.ReadFile(fsys, name+".gz")
		if errors.Is(err, fs.ErrNotExist) {
			zipped, err = compressAsset(contentType, plain)
		}
		if err != nil {
			return err
		}
		sum := sha256.Sum256(plain)
		hash := hex.EncodeToString(sum[:8])
		ext := path.Ext(name)
		as := &asset{contentType: contentType, etag: `"` + hash + `"`, plain: plain, gzipped: zipped,
			url: AssetsPrefix + strings.TrimSuffix(name, ext) + "-" + hash + ext}
		a.byName[name], a.byURL[as.url] = as, as
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: read assets: %w", err)
	}
	return a, nil
}

func compressAsset(contentType string, plain []byte) ([]byte, error) {
	if !compressible(contentType) || len(plain) < gzipMinSize {
		return nil, nil
	}
	var b bytes.Buffer
	zw, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zw.Write(plain); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	if b.Len() >= len(plain) {
		return nil, nil
	}
	return b.Bytes(), nil
}

// Built reports whether there is a bundle, rather than the placeholder that lets the program compile without one.
// Pages work without it, as plain HTML.
func (a *Assets) Built() bool {
	for name := range a.byName {
		if ext := path.Ext(name); ext == ".css" || ext == ".js" {
			return true
		}
	}
	return false
}

// URL returns the address of a file such as "app.css", with its hash; "" when there is none.
func (a *Assets) URL(name string) string {
	if as := a.byName[name]; as != nil {
		return as.url
	}
	return ""
}

// ServeHTTP serves GET and HEAD below AssetsPrefix. Anything unknown is a plain 404: a browser asks for these, no person.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if as := a.byURL[r.URL.Path]; as != nil {
		as.serve(w, r, "public, max-age=31536000, immutable")
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, AssetsPrefix)
	if !ok {
		http.NotFound(w, r)
		return
	}
	a.File(name).ServeHTTP(w, r)
}

// File serves one file at an address of the caller's choice, such as /favicon.ico; the browser asks each time
// whether it has changed.
func (a *Assets) File(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		as := a.byName[name]
		if as == nil {
			http.NotFound(w, r)
			return
		}
		as.serve(w, r, "no-cache")
	})
}

func (as *asset) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	body, etag := as.plain, as.etag
	if as.gzipped != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			// A strong ETag names bytes, and these are others.
			body, etag = as.gzipped, strings.TrimSuffix(as.etag, `"`)+`-gz"`
		}
	}
	h.Set("Cache-Control", cacheControl)
	h.Set("ETag", etag)
	if etagMatches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if etag != as.etag {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", as.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

func etagMatches(ifNoneMatch, etag string) bool {
	for part := range strings.SplitSeq(ifNoneMatch, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == etag {
			return true
		}
	}
	return false
}
