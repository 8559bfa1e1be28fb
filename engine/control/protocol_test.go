package control

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestProtocolPageListsEveryVerb(t *testing.T) {
	b, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verbTable() {
		req, ans, viewer := v.req, v.ans, "yes"
		if req == "" {
			req = "none"
		}
		if ans == "" {
			ans = "none"
		}
		if v.acts {
			viewer = "no"
		}
		found := false
		for line := range strings.Lines(string(b)) {
			cells := strings.Split(line, "|")
			found = found || len(cells) == 6 && strings.TrimSpace(cells[1]) == v.name && strings.TrimSpace(cells[2]) == req &&
				strings.HasPrefix(strings.TrimSpace(strings.ToLower(cells[3])), strings.ToLower(ans[:4])) && strings.TrimSpace(cells[4]) == viewer
		}
		if !found {
			t.Errorf("PROTOCOL.md has no row: | %s | %s | %s | %s |", v.name, req, ans, viewer)
		}
	}
	for _, n := range []string{fmt.Sprintf("version %d", MaxVersion), "16,777,216", "8,192", "16,384"} {
		if !strings.Contains(string(b), n) {
			t.Errorf("PROTOCOL.md does not say %s", n)
		}
	}
}

func TestVerbTableAgreesWithRequestTypes(t *testing.T) {
	byName := map[string]verb{}
	for _, v := range verbTable() {
		byName[v.name] = v
	}
	for _, req := range []any{ProcsReq{}, SpawnReq{}, StopReq{}, KillReq{}, CallReq{}, CancelReq{}, StateReq{}, LogsReq{}, FlushReq{}, HoldReq{}, ProbeReq{}, WatchReq{}} {
		name, acts := verbOf(req)
		if v := byName[name]; v.acts != acts || v.req != strings.TrimPrefix(fmt.Sprintf("%T", req), "control.") {
			t.Errorf("%T: verbOf says %s, %v; the table %+v", req, name, acts, v)
		}
	}
	if _, acts := verbOf("?"); !acts {
		t.Error("an unknown request must count as one that acts")
	}
}
