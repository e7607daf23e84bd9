// Package curp reads the identifiers a Mexican lookup starts from: the CURP
// (Clave Única de Registro de Población, 18 characters), and beside it the
// NSS, the RFC and the employer registration.
//
// It is pure: no clock, no I/O, no sentence. What is wrong is named by the id
// of a message and its arguments (Reason); the message files `curp.es.toml`
// and `curp.en.toml` hold the words.
//
// Rules are those of the "Instructivo normativo para la asignación de la CURP"
// (DOF, 18 October 2021), summed up in docs/vendor.md#curp. Three degrees:
//
//   - what the form forbids blocks (length, a letter in a number's place, a date
//     or a state that does not exist, a birth in the future);
//   - what is merely improbable warns (the check digit, the vowel, the inner
//     consonants, a very great age), because registry offices have issued such
//     CURPs and vendors' own samples hold some;
//   - what passes is only plausible: of the single-character slips that keep the
//     form the digit misses about a fifth, and all those in the tens of the day,
//     whose weight is ten. Nothing here ever says that a CURP is right or exists.
package curp
