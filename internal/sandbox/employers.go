package sandbox

import "strings"

// Employers are invented: a trade, a made-up word and a legal form, in the
// upper case in which IMSS prints them. Dependencies are the public bodies
// whose staff ISSSTE insures.
var (
	trades = strings.Split(`COMERCIALIZADORA;TRANSPORTES;AUTOTRANSPORTES;INDUSTRIAS;SERVICIOS INTEGRALES;CONSTRUCTORA;DISTRIBUIDORA;OPERADORA;GRUPO;ALIMENTOS;TEXTILES;LOGISTICA;MAQUILADORA;PROMOTORA;CONSULTORES;FERRETERA;AGROINDUSTRIAS;PLASTICOS;SEGURIDAD PRIVADA;HOTELERA;MUEBLERIA;EMPACADORA;TECNOLOGIA;MANUFACTURAS;RESTAURANTES;LABORATORIOS;IMPRESOS;ACEROS;AUTOPARTES;REFRIGERACION`, ";")
	coined = strings.Split(`TLAMAYO;VERDALBA;NORTEMAR;XOCALIA;BRISALTA;CUMBRERA;OCELMEX;ARENALIA;MIRADUNA;PALMIRELLA;CENTZONTLA;LOMAVISTA ANAHUAC;RIO HONDILLO;AGAVERIA;MONTECLARO SUR;NAVOLTEC;TEPEYOLI;SOLARIEGA;CHAPULINCO;VALLE HUAZONTLE;QUETZALIA;PIEDRALISA;CORDOBESA NUEVA;TRES MEZQUITES;MARALTA;ALTIPLANERA;COSTALINA;HUERTALIMON;YUCALTEC;DORADEÑA;FRESNALIA;GUAYABERA DEL GOLFO;JACARANDIA;LAGUNILLERA;MAGUEYAL`, ";")
	forms  = strings.Split(`S.A. DE C.V.;S.A. DE C.V.;S.A. DE C.V.;S.A. DE C.V.;S. DE R.L. DE C.V.;S.A.P.I. DE C.V.;S.C.`, ";")

	dependencies = strings.Split(`SECRETARIA DE SALUD;SECRETARIA DE EDUCACION PUBLICA;SECRETARIA DE HACIENDA Y CREDITO PUBLICO;SECRETARIA DE AGRICULTURA Y DESARROLLO RURAL;SECRETARIA DEL TRABAJO Y PREVISION SOCIAL;COMISION NACIONAL DEL AGUA;SERVICIO DE ADMINISTRACION TRIBUTARIA;INSTITUTO NACIONAL DE ESTADISTICA Y GEOGRAFIA`, ";")
	posts        = strings.Split(`ANALISTA ADMINISTRATIVO;ENFERMERA GENERAL;PROFESOR DE EDUCACION PRIMARIA;TECNICO ESPECIALIZADO;JEFE DE DEPARTAMENTO;AUXILIAR CONTABLE;TRABAJADOR SOCIAL`, ";")

	stateNames = []string{"CIUDAD DE MÉXICO", "ESTADO DE MÉXICO", "JALISCO", "NUEVO LEÓN", "PUEBLA", "GUANAJUATO", "QUERÉTARO", "BAJA CALIFORNIA", "CHIHUAHUA", "VERACRUZ", "COAHUILA", "YUCATÁN"}
)

// employer is whoever paid the contributions.
type employer struct {
	name         string
	registration string // registro patronal, 10 characters; "" for a public body
	state        string
}

// registrationLetters begin a registro patronal; the digits are invented, and
// the last two say modality 10, ordinary employment.
const registrationLetters = "ABCDEFGHKRTYZ"

// employer invents one, three times in four in the person's home state.
func (d dice) employer(home string) employer {
	e := employer{name: d.pick(trades) + " " + d.pick(coined) + ", " + d.pick(forms), state: home}
	if d.chance(25) {
		e.state = d.pick(stateNames)
	}
	// One employer in one state has one registration, whoever works there.
	r := newDice("registration", e.name, e.state)
	e.registration = string(registrationLetters[r.n(len(registrationLetters))]) + r.digits(7) + "10"
	return e
}

// dependency picks a public body. ISSSTE has no registro patronal to show.
func (d dice) dependency(home string) employer {
	return employer{name: d.pick(dependencies), state: home}
}
