package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// samples are measurements of one thing.
type samples []float64

func (s samples) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// percentile is the smallest measurement that p per cent of all do not exceed.
func (s samples) percentile(p int) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[max(int(math.Ceil(float64(len(sorted)*p)/100))-1, 0)]
}

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// Figure is one measurement with its limit on the same machine in the same run; Limit 0: there is none to name.
type Figure struct {
	What    string
	Value   float64
	Unit    string
	Limit   float64
	LimitIs string
}

// PageTime is how long a page takes at two sizes of the database, in milliseconds.
type PageTime struct {
	What         string
	Small, Large samples
}

// Seeded is how long invented lookups took to load.
type Seeded struct {
	Lookups, Deliveries int
	Took                time.Duration
}

// Report is a whole run.
type Report struct {
	Figures  []Figure
	Pages    []PageTime
	Sweeps   []Sweep
	Seeds    []Seeded
	Postgres string

	size          size
	quick         bool
	version       string
	began         time.Time
	took          time.Duration
	before, after string // load averages
}

func newReport(o Options) *Report {
	return &Report{size: o.size(), quick: o.Quick, version: o.Version, began: time.Now(), before: load()}
}

func (r *Report) add(f Figure) { r.Figures = append(r.Figures, f) }

func (r *Report) finish() { r.took, r.after = time.Since(r.began), load() }

// Markdown writes the report as it stands in docs/benchmarks.md.
func (r *Report) Markdown(w io.Writer) {
	fmt.Fprintf(w, "Measured on %s, in %s, with version %s.\n\n", r.began.UTC().Format("2 January 2006, 15:04 UTC"), r.took.Round(time.Second), r.version)
	fmt.Fprintf(w, "| machine | |\n|---|---|\n| processor | %s, %d cores |\n| system | %s, %s/%s |\n| PostgreSQL | %s, settings of `cotejo serve` without `DATABASE_URL` |\n| Go | %s |\n| load average before, after | %s, %s |\n\n",
		lineOf("/proc/cpuinfo", "model name", ":"), runtime.NumCPU(), lineOf("/etc/os-release", "PRETTY_NAME", "="), runtime.GOOS, runtime.GOARCH, r.Postgres, runtime.Version(), r.before, r.after)
	if r.quick {
		fmt.Fprint(w, "A quick run: it shows that the bench works, not how fast Cotejo is.\n\n")
	}
	fmt.Fprint(w, "| what | Cotejo | limit in the same run | ratio |\n|---|---:|---|---:|\n")
	for _, f := range r.Figures {
		limit, ratio := "", ""
		if f.Limit > 0 {
			limit = amount(f.Limit) + " " + f.Unit + ", " + f.LimitIs
			ratio = strconv.FormatFloat(f.Value/f.Limit, 'f', 2, 64)
		}
		fmt.Fprintf(w, "| %s | %s %s | %s | %s |\n", f.What, amount(f.Value), f.Unit, limit, ratio)
	}
	fmt.Fprintf(w, "\n| page, in ms | %s lookups: p50 | p99 | %s lookups: p50 | p99 | ratio of p50 |\n|---|---:|---:|---:|---:|---:|\n", thousands(r.size.small), thousands(r.size.large))
	for _, p := range r.Pages {
		small, large := p.Small.percentile(50), p.Large.percentile(50)
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %.2f |\n", p.What, amount(small), amount(p.Small.percentile(99)), amount(large), amount(p.Large.percentile(99)), large/small)
	}
	r.sweeps(w)
	r.slowerPages(w)
	fmt.Fprintln(w)
	for _, s := range r.Seeds {
		fmt.Fprintf(w, "Loading %s invented lookups with %s deliveries took %s.\n", thousands(s.Lookups), thousands(s.Deliveries), s.Took.Round(100*time.Millisecond))
	}
}

