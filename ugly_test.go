package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/lookup"
	"cotejo/internal/webhook"
)

// uglyPlay is one ugly case of the sandbox (docs/sandbox.md#ugly-cases) and what the whole product makes of it.
type uglyPlay struct {
	name   string
	person string
	state  string // the lookup when everything was sent: status, detail, profile, employment
	later  string // and when the vendor was asked, or time ran out; "" = the same
	// What came of it, in any order: action, verdict, cause, answer. Each delivery stands there as often as it arrived.
	ledger []string
}

// Each ugly case that can follow a person, all at once: the lookup ends as it should, each delivery is kept as it was
// sent and answered as it should be, and no job dies of it.
func TestUglyPalenca(t *testing.T) {
	t.Parallel()
	y := openYard(t)
	y.demandSignatures(lookup.Palenca)
	created := "login.created accepted 200"
	success := "login.success accepted 200"
	refused := func(cause string, answer int) []string {
		return slices.Repeat([]string{fmt.Sprintf("refused %s %d", cause, answer)}, 4) // the vendor tries four times
	}
	plays := []uglyPlay{
		{"duplicate", "IIRM880603HSPXVX08", "success complete complete", "", []string{created, success, "login.success duplicate 200"}},
		{"late", "CACS960323HQTLRM05", "success complete complete", "", []string{created, success}},
		{"out_of_order", "GOSL870416MYNNRR07", "success complete complete", "", []string{created, success}},
		{"lost", "EUIS870630MYNSGS04", "pending none none", "success complete complete", []string{created}},
		{"wrong_signature", "GAFS840817MBCMNL02", "pending none none", "success complete complete", append(refused("signature_mismatch", 401), created)},
		{"altered_body", "VISV820323MBCLLR08", "pending none none", "success complete complete", append(refused("signature_mismatch", 401), created)},
		{"unknown_event", "TELL860611HVZLZS04", "success complete complete", "", []string{created, "login.renewed ignored unknown_event 200", success}},
		{"unknown_status", "OIGM890328HMCRRR06", "pending none none", "expired no_final_event none none", []string{created}},
		{"unknown_detail", "AERE820201HMCRSG09", "error imss_portal_under_water none none", "", []string{created, "login.error accepted 200"}},
		{"none_string", "TORS850421HDFRNR09", "success complete complete", "", []string{created, success}},
		{"null_character", "AAAO870512MSPLLL02", "success complete complete", "", []string{created, success}},
		{"missing_fields", "PAUM910729MYNZRR04", "success complete complete", "", []string{created, success}},
		{"nine_decimals", "AEHM820319HSPLRR02", "success complete complete", "", []string{created, success}},
		{"zoneless", "POAR880917HBCZRD03", "success complete complete", "", []string{created, success}},
		{"invalid_curp", "CUBI960616HSPVRS03", "success complete complete", "", []string{created, success}},
		{"huge_body", "OECM860504MVZRRR07", "pending none none", "success complete complete", append(refused("too_large", 413), created)},
		{"deep_body", "OOMC940223MSPSRM08", "pending none none", "success complete complete", []string{created, "ignored unreadable 200"}},
		{"empty_body", "BACW850608HYNRRL06", "pending none none", "success complete complete", []string{created, "ignored unreadable 200"}},
		{"nothing", "AAZR890505HNLLRN06", "pending none none", "expired no_final_event none none", nil},
		{"api_412", "VAAB951115HGTRBR04", "error recent_login_successful none none", "", nil},
		{"api_422", "PUVA961217MDFNLM00", "error vendor_rejected none none", "", nil},
		{"api_422_detail", "AAZB850826HDFNMN01", "error vendor_rejected none none", "", nil},
		{"api_500", "OORP930227MYNCNL03", "queued none none", "expired no_final_event none none", nil},
	}
	y.play(lookup.Palenca, plays)

	// The page shows every case of the sandbox, and commands it.
	if _, page := y.get("/sandbox"); strings.Count(page, "data-case=") < 30 || !strings.Contains(page, "GAFS840817MBCMNL02") {
		t.Error("the page lacks cases")
	}
	y.faults(lookup.Palenca)
	y.unharmed()
}

// order asks for a case by the console's own form.
func (y *yard) order(name string, dialect lookup.Dialect) {
	y.t.Helper()
	code, body, to := y.post("/sandbox/orders", url.Values{"case": {name}, "dialect": {string(dialect)}, "times": {"1"}})
	if code != http.StatusSeeOther || to != "/sandbox#case-"+name {
		y.t.Fatalf("order %s: %d\n%.300s", name, code, body)
	}
}

// nextWindow lets the time pass that the vendor asked us to wait.
func (y *yard) nextWindow() {
	y.exec(`update connections set blocked_until = null`)
	y.wakeJobs()
}

