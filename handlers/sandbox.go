package handlers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"cotejo/internal/lookup"
	"cotejo/views"
	"cotejo/web"
)

// Sandbox is the hand on the switches of the vendor's sandbox (docs/sandbox.md#switches), where the process ends.
type Sandbox interface {
	// Board shows the ugly cases, described in a language, and what is ordered and switched.
	Board(ctx context.Context, language string) (views.SandboxBoard, error)
	// Order asks for a case the next times that it can strike.
	Order(ctx context.Context, o views.UglyOrder) error
	// Forget takes back what is ordered and not yet played.
	Forget(ctx context.Context) error
	// Switch sets the lasting faults.
	Switch(ctx context.Context, s views.SandboxSwitches) error
	// Reset takes back every fault.
	Reset(ctx context.Context) error
}

// people shows the sandbox's documented people and its ugly cases. In production there are none.
func (c *Console) people(w http.ResponseWriter, r *http.Request) error {
	page, err := c.peoplePage(w, r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.People(page))
}

func (c *Console) peoplePage(w http.ResponseWriter, r *http.Request) (views.PeoplePage, error) {
	v := visitOf(r)
	page := views.PeoplePage{Page: c.page(w, r, "people", "people.title"), Order: views.OrderValues{Times: "1"}}
	if v.env != lookup.Sandbox {
		return page, web.NotFound(errors.New("sandbox people in production"))
	}
	if c.Sandbox != nil {
		var err error
		if page.Board, err = c.Sandbox.Board(r.Context(), v.printer.Lang()); err != nil {
			// The people can be looked up all the same, and the page says what is missing.
			c.Log.WarnContext(r.Context(), "ask the sandbox for its cases", "error", err)
			page.Board = views.SandboxBoard{Known: true, Silent: true}
		}
	}
	page.Switches = switchValues(page.Board.Switches)
	var curps []string
	for _, person := range views.TestPeople {
		curps = append(curps, person.CURP)
	}
	for _, ugly := range page.Board.Cases {
		if ugly.Person != "" {
			curps = append(curps, ugly.Person)
		}
	}
	var err error
	page.Latest, err = c.DB.LatestOf(r.Context(), v.env, curps)
	return page, failed(err)
}

// The most that can be ordered at once, and the longest that the sandbox can be made to take.
const (
	maxOrder  = 10_000
	maxPause  = 600
	maxCalls  = 100_000
	maxOfADay = 100
)

// orderUgly asks the sandbox to misbehave. It strikes whoever comes next, hence the access.
func (c *Console) orderUgly(w http.ResponseWriter, r *http.Request) error {
	page, form, err := c.commanded(w, r)
	if err != nil {
		return err
	}
	page.Order = views.OrderValues{Case: form.Get("case"), Dialect: form.Get("dialect"), Times: form.Get("times"), Every: form.Get("every")}
	page.OrderErrors = map[string]views.Note{}
	order := views.UglyOrder{Case: page.Order.Case, Dialect: lookup.Dialect(page.Order.Dialect)}
	i := slices.IndexFunc(page.Board.Cases, func(u views.UglyCase) bool { return u.Name == order.Case })
	if i < 0 || !slices.Contains(page.Board.Cases[i].Dialects, order.Dialect) || !slices.Contains(page.Board.Dialects, order.Dialect) {
		page.OrderErrors["case"] = views.Note{ID: "simulator.case_bad"}
	}
	number := numbers(page.OrderErrors)
	order.Times = int(number("times", page.Order.Times, 1, maxOrder))
	if page.Order.Every != "" {
		order.Every = int(number("every", page.Order.Every, 1, maxOrder))
	}
	if len(page.OrderErrors) > 0 {
		return web.Invalid(w, r, views.People(page))
	}
	return c.commandDone(w, r, c.Sandbox.Order(r.Context(), order), "/sandbox#case-"+order.Case, "simulator.flash.ordered", "Title", page.Board.Cases[i].Title)
}

func (c *Console) forgetUgly(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := c.commanded(w, r); err != nil {
		return err
	}
	return c.commandDone(w, r, c.Sandbox.Forget(r.Context()), "/sandbox#cases", "simulator.flash.forgotten")
}

func (c *Console) resetSandbox(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := c.commanded(w, r); err != nil {
		return err
	}
	return c.commandDone(w, r, c.Sandbox.Reset(r.Context()), "/sandbox#cases", "simulator.flash.reset")
}

func (c *Console) switchSandbox(w http.ResponseWriter, r *http.Request) error {
	page, form, err := c.commanded(w, r)
	if err != nil {
		return err
	}
	typed := views.SwitchValues{Delay: form.Get("delay"), RetryGap: form.Get("retry_gap"), Rate: form.Get("rate"), DailyLimit: form.Get("daily_limit"),
		NoExternalID: form.Get("no_external_id"), Seed: form.Get("seed"), RecentLogin412: form.Bool("recent_login_412"),
		WithoutSalaries: form.Bool("without_salaries"), Share: map[string]string{}}
	for _, name := range views.StormCases {
		typed.Share[name] = form.Get("share_" + name)
	}
	page.Switches = typed
	switches, problems := readSwitches(typed, page.Board.Switches)
	if page.SwitchErrors = problems; len(problems) > 0 {
		return web.Invalid(w, r, views.People(page))
	}
	return c.commandDone(w, r, c.Sandbox.Switch(r.Context(), switches), "/sandbox#switches", "simulator.flash.switched")
}

