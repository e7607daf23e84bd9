package views

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"cotejo/internal/task"
	"cotejo/internal/webhook"
)

// ReplaysPage lists replays.
type ReplaysPage struct {
	Page
	List          []webhook.Replay
	After, Before string // opaque keys of the older and newer pages, "" = none
}

func (v ReplaysPage) links() PageLinks {
	links := PageLinks{Rows: len(v.List)}
	if v.Before != "" {
		links.Newer = "/replays?before=" + v.Before
	}
	if v.After != "" {
		links.Older = "/replays?after=" + v.After
	}
	return links
}

// NewReplayPage is the count and the preview of a replay that has not begun.
type NewReplayPage struct {
	Page
	Values        DeliveryFilterValues
	Subscriptions []webhook.Subscription
	Delivery      uuid.UUID // zero: chosen by Values
	Count         int       // one more than webhook.MostReplayed: too many
	Refused       int       // left out, capped at WaitingCap
	UpTo          int64
	Rows          []webhook.Replayed
	First         bool   // the first page of the preview
	After         string // opaque key of the preview's next page
	Busy          bool   // the rows are being changed right now
	Errors        map[string]Note
}

// query is the address of this set, with more parameters.
func (v NewReplayPage) query(more ...string) string {
	return withQuery("/replays/new", v.Values.Query(v.Delivery), more)
}

// fields are the set as hidden fields, in a fixed order.
func (v NewReplayPage) fields() [][2]string {
	q := v.Values.Query(v.Delivery)
	q.Set("up_to", strconv.FormatInt(v.UpTo, 10))
	var fields [][2]string
	for _, name := range slices.Sorted(maps.Keys(q)) {
		fields = append(fields, [2]string{name, q.Get(name)})
	}
	return fields
}

func (v NewReplayPage) chosen() []string {
	return chosenWords(v.Page, v.Values, v.Delivery, v.Subscriptions)
}

// would counts the rows of the preview with a result.
func (v NewReplayPage) would(result webhook.ReplayResult) (n int) {
	for _, r := range v.Rows {
		if r.Result == result {
			n++
		}
	}
	return n
}

// ReplayPage is one replay: how far it is, and what became of each delivery.
type ReplayPage struct {
	Page
	Replay        webhook.Replay
	Subscriptions []webhook.Subscription
	Result        webhook.ReplayResult // the rows are narrowed to it; "" = not
	Rows          []webhook.Replayed
	After, Before string
}

func (v ReplayPage) path(more string) string { return "/replays/" + v.Replay.UID.String() + more }

func (v ReplayPage) list(more ...string) string {
	q := url.Values{}
	if v.Result != "" {
		q.Set("result", string(v.Result))
	}
	return withQuery(v.path(""), q, more)
}

func (v ReplayPage) links() PageLinks {
	links := PageLinks{Rows: len(v.Rows)}
	if v.Before != "" {
		links.Newer = v.list("before", v.Before)
	}
	if v.After != "" {
		links.Older = v.list("after", v.After)
	}
	return links
}

func (v ReplayPage) chosen() []string {
	chosen := v.Replay.Chosen
	delivery, _ := uuid.Parse(chosen["delivery"])
	return chosenWords(v.Page, DeliveryFilterValues{Dialect: chosen["dialect"], Status: chosen["status"], Verdict: chosen["verdict"], Cause: chosen["cause"],
		Action: chosen["action"], Subscription: chosen["subscription"], Account: chosen["account"], Lookup: chosen["lookup"],
		From: chosen["from"], To: chosen["to"], Text: chosen["text"]}, delivery, v.Subscriptions)
}

// state is the word for how the replay stands.
func (v ReplayPage) state() string { return replayState(v.Replay) }

func replayState(r webhook.Replay) string {
	if r.Stalled {
		return "stalled"
	}
	return string(r.State)
}

func replayMark(r webhook.Replay) string {
	switch replayState(r) {
	case "running":
		return "pending"
	case "paused":
		return "incomplete"
	case "done":
		return "success"
	case "stalled":
		return "error"
	}
	return "ignored"
}

func resultMark(r webhook.ReplayResult) string {
	switch r {
	case webhook.ResultChanged:
		return "accepted"
	case webhook.ResultNothing:
		return "ignored"
	case webhook.ResultFailed:
		return "error"
	}
	return string(r)
}

// keptText stands for a text that was searched for in bodies: it may be personal, so only that there was one is kept.
const keptText = "…"

// Query is the filter, or the one delivery, as an address spells it.
func (v DeliveryFilterValues) Query(delivery uuid.UUID) url.Values {
	if delivery != uuid.Nil {
		return url.Values{"delivery": {delivery.String()}}
	}
	u, err := url.Parse(v.url())
	if err != nil {
		return url.Values{}
	}
	return u.Query()
}

// Kept is the filter as it is kept with a replay or a receipt.
func (v DeliveryFilterValues) Kept(delivery uuid.UUID) map[string]string {
	searched := v.Text != "" && delivery == uuid.Nil
	v.Search = "" // that id ends within the hour
	kept := map[string]string{}
	for name, values := range v.Query(delivery) {
		kept[name] = values[0]
	}
	if searched {
		kept["text"] = keptText
	}
	return kept
}

// DeliveryFilterNames are the parameters that a filter may have.
func DeliveryFilterNames() []string {
	return slices.Sorted(maps.Keys(DeliveryFilterValues{Dialect: "x", Status: "x", Verdict: "x", Cause: "x", Action: "x", Subscription: "x", Account: "x",
		Lookup: "x", From: "x", To: "x", Search: "x"}.Query(uuid.Nil)))
}

