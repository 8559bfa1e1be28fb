//go:build race

package waitfor

// slack is how much longer a judgement may take under the race detector.
const slack = 10
