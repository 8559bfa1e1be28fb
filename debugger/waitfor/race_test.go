//go:build race

package waitfor

// slack is how many times slower the race detector makes a judgement.
const slack = 10