// resume tells the console that the key is good again.
func (y *yard) resume(dialect lookup.Dialect) {
	y.t.Helper()
	if code, _, _ := y.post("/connection/resume", url.Values{"dialect": {string(dialect)}}); code != http.StatusSeeOther {
		y.t.Errorf("resume: %d", code)
	}
	y.wakeJobs()
}

func (y *yard) wakeJobs() {
	y.exec(`update river_job set state = 'available', scheduled_at = now() where state = 'scheduled'`)
}

func (y *yard) exec(sql string, args ...any) {
	y.t.Helper()
	_, err := y.Pool().Exec(y.t.Context(), sql, args...)
	must(y.t, err)
}

// Buró's dialect signs every event; here it also shows a JWT, so that those of the cases about it can be told apart.
func TestUglyBuro(t *testing.T) {
	t.Parallel()
	y := openYard(t)
	y.demandTokens()
	const told = "verification.completed accepted 200"
	refused := func(cause string, answer int) []string {
		return slices.Repeat([]string{fmt.Sprintf("refused %s %d", cause, answer)}, 4)
	}
	whole, waits, silent := "success complete complete", "pending none none", "expired no_final_event none none"
	y.play(lookup.Buro, []uglyPlay{
		{"duplicate", "IIRM880603HSPXVX08", whole, "", []string{told, "verification.completed duplicate 200"}},
		{"late", "CACS960323HQTLRM05", whole, "", []string{told}},
		{"out_of_order", "GOSL870416MYNNRR07", whole, "", []string{told}},
		{"lost", "EUIS870630MYNSGS04", waits, whole, nil},
		{"wrong_signature", "GAFS840817MBCMNL02", waits, whole, refused("signature_mismatch", 401)},
		{"altered_body", "VISV820323MBCLLR08", waits, whole, refused("signature_mismatch", 401)},
		{"expired_jwt", "GOAN911120MASDCR03", waits, whole, refused("jwt_expired", 401)},
		{"alg_none_jwt", "EUPD910310HPLSXG05", waits, whole, refused("jwt_algorithm", 401)},
		{"unknown_event", "TELL860611HVZLZS04", whole, "", []string{"verification.renewed ignored unknown_event 200", told}},
		{"unknown_entity", "BETE850429MPLLRL08", whole, "", []string{told}},
		{"unknown_status", "OIGM890328HMCRRR06", waits, silent, []string{"verification.completed ignored unknown_event 200"}},
		{"none_string", "TORS850421HDFRNR09", whole, "", []string{told}},
		{"null_character", "AAAO870512MSPLLL02", whole, "", []string{told}},
		{"missing_fields", "PAUM910729MYNZRR04", whole, "", []string{told}},
		{"nine_decimals", "AEHM820319HSPLRR02", whole, "", []string{told}},
		{"zoneless", "POAR880917HBCZRD03", whole, "", []string{told}},
		{"invalid_curp", "CUBI960616HSPVRS03", whole, "", []string{told}},
		{"huge_body", "OECM860504MVZRRR07", waits, whole, refused("too_large", 413)},
		{"deep_body", "OOMC940223MSPSRM08", waits, whole, []string{"ignored unreadable 200"}},
		{"empty_body", "BACW850608HYNRRL06", waits, whole, []string{"ignored unreadable 200"}},
		{"nothing", "AAZR890505HNLLRN06", waits, silent, nil},
		{"api_400", "RONV890411HPLMVC03", "error vendor_rejected none none", "", nil},
		{"api_422", "PUVA961217MDFNLM00", "error vendor_rejected none none", "", nil},
		{"api_422_detail", "AAZB850826HDFNMN01", "error vendor_rejected none none", "", nil},
		{"api_429_daily", "MOLY850703MSPRNZ02", "error daily_verification_limit_exceeded none none", "", nil},
		{"api_500", "OORP930227MYNCNL03", "queued none none", silent, nil},
	})
	y.faults(lookup.Buro)
	y.unharmed()
}

// faults orders the API's faults, which strike the next call that asks for somebody.
func (y *yard) faults(dialect lookup.Dialect) {
	y.t.Helper()
	// These three end alike, whoever gets which.
	again := []string{"api_500", "api_cut", "api_timeout"}
	for _, name := range again {
		y.order(name, dialect)
	}
	var ids []string
	for _, person := range []string{alejandro, "LALE870908HDFRPD02", "JITM910411HASMMR08"} {
		ids = append(ids, y.ask(dialect, person))
	}
	for i, id := range ids {
		y.ends(again[i], id, "success complete complete")
	}
	y.order("api_redirect", dialect)
	y.ends("api_redirect", y.ask(dialect, alejandro), "error vendor_rejected none none")
	// These hold everything back until a time comes or somebody helps.
	for _, p := range []struct {
		name string
		wait string // what is true meanwhile
		help func()
	}{
		{"api_429", `select exists (select from connections where blocked_until between now() + interval '5 seconds' and now() + interval '21 seconds')`, y.nextWindow},
		{"api_429_no_reset", `select exists (select from connections where blocked_until > now())`, y.nextWindow},
		{"api_401", `select exists (select from connections where paused_code <> '')`, func() { y.resume(dialect) }},
	} {
		y.order(p.name, dialect)
		id := y.ask(dialect, alejandro)
		y.await(p.wait)
		y.await(`select count(*) = 1 from river_job where kind = 'create_account' and state = 'scheduled'`)
		y.ends(p.name, id, "queued none none")
		p.help()
		y.ends(p.name, id, "success complete complete")
	}
}