// commanded reads a command to the sandbox; without a sandbox of ours there is nobody to command.
func (c *Console) commanded(w http.ResponseWriter, r *http.Request) (page views.PeoplePage, form *web.Form, err error) {
	if form, err = web.ParseForm(r, web.FormLimits{}); err != nil {
		return page, nil, err
	}
	if page, err = c.peoplePage(w, r); err == nil && !page.Board.Known {
		err = web.NotFound(errors.New("no sandbox of ours"))
	}
	return page, form, err
}

// commandDone leads back to the page and says how the command went.
func (c *Console) commandDone(w http.ResponseWriter, r *http.Request, err error, path, id string, args ...any) error {
	if err != nil {
		c.Log.WarnContext(r.Context(), "command the sandbox", "error", err, "actor", visitOf(r).actor.UserID)
		return c.flash(w, r, web.FlashError, path, "simulator.flash.failed")
	}
	c.Log.InfoContext(r.Context(), "sandbox commanded", "what", id, "actor", visitOf(r).actor.UserID)
	return c.done(w, r, path, id, args...)
}

// numbers gives a reader of typed numbers that notes what is wrong with them.
func numbers(problems map[string]views.Note) func(field, text string, low, high float64) float64 {
	return func(field, text string, low, high float64) float64 {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(n >= low && n <= high) {
			problems[field] = views.Note{ID: "simulator.switches.number_bad", Args: []any{"Min", int(low), "Max", int(high)}}
			return low
		}
		return n
	}
}

// readSwitches turns what was typed into switches. Shares of cases that the form does not offer are kept as they are.
func readSwitches(v views.SwitchValues, now views.SandboxSwitches) (views.SandboxSwitches, map[string]views.Note) {
	problems := map[string]views.Note{}
	number := numbers(problems)
	s := views.SandboxSwitches{RecentLogin412: v.RecentLogin412, WithoutSalaries: v.WithoutSalaries, NoExternalID: v.NoExternalID}
	if !slices.Contains(views.NoExternalIDs, v.NoExternalID) {
		problems["no_external_id"] = views.Note{ID: "simulator.case_bad"}
	}
	seconds := func(field, text string) *string {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		span := time.Duration(number(field, text, 0, maxPause) * float64(time.Second)).String()
		return &span
	}
	s.Delay, s.RetryGap = seconds("delay", v.Delay), seconds("retry_gap", v.RetryGap)
	if strings.TrimSpace(v.Rate) != "" {
		rate := int(number("rate", v.Rate, 0, maxCalls))
		s.Rate = &rate
	}
	if v.DailyLimit != "" {
		s.DailyLimit = int(number("daily_limit", v.DailyLimit, 0, maxOfADay))
	}
	storm := views.SandboxStorm{Share: map[string]float64{}}
	if now.Storm != nil {
		maps.Copy(storm.Share, now.Storm.Share)
	}
	sum := 0.0
	for _, name := range views.StormCases {
		delete(storm.Share, name)
		if text := strings.TrimSpace(v.Share[name]); text != "" {
			percent, err := strconv.ParseFloat(text, 64)
			if err != nil || !(percent >= 0 && percent <= 100) {
				problems["share_"+name] = views.Note{ID: "simulator.switches.share_bad"}
			} else if percent > 0 {
				storm.Share[name] = percent / 100
			}
		}
	}
	for _, share := range storm.Share {
		sum += share
	}
	if sum > 1 {
		problems["share_"+views.StormCases[0]] = views.Note{ID: "simulator.switches.shares_bad"}
	}
	if v.Seed != "" {
		storm.Seed = int(number("seed", v.Seed, 0, 1_000_000))
	}
	if len(storm.Share) > 0 {
		s.Storm = &storm
	}
	return s, problems
}

// switchValues writes switches as the form shows them.
func switchValues(s views.SandboxSwitches) views.SwitchValues {
	seconds := func(span *string) string {
		if span == nil {
			return ""
		}
		d, _ := time.ParseDuration(*span) // the sandbox's own text
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	}
	v := views.SwitchValues{Delay: seconds(s.Delay), RetryGap: seconds(s.RetryGap), DailyLimit: strconv.Itoa(s.DailyLimit), NoExternalID: s.NoExternalID,
		RecentLogin412: s.RecentLogin412, WithoutSalaries: s.WithoutSalaries, Share: map[string]string{}}
	if s.Rate != nil {
		v.Rate = strconv.Itoa(*s.Rate)
	}
	if s.Storm != nil {
		v.Seed = strconv.Itoa(s.Storm.Seed)
		for name, share := range s.Storm.Share {
			// Rounded, since 0.07 times 100 is not 7 in binary.
			v.Share[name] = strconv.FormatFloat(float64(int(share*10_000+0.5))/100, 'f', -1, 64)
		}
	}
	return v
}
