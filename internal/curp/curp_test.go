package curp

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, s string) CURP {
	t.Helper()
	c, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseTellsItsParts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, clean, sex, state, name string
		birth                         time.Time
	}{
		{"GATA000408HTLRLLA7", "GATA000408HTLRLLA7", "H", "TL", "Tlaxcala", date(2000, 4, 8)},
		{" memc-760502 mmc-jgr 00\t", "MEMC760502MMCJGR00", "M", "MC", "Estado de México", date(1976, 5, 2)},
		{"GATA000408XNERLLA0", "GATA000408XNERLLA0", "X", "NE", "", date(2000, 4, 8)},
		{"GATA990408HDFRLLA0", "GATA990408HDFRLLA0", "H", "DF", "Ciudad de México", date(2099, 4, 8)}, // no clock here
	}
	for _, tt := range tests {
		t.Run(tt.clean, func(t *testing.T) {
			t.Parallel()
			c := mustParse(t, tt.text)
			got := []any{c.String(), c.Sex(), c.State(), StateName(c.State()), c.Birth(), c.IsZero()}
			if diff := cmp.Diff([]any{tt.clean, tt.sex, tt.state, tt.name, tt.birth, false}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestZeroCURP(t *testing.T) {
	t.Parallel()
	var c CURP
	got := []any{c.String(), c.Sex(), c.State(), c.Birth(), c.IsZero(), fmt.Sprint(c)}
	if diff := cmp.Diff([]any{"", "", "", time.Time{}, true, ""}, got); diff != "" {
		t.Error(diff)
	}
}

// TestNothingPrintsItself sends every type through fmt and slog.
func TestNothingPrintsItself(t *testing.T) {
	t.Parallel()
	const text = "GATA000408HTLRLLA7"
	c := mustParse(t, text)
	bad := "GATA000431HTLRLLA7"
	_, err := Parse(bad)
	check, future := Explain(bad, now), Explain("LALE870908HDFRPDA2", now)
	values := []any{c, &c, check, check.Parts[1], check.Headline, future, future.Headline, err, ExplainNSS("03179170729"), NSS("03179170729"), ExplainRFC("GODE561231GR8")}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%s", "%q"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
	}
	fmt.Fprintf(&out, "%#v %d %x\n", c, c, NSS("03179170729"))
	for _, secret := range []string{"000408", "0004", "HTLRLL", "000431", "870908", "2087", "0317917", "561231"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s was printed:\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "GATA••••••••••LLA7") || !strings.Contains(out.String(), "•••••••0729") {
		t.Errorf("the masked forms are missing:\n%s", out.String())
	}
	var ferr *FormatError
	if !errors.As(err, &ferr) || ferr.Error() != "not a CURP: curp.reason.day_absent" {
		t.Errorf("error %v", err)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("•", 18)
	tests := map[string]string{
		"GATA000408HTLRLLA7":   "GATA••••••••••LLA7",
		"gata000408htlrlla7":   "gata••••••••••lla7",
		"":                     "",
		"GATA":                 whole,
		"GODE561231GR8":        whole,
		"GATA000408HTLRLLA77":  whole,
		"MARIA GARCIA LOPEZ":   whole, // 18 characters, but a name
		"ÑATA000408HTLRLLA":    whole, // 18 bytes
		"GATA000408HTLRLLA7\n": whole,
	}
	for in, want := range tests {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		" gata 000408-htl rll a7\r\n":         "GATA000408HTLRLLA7",
		"GATA\u00a0000408\u2013HTL\u200bRLL":  "GATA000408HTLRLL",
		"\ufeffGATA":                          "GATA",
		"n\u0303 ñ":                           "ÑÑ",
		"n\u200b\u0303":                       "Ñ",
		"GATA/000408":                         "GATA/000408",
		"\xff":                                "\ufffd",
		strings.Repeat(" ", 1000) + "A":       "A",
		"GATA\u00ad000408\u2011HTL\u2212RLL_": "GATA000408HTLRLL_",
	}
	for in, want := range tests {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckDigit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		first string
		want  byte
		ok    bool
	}{
		{"SABC560626MDFLRN0", '1', true}, // the official worked example
		{"GATA000408HTLRLLA", '7', true},
		{"GATA000408HTLRLLB", '5', true},
		{"00000000000000000", '0', true},
		{"Ñ0000000000000000", '8', true}, // 24 × 18 = 432
		{"O0000000000000000", '0', true}, // 25 × 18 = 450: Ñ was counted
		{"GATA000408HTLRLL", 0, false},
		{"GATA000408HTLRLLA7", 0, false},
		{"gATA000408HTLRLLA", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		if got, ok := CheckDigit(tt.first); got != tt.want || ok != tt.ok {
			t.Errorf("CheckDigit(%q) = %q, %v, want %q, %v", tt.first, got, ok, tt.want, tt.ok)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for code, name := range states {
		names[name] = true
		if c := Explain("GATA000408H"+code, now); c.Blocked() || c.Parts[2].Verdict != Pass {
			t.Errorf("%s: %v", code, c)
		}
	}
	if len(states) != 32 || len(names) != 32 {
		t.Errorf("%d codes for %d states", len(states), len(names))
	}
	if StateName("NE") != "" || StateName("GF") != "" {
		t.Error("NE and GF are no states")
	}
	for _, sex := range []string{"H", "M", "X"} {
		if got, want := Explain("GATA000408"+sex+"NE", now).Parts[2].Reason.ID, "curp.part.abroad_"+strings.ToLower(sex); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
