package sandbox

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// countries, platforms and sources are the enums of the vendor's schema
// (docs/sandbox.md#sources).
var (
	countries = strings.Fields("mx co br ar cl pe us cr pa ec bo ve sv do")
	sources   = strings.Fields("widget api legacy bulk_upload console")
	platforms = strings.Fields(`uber didi imss rappi osmos pemex picap ifood issste cabify workday indriver uber_eats didi_food pedidos_ya noventa_nove
		mensajeros_urbanos rapiboy nueve_nueve_minutos carteira_trabalho mercado_pago nom_gob_cdmx nom_salud_cdmx nom_sep_cdmx nom_sep_qro
		nom_gob_hidalgo nom_sep_durango nom_ayto_cancun nom_sep_qroo nom_gob_qroo nom_salud_qroo nom_sep_campeche nom_gob_oaxaca nom_sep_oaxaca
		nom_pensiones_jal nom_gob_nl nom_gob_tamps nom_salud_tamps nom_fiscalia_tamps nom_gob_sonora nom_sep_sonora nom_salud_sonora nom_sep_bcsur
		nom_gob_edomex nom_sep_edomex nom_gob_tabasco nom_salud_sonora2 nom_com_soc_qroo nom_pemex mc_price_shoes mc_avon mc_mary_kay
		mc_betterware nominativa microempreendedor_individual runa grupo_tress beat clip worky cornershop`)

	// played are the platforms whose extraction this sandbox simulates.
	played = []string{"imss", "issste"}
)

// widgetJSON has the schema's fields that mean something without a browser
// widget; the rest is colours and switches of its pages.
type widgetJSON struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	CompanyID    string         `json:"company_id"`
	Country      string         `json:"country"`
	Countries    []string       `json:"countries"`
	Platforms    []string       `json:"platforms"`
	IsSandbox    bool           `json:"is_sandbox"`
	WidgetType   string         `json:"widget_type"`
	InternalType *string        `json:"widget_internal_type"`
	RedirectURL  *string        `json:"redirect_url"`
	WebhookURL   *string        `json:"webhook_url"`
	Settings     map[string]any `json:"settings"`
	CreatedAt    string         `json:"created_at"`
	UpdatedAt    string         `json:"updated_at"`
}

func (s *Server) widgetJSON(v *widget) widgetJSON {
	return widgetJSON{
		ID: v.ID, Name: v.Name, CompanyID: s.creds.CompanyID, Country: "mx", Countries: []string{"mx"}, Platforms: played,
		IsSandbox: true, WidgetType: "income_verification", Settings: map[string]any{},
		CreatedAt: stamp(v.CreatedAt), UpdatedAt: stamp(v.CreatedAt),
	}
}

func (s *Server) listWidgets(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	out := []widgetJSON{}
	for _, v := range sorted(s.st.widgets, func(v *widget) int { return v.Seq }, nil) {
		out = append(out, s.widgetJSON(v))
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"widgets": out})
}

func (s *Server) createWidget(w http.ResponseWriter, r *http.Request) {
	f := readForm(w, r)
	if f == nil {
		return
	}
	name := f.text("name")
	f.require("name", name != "")
	if f.refused(w) {
		return
	}
	s.mu.Lock()
	v := &widget{ID: uuid.NewString(), Seq: s.st.next(), Name: name, CreatedAt: s.now()}
	s.st.widgets.put(v.ID, v)
	out := s.widgetJSON(v)
	err := s.st.log.commit()
	s.mu.Unlock()
	committed(w, err, http.StatusCreated, out)
}

func (s *Server) getWidget(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.st.widgets.get(r.PathValue("id"))
	if v == nil {
		notFound(w, "Widget")
		return
	}
	answer(w, http.StatusOK, s.widgetJSON(v))
}

// platformStatus lists the platforms that the sandbox plays; no page prints
// the shape of a row.
func (s *Server) platformStatus(w http.ResponseWriter, r *http.Request) {
	type row struct {
		Platform string `json:"platform"`
		Country  string `json:"country"`
		Category string `json:"category"`
		Status   string `json:"status"`
	}
	out := []row{}
	country, category := r.URL.Query().Get("country"), r.URL.Query().Get("category")
	if (country == "" || country == "mx") && (category == "" || category == "government") {
		for _, p := range played {
			out = append(out, row{p, "mx", "government", "up"})
		}
	}
	answer(w, http.StatusOK, map[string]any{"platforms": out})
}

// committed answers a call that changed the state, or 503 when the change
// could not be kept.
func committed(w http.ResponseWriter, err error, status int, data any) {
	if err != nil {
		fail(w, http.StatusServiceUnavailable, "service_unavailable", "The sandbox cannot write its state")
		return
	}
	answer(w, status, data)
}
