package db_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/find"
	"cotejo/internal/lookup"
)

// crowd makes people known by name, and one who was asked about.
func (b *bench) crowd() {
	b.t.Helper()
	b.request(lookup.Sandbox, alejandro)
	b.request(lookup.Production, alejandro)
	b.exec(`insert into people (environment, curp, rfc, name, nss, asked_at) values
 ('sandbox', 'PELJ900101HDFRPN09', null, 'JOSÉ MARÍA PÉREZ LÓPEZ', '02189216878', '2026-03-03Z'),
 ('sandbox', 'PELJ900101HDFRPN17', null, 'Pérez-López Juana', '02189200000', '2026-03-02Z'),
 ('sandbox', null, 'PELJ900101AB1', '', '', '2026-03-01Z'),
 ('sandbox', null, 'XCO900101AB1', 'Comercializadora Ñandú', '', '2026-03-01Z'),
 ('production', 'PELJ900101HDFRPN09', null, 'JOSÉ MARÍA PÉREZ LÓPEZ', '02189216878', '2026-03-03Z')`)
}

// employed gives a lookup an employment answer with these employers.
func (b *bench) employed(lookupID int64, employers ...string) {
	b.t.Helper()
	pull := value[int64](b, `insert into pulls (lookup_id, attempt_id, kind, state, http_status, took_ms, body, sha256)
select lookup_id, id, 'employment', 'complete', 200, 1, '', sha256('') from attempts where lookup_id = $1 returning id`, lookupID)
	b.exec(`insert into employments (pull_id) values ($1)`, pull)
	b.exec(`insert into employment_records (pull_id, position, employer) select $1, row_number() over (), e from unnest($2::text[]) e`, pull, employers)
}

func (b *bench) find(env lookup.Environment, text string, page lookup.Page) db.Found {
	b.t.Helper()
	if page.Limit == 0 {
		page.Limit = 50
	}
	f, err := b.Find(b.ctx, env, find.Read(text), page, b.by)
	b.must(err)
	return f
}

func names(f db.Found) string {
	var list []string
	for _, p := range f.People {
		list = append(list, p.Name+p.CURP[min(len(p.CURP), 16):]+p.RFC)
	}
	return strings.Join(list, ", ")
}

// The schema folds text as package find does, or nothing would be found.
func TestFoldsAlike(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, text := range []string{"", "GARCÍA Ñúñez", "Coppel, S.A. de C.V.", "ﬁn Ⅳ ½ İK", "a\u0301b\u0308", "Петров 7", "tab\tand\nline", "'quote' & | ! :*", "日本 3M", "ÆØß ẞ"} {
		if got, want := value[string](b, `select folded($1)`, text), find.Fold(text); got != want {
			t.Errorf("%q folds to %q in the schema, %q in Go", text, got, want)
		}
	}
	// A hostile name neither breaks the index nor the answer that it came with.
	b.request(lookup.Sandbox, alejandro)
	b.exec(`update people set name = repeat('x', 5000)`)
	b.employed(value[int64](b, `select id from lookups`), strings.Repeat("y", 9000), "", "Петров", "  ")
	if n := value[int](b, `select count(*) from employers`); n != 1 {
		t.Errorf("%d employers, want 1", n)
	}
}

// What is looked for nearby and by the index is the same.
func TestBeginningsAreWords(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	names := []string{"", "MARÍA DE LA LUZ Ñúñez", "De Luna, Mar", "Ma. O'Higgins-Li", "Li", "Lin", "3M de México", strings.Repeat("nombre ", 40), strings.Repeat("x", 300)}
	for _, name := range names {
		for _, typed := range []string{"maria", "mar", "ma", "m", "luz de", "nun", "li", "lin", "higgins o", "3m", "nombre", "nombres", "mex 3m", strings.Repeat("x", 200), strings.Repeat("x", 201)} {
			words := find.Words(typed)
			if !value[bool](b, `select (folded_words($1) @@ $2::tsquery) = (word_beginnings(folded_words($1)) @@ $3::tsquery)`, name, find.Query(words), find.Beginnings(words)) {
				t.Errorf("%q among the words of %q, or their beginnings: only one of them finds it", typed, name)
			}
		}
	}
	if !value[bool](b, `select word_beginnings(folded_words('María')) @@ 'mar'::tsquery and not word_beginnings(folded_words('María')) @@ 'ma'::tsquery`) {
		t.Error("a beginning of three letters is found, and one of two is not")
	}
}

func TestFindPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crowd()
	for text, want := range map[string]string{
		"perez":                    "name: JOSÉ MARÍA PÉREZ LÓPEZ09, Pérez-López Juana17",
		"LOPEZ pérez jos":          "name: JOSÉ MARÍA PÉREZ LÓPEZ09",
		"nandu":                    "name: Comercializadora ÑandúXCO900101AB1",
		"erez":                     "name: ",
		"PELJ900101HDFRPN09":       "curp: JOSÉ MARÍA PÉREZ LÓPEZ09",
		"pelj900101hdf":            "curp: JOSÉ MARÍA PÉREZ LÓPEZ09, Pérez-López Juana17",
		"PELJ9":                    "curp: PELJ900101AB1, JOSÉ MARÍA PÉREZ LÓPEZ09, Pérez-López Juana17",
		"PELJ900101AB1":            "rfc: PELJ900101AB1, JOSÉ MARÍA PÉREZ LÓPEZ09, Pérez-López Juana17",
		"PELJ900101ZZ9":            "rfc: JOSÉ MARÍA PÉREZ LÓPEZ09, Pérez-López Juana17",
		"XCO900101AB1":             "rfc: Comercializadora ÑandúXCO900101AB1",
		"XCO900101":                "rfc: Comercializadora ÑandúXCO900101AB1",
		"ÑCO900101AB1":             "rfc: ",
		"02189216878":              "nss: JOSÉ MARÍA PÉREZ LÓPEZ09",
		"021892":                   "nss: Pérez-López Juana17, JOSÉ MARÍA PÉREZ LÓPEZ09",
		"ZZZZ900101HDFRPN01":       "curp: ",
		"' & perez | !x:* \\ drop": "name: ",
	} {
		f := b.find(lookup.Sandbox, text, lookup.Page{})
		if got := string(f.Reading.Kind) + ": " + names(f); got != want {
			t.Errorf("%q finds %s, want %s", text, got, want)
		}
	}
	if got := b.find(lookup.Production, "perez", lookup.Page{}); len(got.People) != 1 {
		t.Errorf("the other environment has %s", names(got))
	}
	// What a person was last asked about comes along.
	b.exec(`update people set name = 'Alejandro García' where curp = $1`, alejandro)
	f := b.find(lookup.Sandbox, "garcia alejandro", lookup.Page{})
	if len(f.People) != 1 || f.People[0].Lookups != 1 || f.People[0].Latest.CURP != alejandro || f.People[0].Latest.Environment != lookup.Sandbox {
		t.Errorf("found %+v", f.People)
	}
}

// Pages are turned both ways under every order.
func TestFoundPagesBothWays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.seed(12, 1)
	b.exec(`alter table audit_entries enable trigger user`)
	b.exec(`update lookups set reference = 'Exp-' || (id % 4)`)
	b.exec(`insert into people (environment, curp, name, nss, asked_at)
select 'sandbox', 'PELJ900101HDFRPN' || lpad(g::text, 2, '0'), 'Juana Pérez', '0218920000' || g % 3, timestamptz '2026-03-01Z' + g % 4 * interval '1 hour' from generate_series(10, 21) g`)
	b.exec(`insert into employers (environment, name, folded) values ('sandbox', 'Tienda Uno', 'tienda uno'), ('sandbox', 'Tienda Dos', 'tienda dos'), ('production', 'Tienda Tres', 'tienda tres')`)
	b.exec(`insert into lookup_employers (employer_id, lookup_id) select e.id, l.id from employers e, lookups l where l.id % 2 = 0 or e.folded = 'tienda uno'`)
	for text, kind := range map[string]find.Kind{"juana": find.Name, "PELJ90": find.CURP, "0218920": find.NSS, "exp-": find.Reference, "tienda": find.Employer} {
		readings := find.Read(text)
		for len(readings) > 1 && readings[0].Kind != kind {
			readings = readings[1:]
		}
		keys := func(f db.Found) (ids []int64) {
			for _, p := range f.People {
				ids = append(ids, p.ID)
			}
			for _, l := range f.Lookups {
				ids = append(ids, l.ID)
			}
			return ids
		}
		var forth []int64
		page := lookup.Page{Limit: 5}
		var f db.Found
		for {
			var err error
			f, err = b.Find(b.ctx, lookup.Sandbox, readings, page, b.by)
			b.must(err)
			if f.Newer != (len(forth) > 0) || f.Hits() == 0 || f.Hits() > 5 {
				t.Fatalf("%s after %d: newer %v, %d hits", kind, len(forth), f.Newer, f.Hits())
			}
			forth = append(forth, keys(f)...)
			if !f.Older {
				break
			}
			page = lookup.Page{Limit: 5, After: f.Last}
		}
		seen := map[int64]bool{}
		for _, id := range forth {
			seen[id] = true
		}
		if len(forth) != 12 || len(seen) != 12 {
			t.Errorf("%s: %d rows, %d different, want 12", kind, len(forth), len(seen))
		}
		back, err := b.Find(b.ctx, lookup.Sandbox, readings, lookup.Page{Limit: 5, Before: f.First}, b.by)
		b.must(err)
		if diff := cmp.Diff(forth[5:10], keys(back)); diff != "" || !back.Newer || !back.Older {
			t.Errorf("%s: the page before (-want +got):\n%s", kind, diff)
		}
	}
}

