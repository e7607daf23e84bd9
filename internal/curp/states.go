package curp

// abroad is the code for a birth outside Mexico; its words are a message.
const abroad = "NE"

// states are the 32 federal entities by the code the CURP uses. Mexico City
// still carries the code of the former Federal District.
var states = map[string]string{
	"AS": "Aguascalientes", "BC": "Baja California", "BS": "Baja California Sur", "CC": "Campeche",
	"CL": "Coahuila", "CM": "Colima", "CS": "Chiapas", "CH": "Chihuahua",
	"DF": "Ciudad de México", "DG": "Durango", "GT": "Guanajuato", "GR": "Guerrero",
	"HG": "Hidalgo", "JC": "Jalisco", "MC": "Estado de México", "MN": "Michoacán",
	"MS": "Morelos", "NT": "Nayarit", "NL": "Nuevo León", "OC": "Oaxaca",
	"PL": "Puebla", "QT": "Querétaro", "QR": "Quintana Roo", "SP": "San Luis Potosí",
	"SL": "Sinaloa", "SR": "Sonora", "TC": "Tabasco", "TS": "Tamaulipas",
	"TL": "Tlaxcala", "VZ": "Veracruz", "YN": "Yucatán", "ZS": "Zacatecas",
}

// StateName is the name of a state by its CURP code. It is "" for an unknown
// code and for NE, which is no state.
func StateName(code string) string { return states[code] }

func isState(code string) bool { return code == abroad || states[code] != "" }

func startsState(r rune) bool {
	for code := range states {
		if rune(code[0]) == r {
			return true
		}
	}
	return false
}
