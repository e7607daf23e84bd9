package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/locale"
	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// visit is one request of a signed-in person.
type visit struct {
	db.Visit
	env     lookup.Environment // the console's, for this whole request
	printer *locale.Printer
	actor   audit.Actor
}

type visitKey struct{}

func visitOf(r *http.Request) visit {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return v
}

// visit reads who makes a request.
func (c *Console) visit(r *http.Request, userID int64) (visit, error) {
	read, err := c.DB.Visit(r.Context(), userID, views.WaitingCap)
	if err != nil {
		return visit{}, err
	}
	v := visit{Visit: read, env: read.Console.Environment, printer: printerFor(read.User)}
	v.actor = audit.Actor{UserID: read.User.ID, Name: read.User.Name, IP: clientIP(r)}
	return v, nil
}

// on gives the request as that of a visit.
func (v visit) on(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
}

// admit lets a request through to its handler when its person may make it.
func (c *Console) admit(route Route) web.Handler {
	if route.Access == Open {
		return route.Handle
	}
	handle := route.Handle
	if route.Access == auth.PowerReveal && !route.Stream {
		handle = c.confirmed(handle)
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		session := c.sessions.Current(r)
		if session.UserID == 0 {
			return c.turnAway(w, r, route)
		}
		v, err := c.visit(r, session.UserID)
		if errors.Is(err, db.ErrNotFound) { // disabled since
			return c.turnAway(w, r, route)
		} else if err != nil {
			return unavailable(err)
		}
		r = v.on(r)
		// A password set by somebody else opens one page only: the one on which it is changed.
		if v.User.MustChange && route.Pattern != "POST /account/password" {
			if r.Method != http.MethodGet || route.Stream {
				return web.Forbidden(errors.New("password must be changed first"))
			}
			return web.Render(w, r, http.StatusOK, views.MustChange(views.MustChangePage{Page: c.page(w, r, "account", "signin.change.title")}))
		}
		if !v.User.Role.May(route.Access) {
			return web.Forbidden(fmt.Errorf("role %s lacks %s", v.User.Role, route.Access))
		}
		// A form of a page made before the console changed over (views.Page.Act).
		if meant := r.URL.Query().Get("environment"); r.Method == http.MethodPost && meant != "" && meant != string(v.env) {
			return &web.Error{Status: http.StatusConflict, MessageID: "errors.changed_over", Err: errors.New("made for the other environment")}
		}
		return handle(w, r)
	}
}

// turnAway sends a stranger to the sign-in, which leads back here afterwards if here is a page.
func (c *Console) turnAway(w http.ResponseWriter, r *http.Request, route Route) error {
	if route.Stream || web.IsPartial(r) {
		return web.Unauthorized(errors.New("no session"))
	}
	if route.Typed != "" {
		kept, err := c.sealTyped(r, route.Typed)
		if err != nil {
			return err
		}
		if kept != "" {
			return c.showSignIn(w, r, http.StatusUnauthorized, views.SignInPage{Kept: kept, Notice: views.Note{ID: "signin.notice.kept"}})
		}
	}
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		next := *r.URL
		if query, personal := withoutPersonal(next.Query()); personal {
			next.RawQuery = query.Encode()
		}
		to += "?next=" + url.QueryEscape(next.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func printerFor(u auth.User) *locale.Printer {
	zone, err := time.LoadLocation(u.Zone)
	if err != nil {
		zone = nil // the default one
	}
	return locale.For(u.Language, zone)
}

// page fills in what every page shows. title is a message id.
func (c *Console) page(w http.ResponseWriter, r *http.Request, nav, title string) views.Page {
	v := visitOf(r)
	p := views.Page{
		P: v.printer, User: v.User, Env: v.env, Institution: v.Console.Institution, Now: c.Now(), Nav: nav,
		Paused: v.Paused, Hooks: v.Hooks, Asset: c.Assets.URL, Theme: v.User.Theme, Path: returnPath(r), Waiting: v.Waiting,
	}
	if title != "" {
		p.Title = p.T(title)
	}
	// Flashes are for whole pages; one that is lost is not worth a failed page.
	if !web.IsPartial(r) {
		if flashes, err := c.sessions.TakeFlashes(w, r); err == nil {
			for _, f := range flashes {
				p.Flashes = append(p.Flashes, views.Flash{Kind: f.Kind, ID: f.ID, Args: f.Args})
			}
		}
	}
	return p
}

// returnPath is where a switch of language or theme leads back to: a page, so never the address of a POST.
func returnPath(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	if referer, err := url.Parse(r.Referer()); err == nil && referer.Host == r.Host && web.LocalPath(referer.RequestURI()) {
		return referer.RequestURI()
	}
	return "/"
}

// done ends a good form: a message for the next page, and the way there.
func (c *Console) done(w http.ResponseWriter, r *http.Request, path, id string, args ...any) error {
	if err := c.sessions.AddFlash(w, r, web.Flash{Kind: web.FlashSuccess, ID: id, Args: args}); err != nil {
		return unavailable(err)
	}
	return web.Redirect303(w, r, path)
}

// pathID reads the {id} of a path; what is no UUID names nothing of ours.
func pathID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, web.NotFound(errors.New("path id is no UUID"))
	}
	return id, nil
}

// failed gives an error of package db its kind.
func failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, db.ErrNotFound):
		return web.NotFound(err)
	case errors.Is(err, db.ErrConflict):
		return web.Conflict(err)
	}
	return unavailable(err)
}

// unavailable keeps a client that left apart from a database that does not answer.
func unavailable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if db.Down(err) {
		return web.Unavailable(err)
	}
	return err
}

func clientIP(r *http.Request) string {
	if addr := web.ClientIP(r); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// sessionRecords lets package web keep its sessions in our database.
type sessionRecords struct{ db *db.DB }

func (s sessionRecords) LoadSession(ctx context.Context, hash []byte) (web.Record, error) {
	rec, err := s.db.LoadSession(ctx, hash)
	return web.Record(rec), noSession(err)
}

// noSession says "not found" in the words of package web.
func noSession(err error) error {
	if errors.Is(err, db.ErrNotFound) {
		return web.ErrNoSession
	}
	return err
}

func (s sessionRecords) ReplaceSession(ctx context.Context, old []byte, rec web.Record) error {
	return s.db.ReplaceSession(ctx, old, db.Session(rec))
}

func (s sessionRecords) SaveSession(ctx context.Context, rec web.Record) error {
	return noSession(s.db.SaveSession(ctx, db.Session(rec)))
}

func (s sessionRecords) TouchSession(ctx context.Context, hash []byte, seenAt, expiresAt time.Time) error {
	return noSession(s.db.TouchSession(ctx, hash, seenAt, expiresAt))
}

func (s sessionRecords) DeleteSession(ctx context.Context, hash []byte) error {
	return s.db.DeleteSession(ctx, hash)
}