// demandSignatures makes an administrator ask Palenca for signatures by form: the vendor is told, and its key is kept.
func (y *yard) demandSignatures(dialect lookup.Dialect) {
	y.t.Helper()
	y.changeHook(dialect, url.Values{"events": {"login.created", "login.success", "login.incomplete", "login.error"}, "signature_header": {"X-Palenca-Signature"}})
}

// demandTokens makes an administrator ask Buró for a JWT beside its signature.
func (y *yard) demandTokens() {
	y.t.Helper()
	if code, body, _ := y.post(y.hookPath(lookup.Buro)+"/secrets", url.Values{"kind": {string(webhook.KindJWT)}}); code != http.StatusOK {
		y.t.Fatalf("a key for tokens: %d\n%.300s", code, body)
	}
	y.changeHook(lookup.Buro, url.Values{"events": {"verification.completed"}, "signature_header": {webhook.DefaultSignatureHeader}, "jwt": {"on"}})
}

func (y *yard) hookPath(dialect lookup.Dialect) string {
	y.t.Helper()
	return "/subscriptions/" + one[string](y.t, y.DB, `select s.uid::text from subscriptions s join connections c on c.id = s.connection_id where c.dialect = $1`, dialect)
}

func (y *yard) changeHook(dialect lookup.Dialect, form url.Values) {
	y.t.Helper()
	maps.Copy(form, url.Values{"name": {"Cotejo"}, "signature": {string(webhook.SignatureRequired)}, "signature_encoding": {string(webhook.Base64)},
		"addresses": {string(webhook.AddressOff)}, "window": {"20"}})
	if code, body, _ := y.post(y.hookPath(dialect), form); code != http.StatusOK && code != http.StatusSeeOther {
		y.t.Fatalf("change the subscription: %d\n%.300s", code, body)
	}
}

// play asks for everybody and holds what came of it against what should.
func (y *yard) play(dialect lookup.Dialect, plays []uglyPlay) {
	y.t.Helper()
	ids := map[string]string{}
	for _, p := range plays {
		ids[p.name] = y.ask(dialect, p.person)
	}
	for _, p := range plays {
		y.ends(p.name, ids[p.name], p.state)
	}
	arrived := y.ledger()
	for _, p := range plays {
		attempt := one[string](y.t, y.DB, `select a.uid::text from attempts a join lookups l on l.id = a.lookup_id where l.uid = $1`, ids[p.name])
		got := arrived[attempt]
		slices.Sort(got)
		slices.Sort(p.ledger)
		if diff := cmp.Diff(p.ledger, got); diff != "" {
			y.t.Errorf("%s (-want +got):\n%s", p.name, diff)
		}
	}
	y.overdue(plays, ids)
}

// ask requests a lookup by form and gives its id.
func (y *yard) ask(dialect lookup.Dialect, person string) string {
	y.t.Helper()
	code, body, location := y.post("/lookups", url.Values{"curp": {person}, "platform": {string(platformAt[dialect])}, "consent": {"on"}})
	if code != http.StatusSeeOther {
		y.t.Fatalf("request a lookup: %d\n%.500s", code, body)
	}
	return strings.TrimPrefix(location, "/lookups/")
}

// platformAt is what the form asks for at each vendor.
var platformAt = map[lookup.Dialect]lookup.Platform{lookup.Palenca: lookup.IMSS, lookup.Buro: lookup.AllSources}

// overdue lets time pass: the vendor is asked how open lookups stand, and those of which it knows no end run out of time.
func (y *yard) overdue(plays []uglyPlay, ids map[string]string) {
	y.t.Helper()
	_, err := y.QueueOverdue(y.t.Context(), time.Now().Add(10*time.Minute))
	must(y.t, err)
	for _, p := range plays {
		if strings.HasPrefix(p.later, "success") {
			y.ends(p.name, ids[p.name], p.later)
		}
	}
	y.await(`select not exists (select from river_job where kind in ('ask_vendor', 'create_account') and state in ('available', 'running', 'retryable', 'scheduled'))`)
	y.exec(`update attempts set sent_at = sent_at - interval '2 hours', asked_at = asked_at - interval '2 hours' where status in ('queued', 'pending')`)
	_, err = y.QueueOverdue(y.t.Context(), time.Now().Add(time.Minute))
	must(y.t, err)
	for _, p := range plays {
		if p.later != "" {
			y.ends(p.name, ids[p.name], p.later)
		}
	}
}

