package via

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// keep puts the program into the folder of programs on this machine, by the script that does it elsewhere. It returns where it is, and
// how many bytes were copied. It is for hosts that share the folder with this machine.
func keep(ctx context.Context, spec *Spec) (path string, copied int64, err error) {
	f, err := os.Open(spec.Program.Path)
	if err != nil {
		return "", 0, fmt.Errorf("copy the program: %w", err)
	}
	defer f.Close()
	o := order{mode: "put", nonce: newNonce(), index: "0", cache: spec.Options["cache"], program: spec.Program}
	o.program.Args = nil
	out, err := once(ctx, io.MultiReader(strings.NewReader(o.line()), f), shell...)
	for line := range strings.Lines(out) {
		m, ok := parseMark(strings.TrimSuffix(line, "\n"), o.nonce)
		switch {
		case !ok:
		case m.word == wordFail:
			return "", 0, errors.New("on this machine " + m.text)
		case m.word == wordHave:
			return m.text, 0, nil
		case m.word == wordPut:
			return m.text, spec.Program.Size, nil
		}
	}
	if err == nil {
		err = errors.New("/bin/sh has not said how it went")
	}
	return "", 0, fmt.Errorf("copy the program on this machine: %w", err)
}
