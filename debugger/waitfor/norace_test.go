//go:build !race

package waitfor

// slack is how much longer a judgement may take than it should.
const slack = 1