// Whatever stores records makes their employers findable, once each, in their own environment.
func TestFindByEmployer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, second := b.request(lookup.Sandbox, alejandro), b.request(lookup.Sandbox, eduardo)
	live := b.request(lookup.Production, alejandro)
	b.employed(first.id, "COPPEL, S.A. DE C.V.", "Coppel SA de CV", "Pemex")
	b.employed(first.id, "COPPEL, S.A. DE C.V.")
	b.employed(second.id, "coppel s a de c v", "Petróleos Mexicanos")
	b.employed(live.id, "Coppel S.A. de C.V.")
	f := b.find(lookup.Sandbox, "cóppel", lookup.Page{})
	if f.Reading.Kind != find.Employer || len(f.Lookups) != 2 || f.Lookups[0].ID != second.id {
		t.Fatalf("found %d as %s", len(f.Lookups), f.Reading.Kind)
	}
	if diff := cmp.Diff([]find.Kind{find.Name}, f.Vain); diff != "" {
		t.Error(diff)
	}
	if got := b.find(lookup.Sandbox, "petroleos", lookup.Page{}); len(got.Lookups) != 1 || len(got.Employers) != 1 || got.Employers[0] != "Petróleos Mexicanos" {
		t.Errorf("found %d by %v", len(got.Lookups), got.Employers)
	}
	if n := value[int](b, `select count(*) from employers where folded = 'coppel s a de c v'`); n != 2 {
		t.Errorf("%d employers of that name, want one for each environment", n)
	}
	b.exec(`insert into employers (environment, name, folded) select 'sandbox', 'Coppel ' || g, 'coppel ' || g from generate_series(1, 250) g`)
	if got := b.find(lookup.Sandbox, "coppel", lookup.Page{}); !got.ManyEmployer {
		t.Error("a cut is not told")
	}
}

// Each search is on the trail, with its kind and how much it showed, and who it showed when it is one person.
func TestSearchesAreOnTheTrail(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.crowd()
	for text, want := range map[string]string{
		"PELJ900101HDFRPN09": "curp 1 PELJ900101HDFRPN09", "perez lopez": "name 2 ", "nobody there": "name 0 ", "02189216878": "nss 1 PELJ900101HDFRPN09"} {
		b.find(lookup.Sandbox, text, lookup.Page{})
		if got := value[string](b, `select e.detail || ' ' || coalesce(p.curp, '') from audit_entries e left join people p on p.id = e.person_id
 where e.action = $1 order by e.id desc limit 1`, audit.Searched); got != want {
			t.Errorf("%q is on the trail as %q, want %q", text, got, want)
		}
	}
	b.find(lookup.Sandbox, "perez", lookup.Page{Limit: 1})
	if got := value[string](b, `select detail || coalesce(person_id::text, '') from audit_entries order by id desc limit 1`); got != "name 1+" {
		t.Errorf("a page of several is on the trail as %q", got)
	}
	if n := value[int](b, `select count(*) from audit_entries e where e::text ~* 'perez|PELJ|02189216878'`); n != 0 {
		t.Errorf("%d entries hold what was typed", n)
	}
}

