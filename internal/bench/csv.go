package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/export"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
)

// csv measures the export of employment records as the product makes a large one: from one snapshot, in the list's order,
// hashed, compressed and kept in the database. Beside it stands psql, which copies the same rows in the same order into a
// file. Each export follows its copy.
func (r *run) csv(ctx context.Context) error {
	made := receipt.Asking{Selection: receipt.Selection{Environment: lookup.Sandbox, Kind: receipt.Records, Zone: "UTC"}, Reason: "measured by the bench", People: receipt.ManyPeople}
	user, err := each[audit.Actor](ctx, r.db, `-- name: bench user
select id, name, '' from users order by id limit 1`)
	if err != nil || len(user) != 1 {
		return fmt.Errorf("no user to export as: %w", err)
	}
	var product, copied, grown samples
	var rows int64
	for n := range r.repeats + 1 {
		took, byHand, err := r.copyByHand(ctx)
		if err != nil {
			return err
		}
		uid, err := r.db.AskExport(ctx, made, user[0])
		if err != nil {
			return err
		}
		ids, err := each[struct{ ID int64 }](ctx, r.db, `-- name: bench export
select id from exports where uid = $1`, uid)
		if err != nil {
			return err
		}
		growth := watchProcess()
		began := time.Now()
		if err := r.db.RunExport(ctx, ids[0].ID, export.Write); err != nil {
			return err
		}
		spent, peak := time.Since(began), growth()
		file, err := r.db.Receipt(ctx, lookup.Sandbox, uid)
		if err != nil {
			return err
		}
		if rows = file.Rows; rows != byHand || rows == 0 {
			return fmt.Errorf("%d rows as CSV, %d by psql", rows, byHand)
		}
		if n > 0 || r.Quick { // the first one reads the tables into memory
			product, copied, grown = append(product, float64(rows)/spent.Seconds()), append(copied, float64(byHand)/took.Seconds()), append(grown, peak)
		}
	}
	r.out.add(Figure{What: fmt.Sprintf("Export of %s employment records, kept and with its receipt", thousands(int(rows))), Value: product.median(), Unit: "/s",
		Limit: copied.median(), LimitIs: "`psql \\copy` of the same rows into a file; at least half is wanted"})
	r.out.add(Figure{What: "Growth of the process meanwhile, at its peak", Value: grown.median(), Unit: "MiB", Limit: mostGrowth, LimitIs: "what is allowed"})
	return nil
}

// mostGrowth is by how many MiB an export may let the process grow, whatever its size.
const mostGrowth = 64

// copyByHand has psql write all records of the sandbox into a file, or COPY to this process where there is no psql.
func (r *run) copyByHand(ctx context.Context) (took time.Duration, rows int64, err error) {
	_, statement, _ := strings.Cut(db.ExportByHand(lookup.Sandbox, receipt.Records), "\n")
	psql, err := exec.LookPath("psql")
	if r.PGBin != "" {
		psql, err = exec.LookPath(filepath.Join(r.PGBin, "psql"))
	}
	began := time.Now()
	if err != nil {
		conn, err := r.db.Pool().Acquire(ctx)
		if err != nil {
			return 0, 0, err
		}
		defer conn.Release()
		tag, err := conn.Conn().PgConn().CopyTo(ctx, io.Discard, "-- name: bench copy\ncopy ("+statement+") to stdout with (format csv, header)")
		return time.Since(began), tag.RowsAffected(), err
	}
	command := `\copy (` + strings.Join(strings.Fields(statement), " ") + `) to '` + filepath.Join(r.dir, "by-hand.csv") + `' with (format csv, header)`
	out, err := exec.CommandContext(ctx, psql, "-X", "-v", "ON_ERROR_STOP=1", "-d", r.url, "-c", command).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("psql: %w: %s", err, out)
	}
	took = time.Since(began)
	_, err = fmt.Sscanf(strings.TrimSpace(string(out)), "COPY %d", &rows)
	return took, rows, err
}

// watchProcess looks at the memory that the operating system has given this process until the function it gives is
// called, which tells by how many MiB it grew at most. Where the system does not say, the heap stands for it.
func watchProcess() func() float64 {
	resident := func() (float64, bool) {
		text, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			return 0, false
		}
		var size, pages float64
		_, err = fmt.Sscan(string(text), &size, &pages)
		return pages * float64(os.Getpagesize()) / (1 << 20), err == nil
	}
	debug.FreeOSMemory()
	if _, ok := resident(); !ok {
		return watchHeap()
	}
	return watch(func() float64 { mib, _ := resident(); return mib })
}

// watchHeap looks at the heap until the function it gives is called, which tells by how many MiB it grew at most.
func watchHeap() func() float64 {
	runtime.GC()
	return watch(func() float64 {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		return float64(sample[0].Value.Uint64()) / (1 << 20)
	})
}

func watch(used func() float64) func() float64 {
	start := used()
	stop, peak := make(chan struct{}), make(chan float64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		most := used()
		for {
			select {
			case <-stop:
				peak <- max(most, used())
				return
			case <-tick.C:
				most = max(most, used())
			}
		}
	}()
	return func() float64 {
		close(stop)
		return max(<-peak-start, 0)
	}
}
