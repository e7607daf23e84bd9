package locale

import (
	"math"
	"testing"
	"time"
)

func day(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDate(t *testing.T) {
	t.Parallel()
	es, en := For("es-MX", nil), For("en", nil)
	for text, want := range map[string][2]string{
		"2024-03-15": {"15 mar 2024", "15 Mar 2024"}, "2024-01-01": {"1 ene 2024", "1 Jan 2024"},
		"1999-12-31": {"31 dic 1999", "31 Dec 1999"}, "2024-09-09": {"9 sep 2024", "9 Sep 2024"},
		"2022-08-30": {"30 ago 2022", "30 Aug 2022"},
	} {
		if got := [2]string{es.Date(day(text)), en.Date(day(text))}; got != want {
			t.Errorf("Date(%s) = %q, want %q", text, got, want)
		}
	}
	if got := es.Date(time.Time{}) + es.DateTime(time.Time{}) + es.Clock(time.Time{}); got != "" {
		t.Errorf("zero time = %q, want nothing", got)
	}
}

// TestDateIsNeverShifted: midnight UTC is the evening before in Mexico, and
// still the same date.
func TestDateIsNeverShifted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"America/Tijuana", "UTC", "Pacific/Kiritimati"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := For("es-MX", zone).Date(day("2024-03-15")); got != "15 mar 2024" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestInstantsAreInTheZone(t *testing.T) {
	t.Parallel()
	tijuana, err := time.LoadLocation("America/Tijuana")
	if err != nil {
		t.Fatal(err)
	}
	instant := at("2024-03-15T05:39:23.907713482Z")
	tests := []struct {
		p               *Printer
		dateTime, clock string
	}{
		{For("es-MX", nil), "14 mar 2024, 23:39:23", "23:39:23"},
		{For("en", tijuana), "14 Mar 2024, 22:39:23", "22:39:23"}, // daylight saving there, not in Mexico City
		{For("en", time.UTC), "15 Mar 2024, 05:39:23", "05:39:23"},
	}
	for _, tt := range tests {
		if got := tt.p.DateTime(instant); got != tt.dateTime {
			t.Errorf("DateTime in %s = %q, want %q", tt.p.Zone(), got, tt.dateTime)
		}
		if got := tt.p.Clock(instant); got != tt.clock {
			t.Errorf("Clock in %s = %q, want %q", tt.p.Zone(), got, tt.clock)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	now := at("2024-03-15T11:41:00-06:00") // a Friday, before noon
	tests := []struct{ at, es, en string }{
		{"2024-03-15T11:41:00-06:00", "hace un momento", "just now"},
		{"2024-03-15T11:40:56-06:00", "hace un momento", "just now"},
		{"2024-03-15T11:40:40-06:00", "hace 20 s", "20 s ago"},
		{"2024-03-15T11:40:00.1-06:00", "hace 59 s", "59 s ago"},
		{"2024-03-15T11:40:00-06:00", "hace 1 min", "1 min ago"},
		{"2024-03-15T10:41:01-06:00", "hace 59 min", "59 min ago"},
		{"2024-03-15T10:41:00-06:00", "hace 1 h", "1 h ago"},
		{"2024-03-15T23:42:00-12:00", "mañana", "tomorrow"}, // the date is read in the reader's zone
		{"2024-03-15T00:41:00-06:00", "hace 11 h", "11 h ago"},
		{"2024-03-14T23:50:00-06:00", "hace 11 h", "11 h ago"}, // under twelve hours, though yesterday
		{"2024-03-14T20:00:00-06:00", "ayer", "yesterday"},
		{"2024-03-14T00:00:00-06:00", "ayer", "yesterday"}, // 35 h
		{"2024-03-13T23:59:59-06:00", "hace 2 días", "2 days ago"},
		{"2024-03-08T01:00:00-06:00", "hace 7 días", "7 days ago"},
		{"2024-03-07T23:00:00-06:00", "7 mar 2024", "7 Mar 2024"},
		{"2019-03-15T11:41:00-06:00", "15 mar 2019", "15 Mar 2019"},
		{"2024-03-15T11:41:03-06:00", "hace un momento", "just now"},
		{"2024-03-15T11:41:30-06:00", "en 30 s", "in 30 s"},
		{"2024-03-15T13:41:00-06:00", "en 2 h", "in 2 h"},
		{"2024-03-15T23:59:00-06:00", "en 12 h", "in 12 h"},
		{"2024-03-16T11:41:00-06:00", "mañana", "tomorrow"},
		{"2024-03-18T08:00:00-06:00", "en 3 días", "in 3 days"},
		{"2024-04-18T08:00:00-06:00", "18 abr 2024", "18 Apr 2024"},
	}
	es, en := For("es-MX", nil), For("en", nil)
	for _, tt := range tests {
		if got := es.Ago(at(tt.at), now); got != tt.es {
			t.Errorf("es: Ago(%s) = %q, want %q", tt.at, got, tt.es)
		}
		if got := en.Ago(at(tt.at), now); got != tt.en {
			t.Errorf("en: Ago(%s) = %q, want %q", tt.at, got, tt.en)
		}
	}
	if got := es.Ago(time.Time{}, now); got != "" {
		t.Errorf("Ago(zero) = %q", got)
	}
}

// TestAgoOverDaylightSaving: a day of 23 hours is one day.
func TestAgoOverDaylightSaving(t *testing.T) {
	t.Parallel()
	tijuana, err := time.LoadLocation("America/Tijuana")
	if err != nil {
		t.Fatal(err)
	}
	spring := time.Date(2024, 3, 9, 12, 0, 0, 0, tijuana)
	if got := For("es-MX", tijuana).Ago(spring, time.Date(2024, 3, 10, 12, 0, 0, 0, tijuana)); got != "ayer" {
		t.Errorf("a day of 23 hours: %q", got)
	}
	autumn := time.Date(2024, 11, 2, 23, 0, 0, 0, tijuana)
	if got := For("es-MX", tijuana).Ago(autumn, time.Date(2024, 11, 4, 1, 0, 0, 0, tijuana)); got != "hace 2 días" {
		t.Errorf("two midnights in 27 hours: %q", got)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	p := For("es-MX", nil)
	for d, want := range map[time.Duration]string{
		0:                             "0 ms",
		900 * time.Microsecond:        "0 ms",
		312*time.Millisecond + 9e5:    "312 ms",
		time.Second:                   "1 s",
		4250 * time.Millisecond:       "4.2 s",
		9999 * time.Millisecond:       "9.9 s",
		48*time.Second + 999e6:        "48 s",
		81 * time.Second:              "1 min 21 s",
		2 * time.Minute:               "2 min",
		time.Hour:                     "1 h",
		125*time.Minute + 59e9:        "2 h 5 min",
		24 * time.Hour:                "1 d",
		76*time.Hour + 59*time.Minute: "3 d 4 h",
		-1500 * time.Millisecond:      "-1.5 s",
		math.MaxInt64:                 "106,751 d 23 h",
		math.MinInt64:                 "-106,751 d 23 h",
	} {
		if got := p.Span(d); got != want {
			t.Errorf("Span(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestMonths(t *testing.T) {
	t.Parallel()
	es, en := For("es-MX", nil), For("en", nil)
	tests := []struct{ from, to, es, en string }{
		{"2023-01-15", "2024-03-15", "1 año 2 meses", "1 year 2 months"},
		{"2023-01-15", "2024-01-14", "1 año", "1 year"},
		{"2023-01-15", "2024-01-13", "11 meses", "11 months"},
		{"2021-02-22", "2021-03-12", "19 días", "19 days"},
		{"2024-03-15", "2024-03-15", "1 día", "1 day"},
		{"2024-01-01", "2024-01-31", "1 mes", "1 month"},
		{"2024-01-31", "2024-02-29", "1 mes", "1 month"},
		{"2024-02-29", "2025-02-28", "1 año", "1 year"},
		{"2020-02-03", "2021-03-12", "1 año 1 mes", "1 year 1 month"},
		{"1990-06-01", "2022-05-31", "32 años", "32 years"},
		{"2024-03-16", "2024-03-15", "", ""},
	}
	for _, tt := range tests {
		if got := es.Months(day(tt.from), day(tt.to)); got != tt.es {
			t.Errorf("es: Months(%s, %s) = %q, want %q", tt.from, tt.to, got, tt.es)
		}
		if got := en.Months(day(tt.from), day(tt.to)); got != tt.en {
			t.Errorf("en: Months(%s, %s) = %q, want %q", tt.from, tt.to, got, tt.en)
		}
	}
	if got := es.Months(time.Time{}, day("2024-01-01")) + es.Months(day("2024-01-01"), time.Time{}); got != "" {
		t.Errorf("a missing date gives %q", got)
	}
}
