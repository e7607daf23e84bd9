package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// journal keeps the state as a file of lines, each one commit: a JSON array of
// changed rows. Appending costs the size of the change, whatever the size of
// the state; opening replays the file and writes it anew without the past.
//
// A commit is one write. A crash can tear only the last line, and then the
// whole commit is missing, never half of it.
type journal struct {
	kinds   map[string]rows
	path    string
	file    *os.File // nil: in memory
	lock    *os.File
	changes []change
	grown   int64 // bytes appended since the file was last rewritten
	limit   int64 // of grown, at which it is rewritten
	err     error // first failed write; the state on disk is behind from then on
}

// rows is a table as the journal sees it, whatever the type of its rows.
type rows interface {
	load(id string, text json.RawMessage) error
	each(func(id string, row any))
}

// change is one row as of now; a null row is a removal.
type change struct {
	Kind string `json:"k"`
	ID   string `json:"id"`
	Row  any    `json:"v"`
}

const (
	journalName = "sandbox.journal"
	lockName    = "sandbox.lock"
)

// ErrLocked tells that another process serves this directory's sandbox.
var ErrLocked = errors.New("sandbox: directory in use by another process")

// rewriteAfter is the least growth that a rewrite while running is worth.
const rewriteAfter = 32 << 20

func newJournal() *journal { return &journal{kinds: map[string]rows{}, limit: rewriteAfter} }

// note remembers a change for the next commit; in memory there is none to come.
func (j *journal) note(kind, id string, row any) {
	if j.file != nil {
		j.changes = append(j.changes, change{kind, id, row})
	}
}

// commit appends what was noted since the last commit: with one write, so that
// it survives the end of the process at any moment; against the loss of power
// only a rewrite is synced, which is enough for invented people. Rows are read here, so
// a row changed twice in one commit is simply written twice, in its last form.
func (j *journal) commit() error {
	if j.err != nil || len(j.changes) == 0 {
		return j.err
	}
	line, err := json.Marshal(j.changes)
	j.changes = j.changes[:0]
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
		j.grown += int64(len(line))
	}
	if err == nil && j.grown > j.limit {
		old := j.file
		if err = j.compact(); err == nil {
			_ = old.Close() // replaced; it has no name any more
		}
	}
	if err != nil {
		j.err = fmt.Errorf("sandbox: journal: %w", err)
	}
	return j.err
}

// open takes the directory for this process, replays its journal into the
// tables and rewrites it compactly.
func (j *journal) open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	// Two writers would each compact the other's commits away.
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return ErrLocked
	}
	j.lock = lock
	j.path = filepath.Join(dir, journalName)
	if err := j.replay(); err != nil {
		return errors.Join(fmt.Errorf("sandbox: %s: %w", journalName, err), j.close())
	}
	if err := j.compact(); err != nil {
		return errors.Join(fmt.Errorf("sandbox: %s: %w", journalName, err), j.close())
	}
	return nil
}

// replay applies the lines in order. A torn last line is skipped, any other
// damage is an error: better no sandbox than one that forgot half its accounts.
func (j *journal) replay() error {
	f, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<16)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil // a last line without its end was never committed
		}
		if err != nil {
			return err
		}
		var changes []struct {
			Kind string          `json:"k"`
			ID   string          `json:"id"`
			Row  json.RawMessage `json:"v"`
		}
		if err := json.Unmarshal(bytes.TrimSpace(line), &changes); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		for _, c := range changes {
			t, ok := j.kinds[c.Kind]
			if !ok {
				continue // a newer version's rows; kept out, not in the way
			}
			if err := t.load(c.ID, c.Row); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
}

// compact writes the present state beside the old file and puts it in place by
// rename: at every moment one whole journal has the name.
func (j *journal) compact() error {
	tmp, err := os.OpenFile(j.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(tmp, 1<<16)
	for kind, t := range j.kinds {
		t.each(func(id string, row any) {
			if err != nil {
				return
			}
			var line []byte
			if line, err = json.Marshal([]change{{kind, id, row}}); err == nil {
				_, err = out.Write(append(line, '\n'))
			}
		})
	}
	err = errors.Join(err, out.Flush(), tmp.Sync())
	if err == nil {
		err = os.Rename(j.path+".new", j.path)
	}
	if err != nil {
		tmp.Close()
		return err
	}
	j.file, j.grown = tmp, 0
	if info, err := tmp.Stat(); err == nil {
		j.limit = max(j.limit, 2*info.Size()) // so that rewriting stays a small part of writing
	}
	return nil
}

func (j *journal) close() error {
	var err error
	if j.file != nil {
		err = j.file.Close()
		j.file = nil
	}
	if j.lock != nil {
		err = errors.Join(err, j.lock.Close()) // closing releases the lock
		j.lock = nil
	}
	return err
}

// writeFile replaces a small file whole or not at all.
func writeFile(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".sandbox-*") // created 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(text)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}
