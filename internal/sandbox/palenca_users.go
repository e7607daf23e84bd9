package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

// stamp writes a time the way the vendor's newer samples do: microseconds and
// a numeric zone.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// orNull turns "" into JSON's null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// userJSON answers create and delete without widget_id, and get and search with.
type userJSON struct {
	UserID     string  `json:"user_id"`
	ExternalID *string `json:"external_id"`
	WidgetID   string  `json:"widget_id,omitempty"`
}

// chosenWidget resolves widget_id: empty means the company's default. Both
// names are read, the documentation's and the schema's.
func (s *Server) chosenWidget(f *form) (string, bool) {
	id := f.id("widget_id")
	if id == "" {
		id = f.id("connect_flow_id")
	}
	if id == "" {
		id = s.creds.WidgetID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return id, s.st.widgets.get(id) != nil
}

// addUser creates a user. The caller holds the lock and commits.
func (s *Server) addUser(id, externalID, widgetID string) *user {
	if id == "" {
		id = uuid.NewString()
	}
	u := &user{ID: id, Seq: s.st.next(), ExternalID: orNull(externalID), WidgetID: widgetID, CreatedAt: s.now()}
	s.st.users.put(u.ID, u)
	return u
}

func (s *Server) createUser(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	widgetID, known := s.chosenWidget(f)
	id, external := f.id("user_id"), f.text("external_id")
	if f.refused(w) {
		return
	}
	if !known {
		notFound(w, "Widget")
		return
	}
	s.mu.Lock()
	u := s.st.users.get(id)
	if u == nil { // a known user_id is answered with its user
		u = s.addUser(id, external, widgetID)
	}
	out := userJSON{UserID: u.ID, ExternalID: u.ExternalID}
	err := s.st.log.commit()
	s.mu.Unlock()
	committed(w, err, http.StatusCreated, out)
}

func (s *Server) getUser(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.st.users.get(r.PathValue("id"))
	if u == nil {
		notFound(w, "User")
		return
	}
	answer(w, http.StatusOK, userJSON{u.ID, u.ExternalID, u.WidgetID})
}

// deleteUser removes the user with its accounts, as documented; deliveries on
// their way to a webhook are called off.
func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	u := s.st.users.get(r.PathValue("id"))
	if u == nil {
		s.mu.Unlock()
		notFound(w, "User")
		return
	}
	for _, id := range slices.Clone(u.Accounts) {
		s.dropAccount(s.st.accounts.get(id))
	}
	s.st.users.remove(u.ID)
	err := s.st.log.commit()
	s.mu.Unlock()
	committed(w, err, http.StatusOK, userJSON{UserID: u.ID, ExternalID: u.ExternalID})
}

// dropAccount removes an account with its logins and calls off its deliveries.
func (s *Server) dropAccount(a *account) {
	for _, id := range a.Logins {
		s.st.logins.remove(id)
	}
	for _, d := range s.st.deliveries.rows {
		if d.AccountID == a.ID && d.State == sending {
			s.st.finish(d, abandoned)
		}
	}
	if u := s.st.users.get(a.UserID); u != nil {
		u.Accounts = slices.DeleteFunc(u.Accounts, func(id string) bool { return id == a.ID })
		s.st.users.put(u.ID, u)
	}
	s.st.accounts.remove(a.ID)
}

// searchUsers finds users by creation date and external_id, newest first. The
// vendor's pages disagree on which of start_date and end_date is the later
// one; both orders are understood, and either may be absent.
func (s *Server) searchUsers(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	start, startLast := f.moment("start_date")
	end, endLast := f.moment("end_date")
	external := f.text("external_id")
	page, size := f.options()
	if f.refused(w) {
		return
	}
	from, to := start, endLast
	if !start.IsZero() && !end.IsZero() && end.Before(start) {
		from, to = end, startLast
	}
	s.mu.Lock()
	found := sorted(s.st.users, func(u *user) int { return -u.Seq }, func(u *user) bool {
		return (external == "" || u.ExternalID != nil && *u.ExternalID == external) &&
			(from.IsZero() || !u.CreatedAt.Before(from)) && (to.IsZero() || u.CreatedAt.Before(to))
	})
	rows := []userJSON{}
	for _, u := range window(found, page, size) {
		rows = append(rows, userJSON{u.ID, u.ExternalID, u.WidgetID})
	}
	s.mu.Unlock()
	answerPage(w, map[string]any{"users": rows}, pages(page, size, len(found)))
}

// moment reads a date or a time; after is the first moment no longer in it.
func (f *form) moment(name string) (at, after time.Time) {
	text := f.text(name)
	if text == "" {
		return at, after
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, t.AddDate(0, 0, 1)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, t.Add(time.Microsecond)
		}
	}
	f.fault(name, "Input should be a valid datetime or date", "datetime_from_date_parsing")
	return at, after
}

// options reads {"items_per_page":100,"page":1} with these defaults.
func (f *form) options() (page, size int) {
	o := struct {
		Size int `json:"items_per_page"`
		Page int `json:"page"`
	}{100, 1}
	if v := f.value("options"); v != nil && json.Unmarshal(v, &o) != nil || o.Size < 1 || o.Page < 1 {
		f.fault("options", "Input should be a valid pagination", "model_type")
	}
	return o.Page, min(o.Size, 500)
}

// window cuts one page out of rows; beyond the last page it is empty.
func window[T any](rows []T, page, size int) []T {
	from := min((page-1)*size, len(rows))
	return rows[from:min(from+size, len(rows))]
}

func pages(page, size, total int) pagination {
	return pagination{page, size, total, (total + size - 1) / size}
}
