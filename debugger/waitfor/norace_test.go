//go:build !race

package waitfor

// slack is how many times slower a judgement is than it should be.
const slack = 1
