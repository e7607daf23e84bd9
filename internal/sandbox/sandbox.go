package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Config says where the sandbox keeps its state and how it behaves until a
// switch (docs/sandbox.md#switches) says otherwise.
type Config struct {
	Dir         string           // directory of the state, created 0700; "" = in memory
	Delay       time.Duration    // duration of an extraction, 0 allowed
	RetryGap    time.Duration    // between attempts of a webhook delivery; 0 = 30 s
	HookTimeout time.Duration    // for one attempt of a webhook delivery; 0 = 30 s
	Rate        int              // calls a minute over all endpoints; 0 = no limit
	Now         func() time.Time // nil = time.Now
	Log         *slog.Logger     // gets route patterns and ids, never a CURP; nil = silent
	BaseURL     string           // own address, for the links it hands out; "" = the Host of the call
}

// Server is one sandbox: the HTTP API and the sender of webhooks. Its methods
// are safe for concurrent use.
type Server struct {
	cfg    Config
	creds  Credentials
	client *http.Client
	wake   chan struct{}

	mu      sync.Mutex
	st      *store
	plan    schedule
	windows map[string]*rateWindow // by dialect: two vendors, two limits
}

// Credentials are what a client needs to use the sandbox, in the forms the
// vendor gives out; Instance tells one sandbox from another (see Probe).
type Credentials struct {
	APIKey    string `json:"api_key"`    // private_<uuid with _>
	PublicKey string `json:"public_key"` // public_<uuid with _>
	WidgetID  string `json:"widget_id"`  // uuid of the default widget
	CompanyID string `json:"company_id"` // uuid
	Instance  string `json:"instance"`   // uuid, not secret
	FileKey   string `json:"file_key"`   // signs links to files
	BuroKey   string `json:"buro_key"`   // buro_sandbox_<uuid with _>, X-API-Key of the Buró dialect
}

// LogValue keeps keys out of a log that is handed the whole struct.
func (c Credentials) LogValue() slog.Value { return slog.StringValue("sandbox " + c.Instance) }

const credentialsName = "sandbox.credentials.json"

// Open loads the sandbox of cfg.Dir or creates it. It fails with ErrLocked
// when another process has it open. The caller ends with Close.
func Open(cfg Config) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.RetryGap == 0 {
		cfg.RetryGap = 30 * time.Second
	}
	if cfg.HookTimeout == 0 {
		cfg.HookTimeout = 30 * time.Second
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	log := newJournal()
	st := newStore(log)
	if cfg.Dir != "" {
		if err := log.open(cfg.Dir); err != nil {
			return nil, err
		}
	}
	creds, err := loadCredentials(cfg.Dir)
	if err != nil {
		return nil, errors.Join(err, log.close())
	}
	st.recount()
	s := &Server{
		cfg:    cfg,
		creds:  creds,
		client: hookClient(cfg.HookTimeout),
		wake:   make(chan struct{}, 1),
		st:     st,
		plan:   newSchedule(),

		windows: map[string]*rateWindow{palenca: {}, buro: {}},
	}
	if st.widgets.get(creds.WidgetID) == nil {
		st.widgets.put(creds.WidgetID, &widget{ID: creds.WidgetID, Seq: st.next(), Name: "Sandbox", CreatedAt: s.now()})
	}
	if st.switches.get("all") == nil {
		st.switches.put("all", &switches{})
	}
	if err := log.commit(); err != nil {
		return nil, errors.Join(err, log.close())
	}
	s.resume()
	return s, nil
}

// Close releases the state's files. Run must have ended; requests that come
// later get 503.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.st.log.err == nil {
		s.st.log.err = errors.New("sandbox: closed")
	}
	return s.st.log.close()
}

// Credentials returns the key and the widget to talk to this sandbox.
func (s *Server) Credentials() Credentials { return s.creds }

// The dialects, as they are written in orders and answers.
const (
	palenca = "palenca"
	buro    = "buro"
)

// now has the precision of the times handed out, so that what was stored and
// what was shown are the same moment.
func (s *Server) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Microsecond) }

// ReadCredentials returns the credentials of the sandbox in dir, for a process
// that joins one already running. It fails with fs.ErrNotExist when there has
// never been one.
func ReadCredentials(dir string) (Credentials, error) {
	text, err := os.ReadFile(filepath.Join(dir, credentialsName))
	if err != nil {
		return Credentials{}, fmt.Errorf("sandbox: %w", err)
	}
	var c Credentials
	if err := json.Unmarshal(text, &c); err != nil || c.APIKey == "" {
		return Credentials{}, fmt.Errorf("sandbox: %s is damaged", credentialsName)
	}
	return c, nil
}

// loadCredentials reads the directory's credentials or makes the first ones. A
// file from before the Buró dialect gets the key it lacks and keeps the rest.
func loadCredentials(dir string) (Credentials, error) {
	c := Credentials{}
	if dir != "" {
		var err error
		c, err = ReadCredentials(dir)
		if err == nil && c.BuroKey != "" || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	if c.APIKey == "" {
		c = Credentials{
			APIKey:    newKey("private_"),
			PublicKey: newKey("public_"),
			WidgetID:  uuid.NewString(),
			CompanyID: uuid.NewString(),
			Instance:  uuid.NewString(),
			FileKey:   newSecret(),
		}
	}
	c.BuroKey = newKey("buro_sandbox_")
	if dir == "" {
		return c, nil
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = writeFile(filepath.Join(dir, credentialsName), append(text, '\n'))
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("sandbox: %w", err)
	}
	return c, nil
}

func newKey(prefix string) string { return prefix + strings.ReplaceAll(uuid.NewString(), "-", "_") }

// ErrNotSandbox tells that something else answers at the address.
var ErrNotSandbox = errors.New("sandbox: the address answers, but not as a sandbox")

// Probe asks whether a sandbox answers at baseURL and returns its instance id,
// to be compared with ReadCredentials; "" and no error when nobody listens
// there. It fails with ErrNotSandbox, or with the context's error.
func Probe(ctx context.Context, baseURL string) (instance string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(baseURL, "/")+"/_sandbox/", nil)
	if err != nil {
		return "", fmt.Errorf("sandbox: %w", err)
	}
	tr := &http.Transport{DisableKeepAlives: true} // no proxy: the address is meant literally
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" && ctx.Err() == nil {
			return "", nil
		}
		if ctx.Err() != nil {
			return "", fmt.Errorf("sandbox: probe: %w", ctx.Err())
		}
		return "", ErrNotSandbox
	}
	defer res.Body.Close()
	var card struct {
		Sandbox  bool   `json:"cotejo_sandbox"`
		Instance string `json:"instance"`
	}
	body := http.MaxBytesReader(nil, res.Body, 1<<16)
	if json.NewDecoder(body).Decode(&card) != nil || !card.Sandbox || res.StatusCode != http.StatusOK {
		return "", ErrNotSandbox
	}
	return card.Instance, nil
}
