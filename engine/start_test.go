package engine

import (
	"strings"
	"testing"
)

func TestEveryProgramsNameMakesASessionsName(t *testing.T) {
	const most = 40 // engine/control says so
	for _, program := range []string{"trainer", "my trainer", "-.x", "…", strings.Repeat("x", 80)} {
		name := sessionName(program, 4_194_304)
		if len(name) > most || strings.ContainsAny(name, " …") || strings.ContainsAny(name[:1], "-.") {
			t.Errorf("the program %q opens the session %q", program, name)
		}
	}
}

func TestTheEngineExecutesEveryVerb(t *testing.T) {
	h, err := newHub(defaults())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(t.Context())
	if missing := h.verbs.Missing(); len(missing) > 0 {
		t.Errorf("registerVerbs leaves out %v", missing)
	}
}
