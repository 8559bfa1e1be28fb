package control

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// protocolRows is the table of verbs in PROTOCOL.md: the cells of each row, by the name of the verb.
func protocolRows(page string) map[string][]string {
	rows := map[string][]string{}
	_, page, _ = strings.Cut(page, "| verb | request | answer | viewer |\n")
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 {
			break
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[1] != "---" {
			rows[cells[1]] = cells[2:5]
		}
	}
	return rows
}

func TestProtocolPageListsEveryVerb(t *testing.T) {
	b, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := protocolRows(string(b))
	for _, v := range table() {
		req, ans, viewer := typeName(v.req), typeName(v.ans), "yes"
		if v.access == acts {
			viewer = "no"
		}
		row := rows[v.name]
		delete(rows, v.name)
		if len(row) != 3 || row[0] != req || !strings.HasPrefix(strings.ToLower(row[1]), strings.ToLower(ans)) || row[2] != viewer {
			t.Errorf("PROTOCOL.md has the row %q, want | %s | %s | %s | %s |", row, v.name, req, ans, viewer)
		}
	}
	for name := range rows {
		t.Errorf("PROTOCOL.md lists the verb %s, which the table does not have", name)
	}
	for _, n := range []string{fmt.Sprintf("version %d", MaxVersion), "16,777,216", "8,192", "16,384"} {
		if !strings.Contains(string(b), n) {
			t.Errorf("PROTOCOL.md does not say %s", n)
		}
	}
}
