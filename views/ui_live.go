package views

import "github.com/a-h/templ"

// liveWords are the sentences that the live line's script says; it fills {clock}, {when} and {count}.
func liveWords(p Page) templ.Attributes {
	return templ.Attributes{
		"data-on":      p.T("ui.live.on"),
		"data-changed": p.T("ui.live.changed", "When", "{when}"),
		"data-paused":  p.T("ui.live.paused", "Clock", "{clock}"),
		"data-lost":    p.T("ui.live.lost"),
		"data-single":  p.T("layout.live.single"),
		"data-several": p.T("layout.live.several", "N", "{count}"),
		"data-pause":   p.T("ui.act.pause"),
		"data-resume":  p.T("ui.act.resume"),
	}
}
