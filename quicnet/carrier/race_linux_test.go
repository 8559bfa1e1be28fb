//go:build linux && race

package carrier

// raceDetector: it allocates, and its pools forget.
const raceDetector = true
