package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/google/uuid"
)

// webhookJSON is the schema's answer. It does not echo events: a client cannot
// read back what it subscribed to.
type webhookJSON struct {
	WebhookID   string  `json:"webhook_id"`
	URL         string  `json:"url"`
	Name        string  `json:"name"`
	WidgetID    string  `json:"widget_id"`
	IsSandbox   bool    `json:"is_sandbox"`
	IsActive    bool    `json:"is_active"`
	SignRequest bool    `json:"sign_request"`
	PrivateKey  *string `json:"private_key"` // only in the answers to create and update
}

func (h *webhook) json(withKey bool) webhookJSON {
	out := webhookJSON{h.ID, h.URL, h.Name, h.WidgetID, h.IsSandbox, h.IsActive, h.Sign, nil}
	if withKey && h.Sign {
		out.PrivateKey = orNull(h.PrivateKey)
	}
	return out
}

// webhookForm is what create and update share; nil means absent.
type webhookForm struct {
	url, name, widgetID     string
	isSandbox, sign, active *bool
	events                  []string
}

// readWebhook reads the fields that are there and notes broken ones; which are
// required is for the caller to say.
func readWebhook(f *form) webhookForm {
	v := webhookForm{
		url: f.text("url"), name: f.text("name"), widgetID: f.id("widget_id"),
		isSandbox: f.flag("is_sandbox"), sign: f.flag("sign_request"), active: f.flag("is_active"),
		// The schema gives events this default on update, too: a PUT that leaves
		// them out subscribes to everything (docs/sandbox.md#put-and-events).
		events: []string{"*"},
	}
	if v.widgetID == "" {
		v.widgetID = f.id("connect_flow_id")
	}
	if v.url != "" {
		if u, err := url.Parse(v.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			f.fault("url", "Input should be a valid URL", "url_parsing")
		}
	}
	if raw := f.value("events"); raw != nil {
		v.events = []string{}
		if json.Unmarshal(raw, &v.events) != nil {
			f.fault("events", "Input should be a valid list", "list_type")
		}
	}
	return v
}

// apply copies what is present.
func (v webhookForm) apply(h *webhook) {
	if v.url != "" {
		h.URL = v.url
	}
	if v.name != "" {
		h.Name = v.name
	}
	if v.widgetID != "" {
		h.WidgetID = v.widgetID
	}
	for _, b := range []struct {
		from *bool
		to   *bool
	}{{v.isSandbox, &h.IsSandbox}, {v.sign, &h.Sign}, {v.active, &h.IsActive}} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	h.Events = v.events
}

func (s *Server) createWebhook(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	v := readWebhook(f)
	f.require("url", v.url != "")
	f.require("name", v.name != "")
	f.require("widget_id", v.widgetID != "")
	f.require("is_sandbox", v.isSandbox != nil)
	if f.refused(w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.st.widgets.get(v.widgetID) == nil {
		notFound(w, "Widget")
		return
	}
	h := &webhook{ID: uuid.NewString(), Seq: s.st.next(), IsActive: true, PrivateKey: newSecret()}
	v.apply(h)
	s.st.webhooks.put(h.ID, h)
	committed(w, s.st.log.commit(), http.StatusCreated, h.json(true))
}

// updateWebhook changes what the body names, and events whether named or not.
func (s *Server) updateWebhook(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	v := readWebhook(f)
	if f.refused(w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.webhook(w, r)
	if h == nil {
		return
	}
	if v.widgetID != "" && s.st.widgets.get(v.widgetID) == nil {
		notFound(w, "Widget")
		return
	}
	v.apply(h)
	s.st.webhooks.put(h.ID, h)
	committed(w, s.st.log.commit(), http.StatusOK, h.json(true))
}

func (s *Server) webhook(w http.ResponseWriter, r *http.Request) *webhook {
	h := s.st.webhooks.get(r.PathValue("id"))
	if h == nil {
		notFound(w, "Webhook")
	}
	return h
}

func (s *Server) getWebhook(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.webhook(w, r); h != nil {
		answer(w, http.StatusOK, h.json(false))
	}
}

func (s *Server) listWebhooks(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []webhookJSON{}
	for _, h := range sorted(s.st.webhooks, func(h *webhook) int { return h.Seq }, nil) {
		rows = append(rows, h.json(false))
	}
	answer(w, http.StatusOK, map[string]any{"webhooks": rows})
}

// deleteWebhook also calls off what was still to be sent there.
func (s *Server) deleteWebhook(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.webhook(w, r)
	if h == nil {
		return
	}
	for _, d := range s.st.deliveries.rows {
		if d.WebhookID == h.ID && d.State == sending {
			s.st.finish(d, abandoned)
		}
	}
	s.st.webhooks.remove(h.ID)
	committed(w, s.st.log.commit(), http.StatusOK, map[string]string{"webhook_id": h.ID})
}
