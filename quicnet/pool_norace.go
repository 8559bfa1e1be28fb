//go:build !race

package quicnet

const poison = false
