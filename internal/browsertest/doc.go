// Package browsertest drives the whole program with a real browser: the binary as a process, a PostgreSQL, the embedded
// sandbox, and Chromium. It holds tests only.
//
// Every tab also collects what went wrong on its pages (console errors, refusals by the content security policy,
// requests that failed), and every process what it should not have logged; both fail the test that opened them.
package browsertest