// chosenWords puts a set into words, as the ledger's chips do.
func chosenWords(p Page, values DeliveryFilterValues, delivery uuid.UUID, hooks []webhook.Subscription) []string {
	if delivery != uuid.Nil {
		return []string{p.T("replays.single")}
	}
	var words []string
	for _, c := range (DeliveriesPage{Page: p, Values: values, Subscriptions: hooks}).chips() {
		words = append(words, c.Word)
	}
	if words == nil {
		return []string{p.T("replays.all")}
	}
	return words
}

// JobsPage is the queue.
type JobsPage struct {
	Page
	List          []task.Job
	Filter        task.Filter
	Counts        []task.Count
	Counted       int // where counts stop, in each state
	After, Before string
}

// Query is the list's filter as its address spells it.
func (v JobsPage) Query() url.Values {
	q := url.Values{}
	if v.Filter.State != "" {
		q.Set("state", string(v.Filter.State))
	}
	if v.Filter.Kind != "" {
		q.Set("kind", v.Filter.Kind)
	}
	return q
}

func (v JobsPage) links() PageLinks {
	links := PageLinks{Rows: len(v.List)}
	if v.Before != "" {
		links.Newer = withQuery("/jobs", v.Query(), []string{"before", v.Before})
	}
	if v.After != "" {
		links.Older = withQuery("/jobs", v.Query(), []string{"after", v.After})
	}
	return links
}

// count is how many jobs stand in a state, of a kind or ("") of all, with a plus where counting stopped.
func (v JobsPage) count(state task.State, kind string) string {
	n, whole := 0, 0
	for _, c := range v.Counts {
		if c.State == state {
			whole += c.N
			if kind == "" || c.Kind == kind {
				n += c.N
			}
		}
	}
	if n > 0 && whole >= v.Counted {
		return v.P.Number(int64(n)) + "+"
	}
	return v.P.Number(int64(n))
}

// kinds are those of which there are any, the known ones first.
func (v JobsPage) kinds() []string {
	var kinds []string
	for _, kind := range task.Kinds {
		if slices.ContainsFunc(v.Counts, func(c task.Count) bool { return c.Kind == kind }) {
			kinds = append(kinds, kind)
		}
	}
	for _, c := range v.Counts {
		if !slices.Contains(kinds, c.Kind) {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}

// kindWord is what a kind of job does; one that another version left is shown by its name.
func (p Page) kindWord(kind string) string {
	if id := "queue.kind." + kind; p.P.Has(id) {
		return p.T(id)
	}
	return kind
}

func jobMark(s task.State) string {
	switch s {
	case task.Discarded:
		return "error"
	case task.Retryable:
		return "incomplete"
	case task.Running:
		return "pending"
	case task.Completed:
		return "success"
	case task.Cancelled:
		return "ignored"
	}
	return "queued"
}

// replayedWords puts what changed into words: the verdict of the delivery, and the rows of its lookup.
func replayedWords(p Page, r webhook.Replayed) []webhook.Change {
	var words []webhook.Change
	if r.Verdict != r.VerdictWas || r.Cause != r.CauseWas {
		word := func(v webhook.Verdict, cause webhook.Cause) string {
			text := p.T("ui.verdict." + verdictMark(v, cause))
			if cause != webhook.CauseNone && string(cause) != verdictMark(v, cause) {
				text += " (" + causeWord(p, cause) + ")"
			}
			return text
		}
		words = append(words, webhook.Change{What: p.T("ui.verdict.label"), Before: word(r.VerdictWas, r.CauseWas), After: word(r.Verdict, r.Cause)})
	}
	d := DeliveryPage{Page: p}
	for _, c := range r.Changes {
		words = append(words, webhook.Change{What: d.changeWord(c.What), Before: d.changeValue(c.What, c.Before), After: d.changeValue(c.What, c.After)})
	}
	return words
}

// back is where whoever thinks better of it goes.
func (v NewReplayPage) back() string {
	if v.Delivery != uuid.Nil {
		return "/deliveries/" + v.Delivery.String()
	}
	return v.Values.url()
}

func (v NewReplayPage) upTo() string { return strconv.FormatInt(v.UpTo, 10) }

// at is the address of the jobs of a state and a kind.
func (v JobsPage) at(state task.State, kind string) string {
	return withQuery("/jobs", JobsPage{Filter: task.Filter{State: state, Kind: kind}}.Query(), nil)
}

func (v JobsPage) stateOptions() []Option {
	options := make([]Option, len(task.States))
	for i, s := range task.States {
		options[i] = Option{Value: string(s), Word: v.T("queue.state." + string(s))}
	}
	return options
}

func (v JobsPage) kindOptions() []Option {
	options := make([]Option, len(task.Kinds))
	for i, kind := range task.Kinds {
		options[i] = Option{Value: kind, Word: v.kindWord(kind)}
	}
	return options
}

func (v JobsPage) mayRetry() bool {
	return slices.ContainsFunc(v.List, func(j task.Job) bool { return j.State.Retries() })
}

func (v JobsPage) mayCancel() bool {
	return slices.ContainsFunc(v.List, func(j task.Job) bool { return j.State.Cancels() })
}

// argWords are a job's arguments in one line.
func argWords(args []task.Arg) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a.Name + " " + a.Value
	}
	return strings.Join(words, " · ")
}
