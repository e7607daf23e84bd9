package sandbox

import "strconv"

// centavos is an amount of MXN. Amounts are integers all the way: the page of
// the vendor shows two decimals, and a binary float cannot hold most of them.
type centavos int64

// monthly applies the factor that fits the vendor's samples, 30.42 days a
// month, rounded half up (docs/sandbox.md#amounts).
func (c centavos) monthly() centavos { return (c*3042 + 50) / 100 }

// MarshalJSON prints a JSON number the way the vendor's samples do: no
// trailing zero, but at least one decimal (1044.97, 350.5, 94212.0).
func (c centavos) MarshalJSON() ([]byte, error) {
	b := strconv.AppendInt(nil, int64(c/100), 10)
	b = append(b, '.', byte('0'+c/10%10))
	if c%10 != 0 {
		b = append(b, byte('0'+c%10))
	}
	return b, nil
}

// minimumWage is the general daily minimum wage per year in centavos of
// today's peso, from 1990; unit is the daily UMA, from 2016. They only keep
// invented salaries inside what IMSS would register: never below the wage
// with its legal benefits, never above 25 units.
var minimumWage = []centavos{
	908, 1119, 1333, 1427, 1527, 1719, 2038, 2645, 3125, 3445, // 1990-1999
	3790, 4035, 4215, 4365, 4524, 4680, 4867, 5057, 5259, 5480, // 2000-2009
	5746, 5982, 6233, 6476, 6729, 7010, 7304, 8004, 8836, 10268, // 2010-2019
	12322, 14170, 17287, 20744, 24893, 27880, 31504, // 2020-2026
}

var unit = []centavos{7304, 7549, 8060, 8449, 8688, 8962, 9622, 10374, 10857, 11314, 11731} // 2016-2026

func wageIn(year int) centavos { return yearly(minimumWage, 1990, year) }

// unitIn is the year's measure of pay and of the ceiling.
func unitIn(year int) centavos {
	if year < 2016 { // before the UMA, limits were counted in minimum wages
		return wageIn(year)
	}
	return yearly(unit, 2016, year)
}

// yearly continues a table by 5 % a year where it ends.
func yearly(table []centavos, first, year int) centavos {
	i := max(year-first, 0)
	if i < len(table) {
		return table[i]
	}
	v := table[len(table)-1]
	for range i - len(table) + 1 {
		v = v * 105 / 100
	}
	return v
}

// baseSalary is the daily contribution salary for a level of pay, given in
// thousandths of the year's unit.
func baseSalary(year, level int) centavos {
	u := unitIn(year)
	lowest := wageIn(year) * 10493 / 10000 // 15 days' bonus, 12 of holiday at 25 %
	return min(max(u*centavos(level)/1000, lowest), max(25*u, lowest))
}
