//go:build !race

package cond

const raceDetector = false
