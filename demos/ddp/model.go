package ddp

import (
	"math"
	"math/rand/v2"
)

// The model is a net of one hidden layer that learns a wave: y = sin 3x + cos 5x/2, from samples with noise.
const (
	hidden  = 12
	weights = 3*hidden + 1 // of each hidden unit its slope, offset and share; the offset of the sum
	samples = 32           // of one rank in one step
	rate    = 0.1
	drag    = 0.8 // of the momentum
)

// first are the weights that all ranks begin with.
func first() []float64 {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	w := make([]float64, weights)
	for i := range w {
		w[i] = r.NormFloat64()
	}
	return w
}

// batch are the samples of a rank in a step: the same whenever they are asked for.
func batch(step, rank int) (x, y []float64) {
	r := rand.New(rand.NewPCG(uint64(step), uint64(rank))) //nolint:gosec // data, the same each time
	for range samples {
		v := 4*r.Float64() - 2
		x = append(x, v)
		y = append(y, math.Sin(3*v)+math.Cos(2.5*v)+0.05*r.NormFloat64())
	}
	return x, y
}

// gradient is how the loss of a batch changes with each weight, and the loss: the mean square of what it is off.
func gradient(w, x, y []float64) (g []float64, loss float64) {
	g = make([]float64, weights)
	n := float64(len(x))
	for i, v := range x {
		sum := w[weights-1]
		var act [hidden]float64
		for k := range hidden {
			act[k] = math.Tanh(w[3*k]*v + w[3*k+1])
			sum += w[3*k+2] * act[k]
		}
		off := sum - y[i]
		loss += off * off / n
		for k := range hidden {
			slope := 2 * off * w[3*k+2] * (1 - act[k]*act[k]) / n
			g[3*k] += slope * v
			g[3*k+1] += slope
			g[3*k+2] += 2 * off * act[k] / n
		}
		g[weights-1] += 2 * off / n
	}
	return g, loss
}

// learn takes one step down the mean of the gradients, with momentum.
func learn(w, m []float64, all [][]float64) {
	for i := range w {
		var sum float64
		for _, g := range all { // in the order of the ranks, so that every rank has the same to the last bit
			sum += g[i]
		}
		m[i] = drag*m[i] - rate*sum/float64(len(all))
		w[i] += m[i]
	}
}
