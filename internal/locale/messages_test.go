package locale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/nicksnyder/go-i18n/v2/i18n"
)

var fileName = regexp.MustCompile(`^([a-z]+)\.(es|en)\.json$`)

// subjects lists the message files' subjects and fails for a stray file.
func subjects(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("messages")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, entry := range entries {
		parts := fileName.FindStringSubmatch(entry.Name())
		if parts == nil {
			t.Errorf("messages/%s is not read: message files are named <subject>.<es|en>.json", entry.Name())
			continue
		}
		found[parts[1]] = append(found[parts[1]], parts[2])
	}
	var names []string
	for subject, langs := range found {
		if len(langs) != 2 {
			t.Errorf("subject %q is written in %v only", subject, langs)
		}
		names = append(names, subject)
	}
	sort.Strings(names)
	return names
}

func TestFilesKeepTheirSubject(t *testing.T) {
	t.Parallel()
	for _, subject := range subjects(t) {
		for _, lang := range []string{"es", "en"} {
			name := filepath.Join("messages", subject+"."+lang+".json")
			text, err := os.ReadFile(name)
			if err != nil {
				continue // reported by subjects
			}
			if err := checkShape(text, subject); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// reserved are the keys by which go-i18n tells a message from a group of them.
var reserved = []string{"id", "description", "hash", "leftdelim", "rightdelim", "zero", "one", "two", "few", "many", "other"}

// checkShape walks the tokens of a message file: encoding/json keeps the last
// of two equal keys in silence, and go-i18n takes a reserved word for a plural.
func checkShape(text []byte, subject string) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var walk func(path string) error
	walk = func(path string) error {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		if _, leaf := token.(string); leaf {
			return nil
		}
		if token != json.Delim('{') {
			return fmt.Errorf("%q holds %v, neither text nor an object", path, token)
		}
		var keys []string
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return err
			}
			name := key.(string)
			switch {
			case slices.Contains(keys, name):
				return fmt.Errorf("%q twice in %q", name, path)
			case path == "" && name != subject:
				return fmt.Errorf("%q at the top: ids here start with %q", name, subject)
			}
			keys = append(keys, name)
			if err := walk(strings.TrimPrefix(path+"."+name, ".")); err != nil {
				return err
			}
		}
		special := slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(reserved, strings.ToLower(key)) })
		sort.Strings(keys)
		if special && !slices.Equal(keys, []string{"one", "other"}) {
			return fmt.Errorf("%q has the keys %v: a plural has exactly one and other, and no id uses a reserved word", path, keys)
		}
		_, err = decoder.Token()
		return err
	}
	return walk("")
}

func TestCheckShape(t *testing.T) {
	t.Parallel()
	good := `{"ui": {"a": "x", "b": {"one": "y", "other": "z"}}}`
	if err := checkShape([]byte(good), "ui"); err != nil {
		t.Errorf("good file: %v", err)
	}
	for name, text := range map[string]string{
		"twice":           `{"ui": {"a": "x", "a": "y"}}`,
		"another subject": `{"lookups": {"a": "x"}}`,
		"reserved word":   `{"ui": {"id": "x"}}`,
		"half a plural":   `{"ui": {"a": {"other": "x"}}}`,
		"number":          `{"ui": {"a": 1}}`,
		"cut":             `{"ui": {"a": "x"`,
	} {
		if err := checkShape([]byte(text), "ui"); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLanguagesHaveTheSameIDs(t *testing.T) {
	t.Parallel()
	es, en := speeches()["es-MX"].messages, speeches()["en"].messages
	if diff := cmp.Diff(ids(es), ids(en)); diff != "" {
		t.Errorf("ids differ (-es +en):\n%s", diff)
	}
}

func ids(messages map[string]*i18n.Message) []string {
	list := make([]string, 0, len(messages))
	for id := range messages {
		list = append(list, id)
	}
	sort.Strings(list)
	return list
}

// blanks lists the names a message leaves open.
func blanks(message *i18n.Message) []string {
	var names []string
	for _, match := range blank.FindAllStringSubmatch(message.One+message.Many+message.Other, -1) {
		names = append(names, match[1])
	}
	sort.Strings(names)
	return slices.Compact(names)
}

func TestMessages(t *testing.T) {
	t.Parallel()
	es, en := speeches()["es-MX"].messages, speeches()["en"].messages
	for _, id := range ids(es) {
		if en[id] == nil {
			continue // reported by TestLanguagesHaveTheSameIDs
		}
		if diff := cmp.Diff(blanks(es[id]), blanks(en[id])); diff != "" && !strings.HasPrefix(id, "details.") {
			t.Errorf("%s: blanks differ (-es +en):\n%s", id, diff)
		}
		if es[id].Other == en[id].Other && isSentence(es[id].Other) {
			t.Errorf("%s is the same in both languages: %q", id, es[id].Other)
		}
		for _, text := range []string{es[id].One, es[id].Other} {
			if strings.Count(text, "?") != strings.Count(text, "¿") || strings.Count(text, "!") != strings.Count(text, "¡") {
				t.Errorf("%s: Spanish opens what it closes: %q", id, text)
			}
		}
		for lang, message := range map[string]*i18n.Message{"es": es[id], "en": en[id]} {
			if message.Other == "" {
				t.Errorf("%s is empty in %s", id, lang)
			}
			for _, text := range []string{message.One, message.Other} {
				if flaw := flaw(text); flaw != "" {
					t.Errorf("%s in %s: %s: %q", id, lang, flaw, text)
				}
			}
		}
	}
}

// isSentence tells a sentence from a name, a unit or a pattern, which may well
// be the same in both languages.
func isSentence(text string) bool {
	return len(strings.Fields(blank.ReplaceAllString(text, ""))) >= 4
}

// flaw finds what careful setting would not let through.
func flaw(text string) string {
	bare := blank.ReplaceAllString(text, "")
	switch {
	case strings.Contains(bare, "{{") || strings.Contains(bare, "}}"):
		return "a blank is {{.Name}} and nothing else"
	case strings.TrimSpace(text) != text || strings.Contains(text, "  "):
		return "stray space"
	case strings.Contains(text, "..."):
		return "three dots for an ellipsis"
	case strings.ContainsAny(text, "<>\n\t"):
		return "markup or a line break"
	case strings.ContainsAny(text, `"'`):
		return "straight quote"
	}
	return ""
}

func TestLoadNamesTheBrokenFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"syntax": `{`,
		"mixed":  `{"x": {"one": "a", "zzz": "b"}}`,
	} {
		_, err := load(fstest.MapFS{"messages/x.es.json": &fstest.MapFile{Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), "messages/x.es.json") {
			t.Errorf("%s: error %v does not name the file", name, err)
		}
	}
}
