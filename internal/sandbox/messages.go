package sandbox

import (
	_ "embed"
	"encoding/json"
	"strings"
	"sync"
)

// messages.json holds what the sandbox says in message and recommendation. The
// vendor's texts are published for hardly any code, so these are ours.
//
//go:embed messages.json
var messagesJSON []byte

type saying struct {
	Title          map[string]string `json:"title"`
	Message        map[string]string `json:"message"`
	Recommendation map[string]string `json:"recommendation"`
}

var sayings = sync.OnceValue(func() map[string]saying {
	m := map[string]saying{}
	if err := json.Unmarshal(messagesJSON, &m); err != nil {
		panic("sandbox: messages.json: " + err.Error()) // embedded, and tested
	}
	return m
})

// advice returns the two sentences for a status, in the first of en, es and pt
// that the caller's accept-language names; English by default.
func advice(status, details, accept string) (message, recommendation *string) {
	key := details
	if _, ok := sayings()[key]; !ok {
		key = status
	}
	return speech(key, accept, "en")
}

// speech returns the sentences of a key in the caller's language, or in the
// given one when it names none that the key has.
func speech(key, accept, lang string) (message, recommendation *string) {
	said := sayings()[key]
	lang = tongue(said.Message, accept, lang)
	return orNull(said.Message[lang]), orNull(said.Recommendation[lang])
}

// title names a case in the caller's language.
func title(key, accept, lang string) string {
	said := sayings()[key]
	return said.Title[tongue(said.Title, accept, lang)]
}

// tongue is the first language of accept-language in which texts says something.
func tongue(texts map[string]string, accept, lang string) string {
	for part := range strings.SplitSeq(strings.ToLower(accept), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		tag, _, _ = strings.Cut(tag, "-")
		if texts[tag] != "" {
			return tag
		}
	}
	return lang
}
