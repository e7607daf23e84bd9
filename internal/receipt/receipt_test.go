package receipt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"cotejo/internal/receipt"
)

func TestReasonProblem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		people int
		want   string
	}{
		{"", receipt.MostPeople, ""},
		{"", receipt.ManyPeople, "exports.form.reason_short"},
		{"auditoría", receipt.ManyPeople, "exports.form.reason_short"},
		{"auditorías", receipt.ManyPeople, ""},
		{"corto", 1, ""},
		{strings.Repeat("ñ", receipt.MaxReason), receipt.ManyPeople, ""},
		{strings.Repeat("ñ", receipt.MaxReason+1), 1, "exports.form.reason_long"},
		{"lo pide gata000408htlrlla7", 1, "exports.form.reason_personal"},
		{"lo pide GODE561231GR8 por correo", 200, "exports.form.reason_personal"},
		{"del NSS 02189216878", 1, "exports.form.reason_personal"},
		{"lo pide GATA-000408-HTLRLLA7", 1, "exports.form.reason_personal"},
		{"lo pide GATA 000408 HTLRLLA7", 1, "exports.form.reason_personal"},
		{"del 0218-92-1687-8 y otros", 200, "exports.form.reason_personal"},
		{"del NSS02189216878 y otros", 200, "exports.form.reason_personal"},
		{"expediente 2026-0118 del 22 de noviembre", 200, ""},
	} {
		if got := receipt.ReasonProblem(tt.reason, tt.people); got != tt.want {
			t.Errorf("%q for %d: %q, want %q", tt.reason, tt.people, got, tt.want)
		}
	}
}

// The file's name leads back to the receipt, whatever a browser or a colleague put around it.
func TestFileName(t *testing.T) {
	t.Parallel()
	r := receipt.Receipt{UID: uuid.New(), Kind: receipt.Employment, Subject: uuid.New(), MadeAt: time.Date(2026, 11, 22, 0, 5, 9, 0, time.FixedZone("CST", -6*60*60))}
	want := "employment-" + r.Subject.String() + "-20261122T060509Z-" + r.UID.String() + ".csv"
	if got := r.FileName(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, name := range []string{want, "Copia de " + strings.ToUpper(want), `C:\x\` + want + " (2).csv"} {
		if diff := cmp.Diff([]uuid.UUID{r.Subject, r.UID}, receipt.IDsIn(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if ids := receipt.IDsIn(strings.Repeat(want, 50)); len(ids) > 4 {
		t.Errorf("%d ids of one name", len(ids))
	}
	if ids := receipt.IDsIn("nómina.csv"); ids != nil {
		t.Errorf("ids %v", ids)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	if got := (receipt.Selection{Zone: "America/Tijuana"}).Location().String(); got != "America/Tijuana" {
		t.Error(got)
	}
	if got := (receipt.Selection{Zone: "Mars/Base"}).Location(); got != time.UTC {
		t.Error(got)
	}
	for _, kind := range receipt.Kinds {
		if kind.Listed() == (kind == receipt.Employment || kind == receipt.Report || kind == receipt.Bulk) {
			t.Errorf("%s is taken for the wrong thing", kind)
		}
	}
}
