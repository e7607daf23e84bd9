package curp

import "testing"

// TestSingleSlips changes every character of 13 valid CURPs to every other one:
// 8,190 slips. Each must be judged as the rules, written apart, judge it; the
// log tells how many go unnoticed, the reason that a pass promises nothing.
func TestSingleSlips(t *testing.T) {
	t.Parallel()
	valid := []string{
		"GATA000408HTLRLLA7", "LALE870908HDFRPD02", "JITM910411HASMMR08", "ZUAL000827HMCXRSA8", "AATE910411HASLMG07",
		"POTP910411HASBMP04", "MEMC760502MMCJGR00", "AUAT940412HCLQQM08", "DETJ910411HASLMR04",
		"CUAI911021MOCRQS09", "CERC660204HMCLCR09", "GOPJ930704HDFPRR05", "SABC560626MDFLRN01",
	}
	const plain = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var formedCount, digitMiss, passed [19]int // by position, 0 the total
	total, asked := 0, 0
	for _, text := range valid {
		for i := range text {
			for _, r := range plain {
				if r == rune(text[i]) {
					continue
				}
				slip := text[:i] + string(r) + text[i+1:]
				total++
				c := Explain(slip, now)
				birth, ok := formed(slip)
				if ok = ok && !birth.After(now); !ok {
					if c.Verdict != Block {
						t.Errorf("%s: %v, and the form forbids it", slip, c)
					}
					continue
				}
				want, _ := CheckDigit(slip[:17])
				agrees := want == slip[17]
				odd := !usual.MatchString(slip) || age(birth, now) > oldest
				switch {
				case agrees && !odd && c.Verdict != Pass,
					!(agrees && !odd) && c.Verdict != Warn,
					c.DigitOnly() != (!agrees && !odd):
					t.Errorf("%s: %v, digit agrees %v, odd %v", slip, c, agrees, odd)
				}
				formedCount[0]++
				formedCount[i+1]++
				if agrees {
					digitMiss[0]++
					digitMiss[i+1]++
				}
				if c.Verdict == Pass {
					passed[0]++
					passed[i+1]++
				} else {
					asked++
				}
			}
		}
	}
	if digitMiss[0] == 0 || passed[0] == 0 || passed[18] != 0 {
		t.Errorf("no slip was missed by the digit (%d), or one in the digit passed (%d)", digitMiss[0], passed[18])
	}
	rate := func(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
	t.Logf("%d slips: %d blocked, %d asked about, %d passed (%.1f %%)", total, total-formedCount[0], asked, passed[0], rate(passed[0], total))
	t.Logf("of the %d that keep the form the check digit misses %d (%.1f %%), and with the other warnings %d (%.1f %%)",
		formedCount[0], digitMiss[0], rate(digitMiss[0], formedCount[0]), passed[0], rate(passed[0], formedCount[0]))
	for pos := 1; pos <= Length; pos++ {
		t.Logf("position %2d: %4d keep the form, the digit misses %4.1f %%, %4.1f %% pass", pos, formedCount[pos], rate(digitMiss[pos], formedCount[pos]), rate(passed[pos], formedCount[pos]))
	}
}
