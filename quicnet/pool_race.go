//go:build race

package quicnet

// Poison has what was given back spoilt, so that whoever still uses it is found: every test under the race detector looks.
const Poison = true
