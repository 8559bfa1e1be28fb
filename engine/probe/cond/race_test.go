//go:build race

package cond

const raceDetector = true // times mean nothing under it
