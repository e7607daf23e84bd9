package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/internal/config"
	"cotejo/internal/lookup"
	"cotejo/views"
)

// switchboard commands the sandbox that this process runs, or was told of by COTEJO_SANDBOX, over its own routes
// (docs/sandbox.md#switches). A connection to anything else, such as the vendor's sandbox, is left alone: its key must
// go nowhere but there.
type switchboard struct {
	base string // "" without a sandbox
	db   *db.DB
	http *http.Client
}

func newSwitchboard(c config.Config, store *db.DB) switchboard {
	return switchboard{base: sandboxBase(c), db: store, http: &http.Client{Timeout: 5 * time.Second}}
}

// sandboxBase is where the sandbox answers, "" without one.
func sandboxBase(c config.Config) string {
	switch c.Sandbox.Mode {
	case config.SandboxEmbedded:
		return "http://" + c.SandboxListen
	case config.SandboxRemote:
		return strings.TrimRight(c.Sandbox.URL.String(), "/")
	}
	return ""
}

// dialects are those in which the console is connected to this very sandbox, and the key of one of them: either opens
// the switches.
func (s switchboard) dialects(ctx context.Context) (dialects []lookup.Dialect, key string, err error) {
	if s.base == "" {
		return nil, "", nil
	}
	for _, d := range []lookup.Dialect{lookup.Palenca, lookup.Buro} {
		at, err := s.db.Connection(ctx, lookup.Sandbox, d)
		if errors.Is(err, db.ErrNotFound) || err == nil && strings.TrimSuffix(at.BaseURL, "/v1") != s.base {
			continue
		} else if err != nil {
			return nil, "", err
		}
		if key, err = s.db.ConnectionKey(ctx, at.ID); err != nil {
			return nil, "", err
		}
		dialects = append(dialects, d)
	}
	return dialects, key, nil
}

// Board satisfies handlers.Sandbox.
func (s switchboard) Board(ctx context.Context, language string) (board views.SandboxBoard, err error) {
	if board.Dialects, _, err = s.dialects(ctx); err != nil || len(board.Dialects) == 0 {
		return board, err
	}
	board.Known = true
	var ugly struct {
		Cases  []views.UglyCase
		Orders []views.UglyOrder
	}
	var settings struct{ Switches views.SandboxSwitches }
	if err := s.call(ctx, http.MethodGet, "ugly", language, nil, &ugly); err != nil {
		return board, err
	}
	if err := s.call(ctx, http.MethodGet, "settings", language, nil, &settings); err != nil {
		return board, err
	}
	board.Cases, board.Orders, board.Switches = ugly.Cases, ugly.Orders, settings.Switches
	return board, nil
}

// Order satisfies handlers.Sandbox.
func (s switchboard) Order(ctx context.Context, o views.UglyOrder) error {
	return s.call(ctx, http.MethodPost, "ugly", "", o, nil)
}

// Forget satisfies handlers.Sandbox.
func (s switchboard) Forget(ctx context.Context) error {
	return s.call(ctx, http.MethodDelete, "ugly", "", nil, nil)
}

// Switch satisfies handlers.Sandbox.
func (s switchboard) Switch(ctx context.Context, switches views.SandboxSwitches) error {
	return s.call(ctx, http.MethodPost, "settings", "", switches, nil)
}

// Reset satisfies handlers.Sandbox.
func (s switchboard) Reset(ctx context.Context) error {
	return s.call(ctx, http.MethodDelete, "settings", "", nil, nil)
}

// maxBoard bounds an answer of the sandbox.
const maxBoard = 1 << 20

func (s switchboard) call(ctx context.Context, method, route, language string, body, into any) error {
	_, key, err := s.dialects(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+"/_sandbox/"+route, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("x-api-key", key)
	req.Header.Set("accept-language", language)
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxBoard))
	if err != nil || res.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("the sandbox answers %d to %s %s", res.StatusCode, method, route))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
