// Package app turns a configuration into a running bot. It is the one wiring:
// the backout command, the demo, the scenario tests and the crash tests all
// start here, so what is tested is what runs.
package app
