// Package static holds the browser's half of the console as it was bundled from css/ and js/ by static/build. The bundle
// is no part of the repository; dist/README is, so that the program builds without npm and then serves plain pages.
package static

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var embedded embed.FS

// Dist gives the bundled files: app.css, app.js, favicon.svg and LEGAL.txt, or none of them when nothing was bundled.
func Dist() fs.FS {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic("static: " + err.Error()) // cannot happen: the pattern above embeds the directory
	}
	return dist
}
