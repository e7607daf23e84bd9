package locale

import (
	"embed"
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed messages/*.json
var files embed.FS

// formats maps a file ending to its reader.
var formats = map[string]i18n.UnmarshalFunc{"json": json.Unmarshal}

// speech is one language: its messages by id, those that have no plural in
// pieces, and the localizer that fills the others.
type speech struct {
	lang      string
	localizer *i18n.Localizer
	messages  map[string]*i18n.Message
	pieces    map[string][]string // text, name of a blank, text, name of a blank, …, text
}

// speeches loads the embedded messages once. They are part of the binary, so
// one that cannot be read is a defect of the build and stops the program.
var speeches = sync.OnceValue(func() map[string]*speech {
	loaded, err := load(files)
	if err != nil {
		panic("locale: " + err.Error())
	}
	return loaded
})

// load reads messages/<subject>.<es|en>.<format> from fsys.
func load(fsys fs.FS) (map[string]*speech, error) {
	bundle := i18n.NewBundle(language.MustParse(Languages[0]))
	loaded := make(map[string]*speech, len(Languages))
	for _, lang := range Languages {
		loaded[lang] = &speech{lang: lang, messages: map[string]*i18n.Message{}, pieces: map[string][]string{}}
	}
	for _, lang := range Languages {
		short, _, _ := strings.Cut(lang, "-")
		for format := range formats {
			names, err := fs.Glob(fsys, "messages/*."+short+"."+format)
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if err := loaded[lang].add(fsys, name, bundle); err != nil {
					return nil, err
				}
			}
		}
		loaded[lang].localizer = i18n.NewLocalizer(bundle, lang)
	}
	return loaded, nil
}

// add reads one file into the speech and the bundle.
func (s *speech) add(fsys fs.FS, name string, bundle *i18n.Bundle) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	file, err := i18n.ParseMessageFileBytes(text, name, formats)
	if err != nil {
		return &fs.PathError{Op: "parse", Path: name, Err: err}
	}
	for _, message := range file.Messages {
		counts := strings.Contains(message.Other, "{{.Count}}")
		// A text that is the same for any number ("hace 1 min") is given once.
		if counts && message.One == "" {
			message.One = message.Other
		}
		// CLDR gives Spanish a form of its own for 1,000,000 ("un millón de …").
		// We write digits, where it reads like every other plural.
		if message.One != "" && message.Many == "" {
			message.Many = message.Other
		}
		s.messages[message.ID] = message
		if message.One == "" {
			s.pieces[message.ID] = cut(message.Other)
		}
	}
	if err := bundle.AddMessages(language.MustParse(s.lang), file.Messages...); err != nil {
		return &fs.PathError{Op: "add", Path: name, Err: err}
	}
	return nil
}

// blank is where a value goes. Messages are written with these only, which a test holds.
var blank = regexp.MustCompile(`\{\{\.([A-Za-z]+)\}\}`)

// cut takes a message apart at its blanks.
func cut(text string) (pieces []string) {
	rest := 0
	for _, at := range blank.FindAllStringSubmatchIndex(text, -1) {
		pieces = append(pieces, text[rest:at[0]], text[at[2]:at[3]])
		rest = at[1]
	}
	return append(pieces, text[rest:])
}
