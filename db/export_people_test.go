package db_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/db"
	"cotejo/internal/bulk"
	"cotejo/internal/export"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

// exported are the files of many people in the history of one, newest first.
func (b *bench) exported(env lookup.Environment, curp string) []string {
	b.t.Helper()
	history, _, _, err := b.PersonHistory(b.ctx, env, value[uuid.UUID](b, `select uid from people where environment = $1 and curp = $2`, env, curp), lookup.Page{Limit: 200})
	b.must(err)
	list := []string{}
	for _, h := range history {
		if h.Kind != db.HappenedExport {
			continue
		}
		list = append(list, h.Word)
		r, err := b.Receipt(b.ctx, env, h.Subject)
		b.must(err)
		if h.Who != b.analyst.Name || h.WhoID != b.analyst.ID || h.Text != "revisión mensual" || !h.At.Equal(r.MadeAt) || h.Word != string(r.Kind) || h.LookupUID != uuid.Nil {
			b.t.Errorf("%+v is not what the receipt %+v says", h, r)
		}
	}
	return list
}

// A file of many people stands in the history of each whose data it held, made at once or in the background, and of nobody else.
func TestExportsStandInHistories(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.taken("account") // alejandro's
	b.tell(success("account"))
	b.must(b.StoreEmployment(b.ctx, pull(in, "1"), someHistory(), lookup.Gist{Records: 3}))
	b.request(lookup.Sandbox, alejandro) // twice in the list, once in its people
	b.request(lookup.Sandbox, eduardo)
	b.request(lookup.Production, alejandro)
	take := func(s receipt.Selection) {
		t.Helper()
		_, _, err := b.MakeExport(b.ctx, asking(s), export.Write, b.by)
		b.must(err)
	}
	want := func(what string, env lookup.Environment, curp string, kinds ...string) {
		t.Helper()
		if diff := cmp.Diff(append([]string{}, kinds...), b.exported(env, curp)); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", what, curp, diff)
		}
	}
	none := receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: lookup.Filter{Status: lookup.Expired}}
	take(none)
	want("an empty list", lookup.Sandbox, alejandro)
	take(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups})
	want("everybody", lookup.Sandbox, alejandro, "lookups")
	want("everybody", lookup.Sandbox, eduardo, "lookups")
	take(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Records})                 // eduardo has none
	take(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Deliveries, Zone: "UTC"}) // nor was anything told of him
	want("records and deliveries", lookup.Sandbox, alejandro, "deliveries", "records", "lookups")
	want("records and deliveries", lookup.Sandbox, eduardo, "lookups")
	take(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Deliveries, Zone: "UTC", Deliveries: webhook.Filter{Verdict: webhook.Refused}})
	want("deliveries of nobody", lookup.Sandbox, alejandro, "deliveries", "records", "lookups")
	want("the other environment", lookup.Production, alejandro)

	background := func(s receipt.Selection) int64 {
		t.Helper()
		uid, err := b.AskExport(b.ctx, asking(s), b.by)
		b.must(err)
		return value[int64](b, `select id from exports where uid = $1`, uid)
	}
	id := background(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: lookup.Filter{Status: lookup.Queued}})
	want("before it is made", lookup.Sandbox, eduardo, "lookups")
	b.must(b.RunExport(b.ctx, id, export.Write))
	want("in the background", lookup.Sandbox, eduardo, "lookups", "lookups")
	// The whole of it is one act: without the people there is no receipt, and no file.
	id = background(receipt.Selection{Environment: lookup.Production, Kind: receipt.Lookups})
	b.exec(`alter table receipt_people add constraint full_now check (receipt_id = 0) not valid`)
	if err := b.RunExport(b.ctx, id, export.Write); err == nil || value[int](b, `select count(*) from receipts where environment = 'production'`) != 0 {
		t.Errorf("a receipt without its people: %v", err)
	}
	b.exec(`alter table receipt_people drop constraint full_now`)
	b.must(b.RunExport(b.ctx, id, export.Write))
	want("production", lookup.Production, alejandro, "lookups")

	b.refused("23001", `update receipt_people set members = members`)
	b.refused("23001", `delete from receipt_people`)
}

// The result of a bulk tells of those whom it asked about, and of known people whom it only named.
func TestBulkResultStandsInHistories(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.request(lookup.Sandbox, alejandro)
	b.request(lookup.Sandbox, somebody(3))
	uid := b.draft(somebody(1), somebody(2), alejandro) // alejandro was asked about a moment ago
	b.handOut(b.send(uid), 10)
	_, _, err := b.ExportBulk(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Subject: uid}), func(bulk.Bulk, []bulk.Item) ([]byte, error) {
		return []byte("a file"), nil
	}, b.by)
	b.must(err)
	for curp, want := range map[string][]string{somebody(1): {"bulk"}, somebody(2): {"bulk"}, alejandro: {"bulk"}, somebody(3): {}} {
		if diff := cmp.Diff(want, b.exported(lookup.Sandbox, curp)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", curp, diff)
		}
	}
}

// Each person is a bit of their own, also first and last in a block, and whatever the order in which the file tells of them.
func TestPeopleOfAnExport(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.request(lookup.Sandbox, alejandro)
	var inside bytes.Buffer
	for i, id := range []int64{4095, 4096, 4097, 8191, 12288, 1 << 40} {
		// Every other one is in the list.
		b.exec(`with p as (insert into people (id, environment, curp) overriding system value values ($2, 'sandbox', $3) returning id),
			k as (insert into consents (person_id, recorded_by, given_at, expires_at, notice_version, means, purpose)
			      select p.id, c.recorded_by, c.given_at, c.expires_at, c.notice_version, c.means, c.purpose from p, consents c join lookups l on l.consent_id = c.id where l.id = $1 returning id, person_id)
			insert into lookups (environment, person_id, connection_id, consent_id, platform, source, requested_by)
			select l.environment, k.person_id, l.connection_id, k.id, case when $4 then 'issste' else 'imss' end, l.source, l.requested_by from k, lookups l where l.id = $1`,
			first.id, id, somebody(i), i%2 == 0)
		if i%2 == 0 {
			fmt.Fprintln(&inside, id)
		}
	}
	_, _, err := b.MakeExport(b.ctx, asking(receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Lookups, Lookups: lookup.Filter{Platform: lookup.ISSSTE}}), export.Write, b.by)
	b.must(err)
	got := value[string](b, `select string_agg(p.id || E'\n', '' order by p.id) from people p join receipt_people m on m.block = p.id / 4096 and get_bit(m.members, p.id % 4096) = 1`)
	if diff := cmp.Diff(inside.String(), got); diff != "" {
		t.Errorf("people of the file (-want +got):\n%s", diff)
	}
	if n := value[int](b, `select sum(bit_count(members)) from receipt_people`); n != 3 {
		t.Errorf("%d bits", n)
	}
	for i := range 6 {
		if got := len(b.exported(lookup.Sandbox, somebody(i))); got != (i+1)%2 {
			t.Errorf("person %d has %d files", i, got)
		}
	}
}
