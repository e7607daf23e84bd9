package views

import (
	_ "embed"
	"strings"

	"github.com/a-h/templ"
)

// icons.svg holds every icon as a symbol, drawn for Cotejo. It goes into each page once, so that an icon costs no
// request and takes the colour of the text around it.
//
//go:embed icons.svg
var iconFile string

// sprite is the file as it stands in a page: hidden, and without the namespace that HTML does not need.
var sprite = templ.Raw(strings.Replace(iconFile, `<svg xmlns="http://www.w3.org/2000/svg">`, `<svg hidden>`, 1))

// drawn tells whether the sprite has an icon.
func drawn(name string) bool { return strings.Contains(iconFile, `id="i-`+name+`"`) }
