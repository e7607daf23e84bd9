package curp

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
)

// words reads a message file by id. Plural forms stay apart as id.one and id.other.
func words(t *testing.T, lang string) map[string]string {
	t.Helper()
	names, err := filepath.Glob("../locale/messages/curp." + lang + ".*")
	if err != nil || len(names) != 1 {
		t.Fatalf("message files %q, %v", names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	flatten("", tree, m)
	return m
}

func flatten(path string, tree map[string]any, m map[string]string) {
	for key, value := range tree {
		id := strings.TrimPrefix(path+"."+key, ".")
		if said, leaf := value.(string); leaf {
			m[id] = said
		} else if branch, ok := value.(map[string]any); ok {
			flatten(id, branch, m)
		}
	}
}

// say fills a message as the printer does; a blank without its argument fails.
func say(t *testing.T, m map[string]string, r Reason) string {
	t.Helper()
	return r.Say(func(id string, kv ...any) string {
		data := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			data[kv[i].(string)] = kv[i+1]
		}
		said, ok := m[id]
		if !ok {
			form := ".other"
			if data["Count"] == 1 {
				form = ".one"
			}
			if said, ok = m[id+form]; !ok {
				t.Fatalf("no message %s", id)
			}
		}
		var b strings.Builder
		if err := template.Must(template.New(id).Option("missingkey=error").Parse(said)).Execute(&b, data); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		return b.String()
	}, func(d time.Time) string { return d.Format("2006-01-02") })
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	es, en := words(t, "es"), words(t, "en")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(es)), slices.Sorted(maps.Keys(en))); diff != "" {
		t.Errorf("ids, Spanish against English:\n%s", diff)
	}
	blanks := func(s string) []string {
		var found []string
		for _, piece := range strings.Split(s, "{{.")[1:] {
			name, _, _ := strings.Cut(piece, "}}")
			found = append(found, name)
		}
		slices.Sort(found)
		return found
	}
	for id, said := range es {
		if diff := cmp.Diff(blanks(said), blanks(en[id])); diff != "" {
			t.Errorf("%s: blanks differ:\n%s", id, diff)
		}
	}
}

// TestWordsOnTheForm holds the sentences of the form's three cases.
func TestWordsOnTheForm(t *testing.T) {
	t.Parallel()
	es, en := words(t, "es"), words(t, "en")
	spring := date(2024, 3, 20)
	tests := []struct {
		text     string
		headline string
		notes    []string // of the parts, in order
		english  string
	}{
		{
			"GATA000408HTLRLLA7", "Forma y dígito coinciden. La fuente dirá si existe.",
			[]string{"iniciales", "2000-04-08, 23 años", "hombre, Tlaxcala", "consonantes internas", "nacimiento desde 2000", "dígito verificador"},
			"Form and digit agree. The source will tell whether it exists.",
		},
		{
			"GATA000408HTLRLLB7", "El dígito debería ser 5 y es 7. Suele ser una letra mal copiada.",
			[]string{"iniciales", "2000-04-08, 23 años", "hombre, Tlaxcala", "consonantes internas", "nacimiento desde 2000", "dígito verificador: se esperaba 5"},
			"The digit should be 5 and is 7. Usually a letter was miscopied.",
		},
		{
			"GATA000431HTLRLLA7", "Esa fecha no existe. Así no se puede consultar.",
			[]string{"iniciales", "31 de abril: abril tiene 30 días", "hombre, Tlaxcala", "consonantes internas", "nacimiento desde 2000", "dígito verificador: se esperaba 0"},
			"That date does not exist, so it cannot be looked up.",
		},
		{
			"OICE940722HGFRST08", "«GF» no es la clave de ninguna entidad federativa (posiciones 12 y 13).",
			[]string{"iniciales", "1994-07-22, 29 años", "«GF» no es una entidad", "consonantes internas", "nacimiento hasta 1999", "dígito verificador: se esperaba 5"},
			"“GF” is not the code of any state (positions 12 and 13).",
		},
		{
			"GATA00O4", "La posición 7 debe ser un número y es «O». ¿Quiso escribir el número 0?",
			[]string{"iniciales", "posición 7: ¿el número 0?"},
			"Position 7 must be a number and is “O”. Did you mean the number 0?",
		},
		{"GATA000408HTLRLLA", "Falta 1 carácter.", []string{"iniciales", "2000-04-08, 23 años", "hombre, Tlaxcala", "consonantes internas", "nacimiento desde 2000"}, "1 character to go."},
		{
			"gata000408mne", "Faltan 5 caracteres.",
			[]string{"iniciales", "1900-04-08 o 2000-04-08: lo dice la posición 17", "mujer, nacida en el extranjero"}, "5 characters to go.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			c := Explain(tt.text, spring)
			if got := say(t, es, c.Headline); got != tt.headline {
				t.Errorf("headline %q, want %q", got, tt.headline)
			}
			if got := say(t, en, c.Headline); got != tt.english {
				t.Errorf("in English %q, want %q", got, tt.english)
			}
			var notes []string
			for _, p := range c.Parts {
				notes = append(notes, say(t, es, p.Reason))
				say(t, en, p.Reason)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}
