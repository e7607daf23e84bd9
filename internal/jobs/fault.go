package jobs

import (
	"context"
	"errors"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"cotejo/db"
)

// plain keeps what is personal out of the queue's tables: River stores the text of an error with its job, and people read it.
type plain struct{ river.MiddlewareDefaults }

// Work gives an error the text that db.Fault allows, and leaves its kind.
func (*plain) Work(ctx context.Context, _ *rivertype.JobRow, do func(context.Context) error) error {
	err := do(ctx)
	var snooze *river.JobSnoozeError
	if err == nil || errors.As(err, &snooze) {
		return err
	}
	return &fault{err}
}

type fault struct{ why error }

func (f *fault) Error() string { return db.Fault(f.why) }
func (f *fault) Unwrap() error { return f.why }
