package locale

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFor(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"es-MX": "es-MX", "es": "es-MX", "en": "en", "en-GB": "en", "": "es-MX", "fr": "es-MX", "¿?": "es-MX",
		"en-US,en;q=0.9,es;q=0.8": "en", "es-419,es;q=0.9,en;q=0.8": "es-MX", "de,en;q=0.5": "en",
	}
	for lang, want := range tests {
		p := For(lang, nil)
		if got := p.Lang(); got != want {
			t.Errorf("For(%q).Lang() = %q, want %q", lang, got, want)
		}
		if got := p.Zone().String(); got != "America/Mexico_City" {
			t.Errorf("For(%q, nil).Zone() = %q", lang, got)
		}
	}
	if got := For("en", time.UTC).Zone(); got != time.UTC {
		t.Errorf("zone = %v, want UTC", got)
	}
}

func TestT(t *testing.T) {
	t.Parallel()
	es, en := For("es-MX", nil), For("en", nil)
	tests := []struct {
		name string
		p    *Printer
		id   string
		kv   []any
		want string
	}{
		{"plain", es, "format.month.m3", nil, "mar"},
		{"other language", en, "format.month.m3", nil, "Mar"},
		{"blank", es, "format.percent", []any{"Value", "7"}, "7 %"},
		{"blank of another type", es, "format.percent", []any{"Value", 7}, "7 %"},
		{"another blank's value", es, "format.percent", []any{"Other", "7"}, "⟨format.percent⟩"},
		{"one", es, "format.tenure.years", []any{"Count", 1}, "1 año"},
		{"other", es, "format.tenure.years", []any{"Count", 2}, "2 años"},
		{"zero is plural", es, "format.tenure.years", []any{"Count", 0}, "0 años"},
		{"one in English", en, "format.tenure.years", []any{"Count", int64(1)}, "1 year"},
		{"grouped", en, "format.tenure.years", []any{"Count", int32(1234)}, "1,234 years"},
		{"a million has a form of its own in CLDR", es, "format.tenure.years", []any{"Count", 1_000_000}, "1,000,000 años"},
		{"one text for any number", es, "format.ago.past.minute", []any{"Count", 1}, "hace 1 min"},
		{"unused pair on a plain message", es, "format.month.m3", []any{"X", 1}, "mar"},
		{"missing id", es, "no.such", nil, "⟨no.such⟩"},
		{"a group of ids is no id", es, "format.month", nil, "⟨format.month⟩"},
		{"plural without a count", es, "format.tenure.years", nil, "⟨format.tenure.years⟩"},
		{"blank left open", es, "format.percent", nil, "⟨format.percent⟩"},
		{"count of another type", es, "format.tenure.years", []any{"Count", "2"}, "⟨format.tenure.years⟩"},
		{"name without value", es, "format.percent", []any{"Value"}, "⟨format.percent⟩"},
		{"name is no string", es, "format.percent", []any{1, 2}, "⟨format.percent⟩"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.p.T(tt.id, tt.kv...); got != tt.want {
				t.Errorf("T(%q, %v) = %q, want %q", tt.id, tt.kv, got, tt.want)
			}
		})
	}
	if es.Has("no.such") || !es.Has("format.ago.past.day") {
		t.Error("Has is wrong")
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                        {""},
		"none":                    {"none"},
		"{{.A}}":                  {"", "A", ""},
		"a {{.A}} b {{.B}}{{.A}}": {"a ", "A", " b ", "B", "", "A", ""},
	} {
		if diff := cmp.Diff(want, cut(text)); diff != "" {
			t.Errorf("cut(%q) (-want +got):\n%s", text, diff)
		}
	}
}
