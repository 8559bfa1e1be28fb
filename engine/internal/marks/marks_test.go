package marks

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzSplitter prints any bytes in any chunks, and a mark behind them: no byte is lost, changed or added, and the mark is
// seen.
func FuzzSplitter(f *testing.F) {
	f.Add("plain\nmore", "text", 7)
	f.Add("\x1eL7,1\x1fa\x1eF9\n", "\x1eF1", 1)
	f.Add(strings.Repeat("é", 5000), "\x1eL7,1\x1f", 8192)
	f.Add("\x1e\x1e\x1eF\n\n\x1eL99,0\x1fx", "\x1f", 3)
	f.Fuzz(func(t *testing.T, plain, said string, chunk int) {
		chunk = max(1, chunk&0xffff)
		said = strings.ReplaceAll(said, "\n", "")
		marks := 0
		var plainOut, actorOut strings.Builder
		var ends int
		s := Splitter{
			Actor: func(mesh uint64, rank int) (string, bool) { return "toy", mesh == 7 && rank == 1 },
			Waits: func(n uint64) bool { return n == 12345 },
			Mark:  func(uint64) { marks++ },
			Piece: func(who Speaker, text []byte, end bool) {
				out := &plainOut
				if who.Mesh != 0 {
					out = &actorOut
					ends += btoi(end)
				}
				out.Write(text)
				if end {
					out.WriteByte('\n')
				}
			},
		}
		if strings.Contains(plain, "\x1eL7,1\x1f") || strings.Contains(plain, "\x1eF12345") {
			return // it lies about its own actor
		}
		all := plain + fmt.Sprintf("%cL7,1%c%s\n", RS, US, said) + fmt.Sprintf("%cF12345\n", RS)
		for len(all) > 0 {
			n := min(chunk, len(all))
			s.Write([]byte(all[:n]))
			all = all[n:]
		}
		s.End()
		want := plain
		if plain != "" && !strings.HasSuffix(plain, "\n") {
			want += "\n"
		}
		if marks != 1 || plainOut.String() != want || actorOut.String() != said+"\n" || ends != 1 {
			t.Errorf("%d marks, plain %q want %q, said %q want %q", marks, plainOut.String(), want, actorOut.String(), said)
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestAVeryLongLineComesInPiecesThatEndWithACharacter looks that what waits for the end of a line is bounded.
func TestAVeryLongLineComesInPiecesThatEndWithACharacter(t *testing.T) {
	for _, head := range []string{"", "x", "\x1eL7,1\x1f"} {
		var got strings.Builder
		pieces := 0
		s := Splitter{
			Actor: func(mesh uint64, rank int) (string, bool) { return "toy", mesh == 7 && rank == 1 },
			Waits: func(uint64) bool { return true },
			Mark:  func(uint64) { t.Error("there is no mark") },
			Piece: func(who Speaker, text []byte, end bool) {
				if (who.Mesh == 7) != strings.HasPrefix(head, "\x1e") || !utf8.Valid(text) {
					t.Errorf("a piece of %d bytes by %d", len(text), who.Mesh)
				}
				got.Write(text)
				pieces++
			},
		}
		want := strings.Repeat("é日", 1<<20)
		all := []byte(head + want + "\n")
		for len(all) > 0 {
			n := min(len(all), 32<<10-1)
			s.Write(all[:n])
			all = all[n:]
			if cap(s.line) > 3*maxWhole {
				t.Fatalf("%d bytes wait", cap(s.line))
			}
		}
		if strings.TrimPrefix(got.String(), "x") != want || pieces < 4 {
			t.Errorf("after %q: %d pieces of %d bytes, want %d bytes", head, pieces, got.Len(), len(want))
		}
	}
}