// A kept search opens for who made it, in its environment, for its hour; the table holds nothing readable.
func TestKeptSearches(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := b.user("otra@example.mx", "analyst")
	id, err := b.KeepSearch(b.ctx, lookup.Sandbox, alejandro, b.analyst.ID)
	b.must(err)
	text, err := b.KeptSearch(b.ctx, lookup.Sandbox, id, b.analyst.ID)
	b.must(err)
	if text != alejandro {
		t.Errorf("kept %d characters", len(text))
	}
	for name, try := range map[string]func() error{
		"somebody else": func() error { _, err := b.KeptSearch(b.ctx, lookup.Sandbox, id, other.ID); return err },
		"elsewhere":     func() error { _, err := b.KeptSearch(b.ctx, lookup.Production, id, b.analyst.ID); return err },
		"another id":    func() error { _, err := b.KeptSearch(b.ctx, lookup.Sandbox, uuid.New(), b.analyst.ID); return err },
	} {
		if err := try(); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := value[int](b, `select count(*) from searches where position($1::bytea in sealed) > 0 or searches::text like '%' || $2 || '%'`, []byte(alejandro), alejandro); n != 0 {
		t.Error("the text is not sealed")
	}
	b.exec(`update searches set expires_at = now() - interval '1 second'`)
	if _, err := b.KeptSearch(b.ctx, lookup.Sandbox, id, b.analyst.ID); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("after its hour: %v", err)
	}
	b.must(b.Tidy(b.ctx))
	if n := value[int](b, `select count(*) from searches`); n != 0 {
		t.Errorf("%d searches are kept", n)
	}
}

// However many there are, no search reads the whole of a large table.
func TestSearchesUseAnIndex(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	restore := value[[]string](b, `select array_agg(indexdef) from pg_indexes i where schemaname = 'public' and tablename = 'people'
  and not exists (select 1 from pg_constraint c where c.conindid = format('%I', i.indexname)::regclass)`)
	for _, d := range restore { // a large seed builds them afterwards too
		b.exec(`drop index ` + strings.Fields(d)[2])
	}
	// There are 700 names. To fold each of them once is little of the work of doing so for each person, and the plans are the same.
	b.exec(`alter table people alter column words drop expression`)
	b.exec(`with names as materialized (
  select n, name, folded_words(name) as words from generate_series(0, 699) n, lateral (select case when n % 5 = 0 then 'María' else 'José' end || ' apellido' || n) as t (name))
insert into people (environment, curp, name, words, nss, asked_at)
select 'sandbox', 'PELJ' || lpad((g % 100)::text, 2, '0') || '0101HDFR' || chr(65 + g / 67600) || chr(65 + g / 2600 % 26) || chr(65 + g / 100 % 26) || g % 10,
       n.name, n.words, lpad(g::text, 11, '0'), timestamptz '2026-03-01Z' + g * interval '1 second'
  from generate_series(1, 200000) g join names n on n.n = g % 700`)
	if n := value[int](b, `select count(*) from people`); n < 200_000 {
		t.Fatalf("%d people", n)
	}
	for _, d := range restore {
		b.exec(d)
	}
	b.exec(`analyze people`)
	for _, text := range []string{"maria", "apellido77", "maria apellido5", "PELJ900101", "PELJ900101HDFRPN09", "PELJ900101AB1", "XYZ900101AB1", "00000000077"} {
		for _, page := range []lookup.Page{{Limit: 50}, {Limit: 50, After: lookup.Cursor{At: day(2026, 3, 1), ID: 900}}} {
			r := find.Read(text)[0]
			explain := func(statement string, args []any, _ bool) {
				rows, err := b.Pool().Query(b.ctx, "explain "+statement, args...)
				b.must(err)
				lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
				b.must(err)
				if plan := strings.Join(lines, "\n"); strings.Contains(plan, "Seq Scan") {
					t.Errorf("%s:\n%s", text, plan)
				}
			}
			if r.Kind == find.Name {
				explain(db.NamesNearby(lookup.Sandbox, r, page))
				explain(db.NamesAnywhere(lookup.Sandbox, r, page))
			} else {
				explain(db.PeoplePage(lookup.Sandbox, r, page, ""))
			}
		}
	}
}
