package web

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Kinds of flash; they choose an icon and a colour.
const (
	FlashSuccess = "success"
	FlashInfo    = "info"
	FlashWarning = "warning"
	FlashError   = "error"
)

// Flash is a message shown once, on the next page: a locale id and, in pairs of name and value, what goes into its
// sentence. Values are strings, booleans and integers; they must name no person.
type Flash struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Args []any  `json:"args,omitempty"`
}

// UnmarshalJSON brings integers back as int64, for plural forms.
func (f *Flash) UnmarshalJSON(data []byte) error {
	type plainFlash Flash // without this method
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode((*plainFlash)(f)); err != nil {
		return err
	}
	for i, a := range f.Args {
		if n, ok := a.(json.Number); ok {
			if v, err := n.Int64(); err == nil {
				f.Args[i] = v
			}
		}
	}
	return nil
}

// maxFlashes keeps a script that never reads its flashes from growing the session without end.
const maxFlashes = 10

// AddFlash stores a message for the next page. Call it before the answer begins, after Rotate or End if either
// is called too.
func (s *Sessions) AddFlash(w http.ResponseWriter, r *http.Request, f Flash) error {
	cur := s.Current(r)
	cur.Flashes = append(cur.Flashes, f)
	if over := len(cur.Flashes) - maxFlashes; over > 0 {
		cur.Flashes = cur.Flashes[over:]
	}
	return s.Commit(w, r)
}

// TakeFlashes returns the waiting messages and forgets them. It writes only when there were any.
func (s *Sessions) TakeFlashes(w http.ResponseWriter, r *http.Request) ([]Flash, error) {
	cur := s.Current(r)
	if len(cur.Flashes) == 0 {
		return nil, nil
	}
	taken := cur.Flashes
	cur.Flashes = nil
	return taken, s.Commit(w, r)
}
