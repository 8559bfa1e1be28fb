//go:build linux && !race

package carrier

// raceDetector: it would allocate, and its pools would forget.
const raceDetector = false