// ends waits until a lookup stands as it should: status, detail, profile, employment.
func (y *yard) ends(name, id, want string) {
	y.t.Helper()
	state := func() string {
		return one[string](y.t, y.DB, `select concat_ws(' ', status, nullif(detail, ''), profile_state, employment_state) from lookups where uid = $1`, id)
	}
	for limit := time.Now().Add(time.Minute); state() != want; y.pause() {
		if time.Now().After(limit) {
			y.t.Fatalf("%s stands as %q, want %q; answers: %s", name, state(), want, one[string](y.t, y.DB, `select coalesce(string_agg(concat_ws(' ', kind, state, http_status, code), ', '), '') from pulls p join lookups l on l.id = p.lookup_id where l.uid = $1`, id))
		}
	}
}

// ledger waits for the sandbox to have sent everything and for the queue to have read it, holds each call that got an
// answer against one stored delivery of the same bytes, and tells what became of them by attempt.
func (y *yard) ledger() map[string][]string {
	y.t.Helper()
	// Copies at the same moment are known by their bytes or by their meaning, and an event that was sent late may be
	// processed in time, as it happens: these causes are left out.
	var all []sent
	for limit := time.Now().Add(time.Minute); ; y.pause() {
		all = y.box.deliveries()
		if !slices.ContainsFunc(all, func(d sent) bool { return d.State == "pending" }) {
			break
		} else if time.Now().After(limit) {
			y.t.Fatal("the sandbox never ends")
		}
	}
	y.await(`select not exists (select from deliveries where processed_at is null)`)
	attempts := map[string]string{}
	for _, e := range y.box.extractions() {
		if e.ExternalID != nil {
			attempts[e.ID] = *e.ExternalID
		}
	}
	told, matched := map[string][]string{}, []int64{}
	for _, d := range all {
		for _, call := range d.Attempts {
			var id int64
			var label string
			// Of what is too large to take, the beginning is kept.
			err := y.Pool().QueryRow(y.t.Context(), `select d.id, concat_ws(' ', coalesce(nullif(d.action, ''), nullif(f.action, '')), d.verdict, case when d.cause not in ('', 'same_bytes', 'same_fact', 'late') then d.cause end, d.answered)
  from deliveries d left join deliveries f on f.id = d.twin_of -- a copy of the same bytes need not be read
 where d.answered = $2 and d.id <> all($3) and (d.body_sha256 = decode($1, 'hex') or d.cause = 'too_large' and position($4::bytea in d.body) = 1)
 order by d.id limit 1`, d.SHA256, call.Status, matched, []byte(strings.TrimSuffix(d.Body, "}"))).Scan(&id, &label)
			if err != nil {
				y.t.Errorf("%s was answered %d and is not in the ledger: %v", d.Action, call.Status, err)
				continue
			}
			matched = append(matched, id)
			told[attempts[d.AccountID]] = append(told[attempts[d.AccountID]], label)
		}
	}
	if n := one[int](y.t, y.DB, `select count(*) from deliveries`); n != len(matched) {
		y.t.Errorf("%d deliveries in the ledger, %d were sent", n, len(matched))
	}
	if n := one[int](y.t, y.DB, `select count(*) from deliveries where verdict <> 'refused' and (body_sha256 <> sha256(body) or length(body) <> body_size)`); n != 0 {
		y.t.Errorf("%d deliveries are not the bytes that came", n)
	}
	return told
}

// pause lets the workers get on.
func (y *yard) pause() {
	select {
	case <-y.ran:
	case <-time.After(50 * time.Millisecond):
	case <-y.t.Context().Done():
	}
}

// unharmed holds what every ugly case must leave alone.
func (y *yard) unharmed() {
	y.t.Helper()
	if n := one[int](y.t, y.DB, `select count(*) from river_job where state in ('discarded', 'cancelled')`); n != 0 {
		y.t.Errorf("%d jobs died", n)
	}
	made := map[string]int{}
	for _, e := range y.box.extractions() {
		if made[*e.ExternalID]++; made[*e.ExternalID] > 1 {
			y.t.Errorf("the vendor was asked twice for attempt %s", *e.ExternalID)
		}
	}
	var notices struct{ Notices []struct{ Kind string } }
	y.box.call(http.MethodGet, "notices", "", &notices)
	for _, n := range notices.Notices {
		if n.Kind == "redirect_followed" {
			y.t.Error("a redirect was followed, with the key")
		}
	}
}
