package employment_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"cotejo/internal/employment"
)

// Each boundary to the centavo and to the day: the limit is 25 UMA, and a UMA is in force from 1 February.
func TestAtCap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, amount, on string
		want             bool
	}{
		{"a centavo below 25 × 117.31", "2932.74", "2026-02-01", false},
		{"exactly 25 × 117.31", "2932.75", "2026-02-01", true},
		{"more digits of the same", "2932.750000000", "2026-03-15", true},
		{"less than a centavo below", "2932.749999", "2026-03-15", false},
		{"above", "3000", "2026-03-15", true},
		{"the day before, under last year's", "2828.50", "2026-01-31", true},
		{"last year's on the new day", "2828.50", "2026-02-01", false},
		{"25 × 108.57", "2714.25", "2024-12-31", true},
		{"a centavo below", "2714.24", "2024-12-31", false},
		{"25 × 103.74", "2593.50", "2023-02-01", true},
		{"25 × 96.22", "2405.50", "2022-02-01", true},
		{"25 × 89.62", "2240.50", "2021-02-01", true},
		{"25 × 86.88", "2172.00", "2020-02-01", true},
		{"25 × 84.49", "2112.25", "2019-02-01", true},
		{"25 × 80.60", "2015.00", "2018-02-01", true},
		{"25 × 75.49", "1887.25", "2017-02-01", true},
		{"25 × 73.04, the first", "1826.00", "2016-01-28", true},
		{"before there was a UMA", "9999.00", "2016-01-27", false},
		{"a year that nobody has published", "9999.00", "2027-02-01", false},
		{"the last day that is known", "2932.75", "2027-01-31", true},
		{"no amount", "", "2026-03-15", false},
		{"no decimal", "3,000.00", "2026-03-15", false},
		{"an exponent", "3e9", "2026-03-15", false},
		{"a sign", "-3000", "2026-03-15", false},
		{"no day", "3000", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var on time.Time
			if tt.on != "" {
				on, _ = time.Parse(time.DateOnly, tt.on)
			}
			if got := employment.AtCap(tt.amount, on); got != tt.want {
				t.Errorf("%s on %s: %v", tt.amount, tt.on, got)
			}
		})
	}
}

func TestInsured(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		platform, institution string
		want                  bool
	}{{"imss", "", true}, {"issste", "", false}, {"", "IMSS", true}, {"imss", "issste", false}, {"", "", false}} {
		if got := employment.Insured(tt.platform, employment.Record{Institution: tt.institution}); got != tt.want {
			t.Errorf("%q, %q: %v", tt.platform, tt.institution, got)
		}
	}
}

// The table of docs/hints.md is the one of the code.
func TestCapAsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/hints.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d{4}-\d\d-\d\d) \| [\d.]+ \| ([\d,.]+) \|`).FindAllStringSubmatch(string(text), -1)
	if len(rows) != 11 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		on, _ := time.Parse(time.DateOnly, row[1])
		if got, _ := employment.Cap(on); got != strings.ReplaceAll(row[2], ",", "") {
			t.Errorf("from %s the page says %s, the code %s", row[1], row[2], got)
		}
	}
}
