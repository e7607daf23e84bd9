package db

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// crowd is a set of people by their ids, as receipt_people keeps it: bits in blocks of blockPeople. It takes an eighth of a
// byte for each person whom the database knows, at the most, however many rows a file has.
type crowd map[int64]*[blockPeople / 8]byte

// blockPeople is how many people a row of receipt_people tells of.
const blockPeople = 4096

func (c crowd) add(id int64) {
	block := id / blockPeople
	members := c[block]
	if members == nil {
		members = new([blockPeople / 8]byte)
		c[block] = members
	}
	n := id % blockPeople
	members[n/8] |= 1 << (n % 8) // as get_bit counts
}

// addText adds the person whose id a statement gave as text; "" is nobody.
func (c crowd) addText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	id, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || id < 0 {
		return fmt.Errorf("an export's row tells no person: %w", err)
	}
	c.add(id)
	return nil
}

// size is how many people there are.
func (c crowd) size() (n int) {
	for _, members := range c {
		for _, b := range members {
			n += bits.OnesCount8(b)
		}
	}
	return n
}

// grown gives the number of people that a receipt tells of, and ErrGrown when they are more than was asked for: the list
// changed after it was counted.
func (c crowd) grown(a receipt.Asking) (people int, err error) {
	if people = c.size(); !a.Allows(people) {
		return people, ErrGrown
	}
	return min(people, receipt.ManyPeople), nil
}

// addCrowd writes down whose data the file of a receipt held.
func addCrowd(ctx context.Context, tx pgx.Tx, receiptID int64, of crowd) error {
	if len(of) == 0 {
		return nil
	}
	blocks := slices.Sorted(maps.Keys(of))
	members := make([][]byte, len(blocks))
	for i, block := range blocks {
		members[i] = of[block][:]
	}
	_, err := tx.Exec(ctx, `-- name: add people of receipt
insert into receipt_people (block, receipt_id, members) select b.block, $1, b.members from unnest($2::bigint[], $3::bytea[]) as b (block, members)`,
		receiptID, blocks, members)
	return err
}

// exportedOf are the files of many people that a person's data were in. The branch of a person's history; $1 is the person.
const exportedOf = `
    select r.made_at, r.id * 16 + 8, 8, r.made_name, r.made_by, r.kind, r.reason, null, r.uid
      from receipt_people m join receipts r on r.id = m.receipt_id
     where m.block = $1 / 4096 and get_bit(m.members, $1 % 4096) = 1`

// crowdOfBulk are the people whom the rows of a bulk tell of: those of its lookups, and known ones who were named and not asked
// about.
func crowdOfBulk(ctx context.Context, tx pgx.Tx, env lookup.Environment, bulkID int64) (crowd, error) {
	rows, err := tx.Query(ctx, `-- name: people of bulk
select l.person_id from bulk_rows r join lookups l on l.id = r.lookup_id where r.bulk_id = $1
union
select p.id from bulk_rows r join people p on p.environment = $2 and coalesce(p.curp, p.rfc) collate "C" = r.identifier
 where r.bulk_id = $1 and r.identifier <> ''`, bulkID, env)
	if err != nil {
		return nil, err
	}
	of := crowd{}
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { of.add(id); return nil })
	return of, err
}
