//go:build race

package browsertest

// Under the race detector the program itself is built with it, too: the tests here only wait for it.
func init() { buildFlags = append(buildFlags, "-race") }
