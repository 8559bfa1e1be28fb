// Package hlc is the hybrid logical clock of Kulkarni, Demirbas, Madappa, Avva and Leone ("Logical physical clocks", 2014):
// readings that follow the wall clock as closely as causes allow, so that what happened because of something has the larger
// reading, whatever the wall clocks of the two machines say.
//
// A reading is one number: microseconds since 1970 in its upper 52 bits, which last until 2112, and a count in its lower 12.
// A count that is full carries into the microseconds, so readings compare as the numbers that they are. 0 is no reading.
//
// # Invariants, named by the tests
//
//   - INV-RISES: every reading that a clock gives is larger than all that it gave before, whoever asks from however many
//     goroutines, and whatever its wall clock does.
//   - INV-CAUSE: what Observe gives is larger than the reading that it was shown, unless that one is refused.
//   - INV-AHEAD: nothing that a clock is shown moves it more than MaxAhead ahead of its wall clock. What would is refused and
//     counted, and the clock goes on by itself.
//
// # What it is not
//
// No synchronisation of wall clocks, no bound on how wrong they are, and no order of what has nothing to do with each other:
// of two such readings the smaller one may be the later.
package hlc
