package script

import (
	"fmt"
	"strings"
	"testing"
)

const onHosts = "procs p hosts=n1,ada@n2,fe80::1 gpus=2 via=ssh\nspawn @t on p Toy {Name: toy, Count: 10}\n"

// TestHostsAreChosenByTheirNamesInScripts: each case is one line, and what is expected of it.
func TestHostsAreChosenByTheirNamesInScripts(t *testing.T) {
	for line, want := range map[string]string{
		"call @t[hosts=n1].Value":                         "[0-1] 10",
		"call @t[hosts=(n1,ada@n2),gpus=1].Value":         "[1,3] 10",
		"one @t[hosts=ada@n2, gpus=0].Value":              "[2] 10",
		`call @t[hosts="fe80::1"].Value # a comment`:      "[4-5] 10",
		"let x = \"ada@n2\"\ncall @t[hosts=${x}].Value":   "[2-3] 10",
		"let x = 1\ncall @t[hosts=${x}].Value":            "[2-3] 10",
		"on @t[hosts=n1] call Value":                      "[0-1] 10",
		"group %g = @t[hosts=n1]\ncall %g.Value":          "[0-1] 10",
		"spawn @u on p[hosts=ada@n2] Toy\ncall @u.Value":  "[0-1] 0",
		"info p[hosts=n1]":                                "[0-1] ready",
		"info @t[hosts=n1]":                               "[0-1]",
		"call @t.Value\nexpect @t[hosts=n1]: value == 10": "4 ok",
	} {
		code, report := play(t, newWorld(t), onHosts+line+"\n")
		if code != 0 || !strings.Contains(report, want) {
			t.Errorf("%s: exit %d, want %q in:\n%s", line, code, want, report)
		}
	}
	for line, want := range map[string]string{
		"call @t[hosts=n9].Value":          `@t[hosts=n9]: no host n9: it has n1, ada@n2, "fe80::1"`,
		`call @t[hosts="0"].Value`:         `@t[hosts="0"]: no host "0": it has n1`,
		"kill p[hosts=n9]":                 "p: no host n9: it has",
		"restart p[hosts=n9]":              "p: no host n9: it has",
		"reload p[hosts=n9]":               "p: no host n9: it has",
		"partition p[hosts=n9]":            "p: no host n9: it has",
		"info p[hosts=n9]":                 "p: no host n9: it has",
		"spawn @u on p[hosts=n9] Toy":      "p[hosts=n9]: no host n9: it has",
		"procs q hosts=2\nkill q[hosts=a]": "q: hosts=a: all its ranks are on one machine",
		"procs q gpus=2\nkill q[hosts=a]":  "q: hosts=a: no dimension hosts in {gpus: 2}",
	} {
		code, report := play(t, newWorld(t), onHosts+line+"\n")
		if code != ExitCommand || !strings.Contains(report, want) {
			t.Errorf("%s: exit %d, want %q in:\n%s", line, code, want, report)
		}
	}
}

// TestRanksOfAHostAreKilled: what is sent has the ranks that the name means.
func TestRanksOfAHostAreKilled(t *testing.T) {
	w := newWorld(t)
	if code, report := play(t, w, onHosts+"kill @t[hosts=ada@n2]\n"); code != 0 {
		t.Fatal(report)
	}
	if len(w.killed) == 0 || fmt.Sprint(w.killed[0].Ranks) != "[2 3]" {
		t.Errorf("killed were %+v", w.killed)
	}
}

// TestWhatIsWrongWithANameIsSaidWhereItIs: before anything runs.
func TestWhatIsWrongWithANameIsSaidWhereItIs(t *testing.T) {
	for line, want := range map[string]string{
		"call @t[hosts=n1:22].Value":      "test.mtui:1:17: the name of a host that has other characters",
		`call @t[hosts="n1].Value`:        "test.mtui:1:15: the quote is never closed",
		"call @t[gpus=n1].Value":          "want an index, not 'n'",
		"cast t ranks(hosts=n1) continue": "test.mtui:1:20: ranks(…) knows no names: write [hosts=n1] instead",
	} {
		code, report := play(t, newWorld(t), line+"\n")
		if code != ExitUsage || !strings.Contains(report, want) {
			t.Errorf("%s: exit %d, want %q in:\n%s", line, code, want, report)
		}
	}
}
