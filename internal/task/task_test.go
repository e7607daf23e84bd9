package task_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/task"
)

// Kinds and fields are stored in job rows that outlive a release: changing one strands the jobs under way.
func TestStoredForm(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"create_account":   `{"attempt_id":1}`,
		"process_delivery": `{"delivery_id":2}`,
		"fetch_profile":    `{"attempt_id":3,"event_id":4}`,
		"fetch_employment": `{"attempt_id":5,"event_id":6}`,
		"tidy":             `{}`,
		"run_replay":       `{"replay_id":7}`,
		"make_export":      `{"export_id":8}`,
	}
	got := map[string]string{}
	for _, args := range []interface{ Kind() string }{
		task.CreateAccount{AttemptID: 1}, task.ProcessDelivery{DeliveryID: 2}, task.FetchProfile{AttemptID: 3, EventID: 4},
		task.FetchEmployment{AttemptID: 5, EventID: 6}, task.Tidy{}, task.RunReplay{ReplayID: 7},
		task.MakeExport{ExportID: 8},
	} {
		text, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		got[args.Kind()] = string(text)
		// Job rows are read by people, logged and kept: numbers of ours are all they may hold.
		typ := reflect.TypeOf(args)
		for i := range typ.NumField() {
			if f := typ.Field(i); f.Type.Kind() != reflect.Int64 {
				t.Errorf("%s.%s is a %s", typ.Name(), f.Name, f.Type)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got):\n", diff)
	}
}