// sweeps writes what the lists were asked for: the middle and the slowest question, how many took too long, and how many
// took more than twice their time with few rows.
func (r *Report) sweeps(w io.Writer) {
	if len(r.Sweeps) == 0 {
		return
	}
	fmt.Fprintf(w, "\n| what package db is asked, in ms | questions | median | slowest | limit | over it | slowest is |\n|---|---:|---:|---:|---:|---:|---|\n")
	for _, s := range r.Sweeps {
		over := s.count(func(i int) bool { return s.Large[i] > longMS })
		slowest := s.most(func(i int) float64 { return s.Large[i] })
		fmt.Fprintf(w, "| %s | %s | %s | %s | %d | %d | %s |\n", s.What, thousands(len(s.Large)), amount(s.Large.median()), amount(s.Large[slowest]), longMS, over, s.Questions[slowest])
	}
	fmt.Fprintf(w, "\n| the same, beside %s lookups | median there | ratio of medians | limit | over it | with an answer as long as there | over it | of these over %d ms | highest of those |\n|---|---:|---:|---:|---:|---:|---:|---:|---|\n",
		thousands(r.size.small), noticedMS)
	for _, s := range r.Sweeps {
		over := s.count(func(i int) bool { return s.ratio(i) > slower })
		alike := s.count(func(i int) bool { return s.Alike[i] })
		alikeOver := s.count(func(i int) bool { return s.Alike[i] && s.ratio(i) > slower })
		noticed := func(i int) bool { return s.Alike[i] && s.ratio(i) > slower && s.Large[i] > noticedMS }
		worst := "none"
		if s.count(noticed) > 0 {
			i := s.most(func(i int) float64 {
				if !noticed(i) {
					return 0
				}
				return s.ratio(i)
			})
			worst = fmt.Sprintf("%.1f: %s, %s ms", s.ratio(i), s.Questions[i], amount(s.Large[i]))
		}
		fmt.Fprintf(w, "| %s | %s | %.2f | %d | %d | %s | %d | %d | %s |\n", s.What, amount(s.Small.median()), s.Large.median()/s.Small.median(), slower, over,
			thousands(alike), alikeOver, s.count(noticed), worst)
	}
}

// slowerPages writes how the pages of what took package db over twice its time with few rows take themselves.
func (r *Report) slowerPages(w io.Writer) {
	if !slices.ContainsFunc(r.Sweeps, func(s Sweep) bool { return len(s.Slower) > 0 }) {
		return
	}
	fmt.Fprintf(w, "\n| what took package db over %d times its time beside %s lookups, as pages, in ms | pages | median there | median | limit | over it | highest ratio |\n|---|---:|---:|---:|---:|---:|---|\n", slower, thousands(r.size.small))
	for _, s := range r.Sweeps {
		if len(s.Slower) == 0 {
			continue
		}
		var small, large samples
		over, worst := 0, s.Slower[0]
		for _, p := range s.Slower {
			small, large = append(small, p.Small.median()), append(large, p.Large.median())
			if p.ratio() > slower {
				over++
			}
			if p.ratio() > worst.ratio() {
				worst = p
			}
		}
		fmt.Fprintf(w, "| %s | %d | %s | %s | %d | %d | %.2f: %s, %s ms |\n", s.What, len(s.Slower), amount(small.median()), amount(large.median()), slower, over,
			worst.ratio(), worst.What, amount(worst.Large.median()))
	}
}

func (p PageTime) ratio() float64 { return p.Large.median() / max(p.Small.median(), 0.001) }

// noticedMS is what adds nothing to a page that anybody could notice, whatever its ratio.
const noticedMS = 5

func (s Sweep) ratio(i int) float64 { return s.Large[i] / max(s.Small[i], 0.001) }

func (s Sweep) count(is func(i int) bool) (n int) {
	for i := range s.Large {
		if is(i) {
			n++
		}
	}
	return n
}

// most gives the question of which something is highest.
func (s Sweep) most(of func(i int) float64) (at int) {
	for i := range s.Large {
		if of(i) > of(at) {
			at = i
		}
	}
	return at
}

// amount writes three figures of a number: more would be noise.
func amount(v float64) string {
	switch {
	case v >= 1000:
		return thousands(int(math.Round(v)))
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(b)); err == nil && len(fields) > 0 {
		return fields[0]
	}
	return "not known"
}

// lineOf gives the value of the first line of a file that begins with key.
func lineOf(path, key, sign string) string {
	f, err := os.Open(path)
	if err != nil {
		return "not known"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), sign); ok && strings.TrimSpace(name) == key {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return "not known"
}

const (
	beginMark = "<!-- figures: written by `cotejo bench --write`, not by hand -->"
	endMark   = "<!-- end of figures -->"
)

// WriteInto puts the report between the marks of a document, leaving the rest as it is.
func (r *Report) WriteInto(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for figures: the lines %q and %q mark it", path, beginMark, endMark)
	}
	var text strings.Builder
	text.WriteString(before + beginMark + "\n\n")
	r.Markdown(&text)
	text.WriteString("\n" + endMark + after)
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
