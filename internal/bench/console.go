package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a server of ours in a process of its own, as in service.
type process struct {
	base   string // http://host:port
	client *http.Client
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	exit   error         // how, once done
	ended  sync.Once
}

const (
	administrator = "bench@example.invalid"
	password      = "measured against itself"
)

// console starts a console on a database of the bench. workers 0 turns job work off.
func (r *run) console(ctx context.Context, url string, workers int) (*process, error) {
	return r.start(ctx, r.Serve, url, "/readyz", "COTEJO_WORKERS="+strconv.Itoa(workers),
		"COTEJO_SANDBOX=off", "COTEJO_METRICS_LISTEN=off", "COTEJO_DATA_DIR="+r.dir,
		"COTEJO_ADMIN_EMAIL="+administrator, "COTEJO_ADMIN_PASSWORD="+password)
}

// start runs a command with nothing in its environment but what it needs, until its page answers.
func (r *run) start(ctx context.Context, command []string, database, page string, settings ...string) (*process, error) {
	listen, err := freePort()
	if err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(r.dir, "*.log") // the log is written, as in service
	if err != nil {
		return nil, err
	}
	defer log.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	p := &process{base: "http://" + listen, done: make(chan struct{}), client: &http.Client{
		Jar: jar, Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DATABASE_URL=" + database,
		"COTEJO_LISTEN=" + listen, "COTEJO_SECRET_KEY=" + r.key.Encode()}, settings...)
	for _, pair := range os.Environ() {
		if strings.HasPrefix(pair, "COTEJO_TEST_") {
			p.cmd.Env = append(p.cmd.Env, pair)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt reaches us, and we stop it
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.exit = p.cmd.Wait(); close(p.done) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.stop()
			return nil, ctx.Err()
		case <-p.done:
			words, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("%s ended: %w: %s", strings.Join(command, " "), p.exit, words)
		case <-tick.C:
		}
		if status, _, err := p.get(ctx, page); err == nil && status == http.StatusOK {
			return p, nil
		}
	}
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// stop ends the process as an operator would, and by force if that does not do. It may be called again.
func (p *process) stop() { p.ended.Do(p.end) }

func (p *process) end() {
	p.client.CloseIdleConnections()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// get asks for a page and reads it to its end.
func (p *process) get(ctx context.Context, path string) (status int, body []byte, err error) {
	return p.do(ctx, http.MethodGet, path, "", nil)
}

func (p *process) do(ctx context.Context, method, path, kind string, send io.Reader) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, send)
	if err != nil {
		return 0, nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return 0, nil, withoutAddress(err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// withoutAddress keeps the hook's token, which is part of the address, out of what is printed.
func withoutAddress(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// signIn gives the client a session.
func (p *process) signIn(ctx context.Context) error {
	form := url.Values{"email": {administrator}, "password": {password}}
	status, _, err := p.do(ctx, http.MethodPost, "/login", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("sign-in answered %d", status)
	}
	return err
}
