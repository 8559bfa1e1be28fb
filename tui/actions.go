package tui

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"
)

// The groups of actions, as headings of help and docs.
const (
	groupMove   = "Moving"
	groupRanks  = "Picking ranks"
	groupDebug  = "Debugging"
	groupLook   = "Looking"
	groupDo     = "Doing"
	groupScreen = "The screen"
	groupLeave  = "Leaving"
)

// act is an action that needs no command.
func act(f func(m *Model)) func(m *Model) tea.Cmd {
	return func(m *Model) tea.Cmd { f(m); return nil }
}

// actions is the table of everything a person can do.
func actions() []*Action {
	return slices.Concat(rankActions(), doActions(), debugActions(), lookActions(), moveActions(), screenActions(), leaveActions())
}

func moveActions() []*Action {
	g := groupMove
	move := func(f func(m *Model)) func(m *Model) tea.Cmd {
		return func(m *Model) tea.Cmd { f(m); return m.moved() }
	}
	all := []*Action{
		{Name: "up", Keys: []string{"k", "up"}, Title: "up", run: move(func(m *Model) { m.focused().Up(1) })},
		{Name: "down", Keys: []string{"j", "down"}, Title: "down", run: move(func(m *Model) { m.focused().Down(1) })},
		{Name: "left", Keys: []string{"h", "left"}, Title: "left, or fold", run: move(func(m *Model) { m.panes.left(m.focus) })},
		{Name: "right", Keys: []string{"l", "right"}, Title: "right, or unfold", run: move(func(m *Model) { m.panes.right(m.focus) })},
		{Name: "home", Keys: []string{"g", "home"}, Title: "first", run: move(func(m *Model) { m.focused().Home() })},
		{Name: "end", Keys: []string{"G", "end"}, Title: "last; lists follow what comes", run: move(func(m *Model) { m.focused().End() })},
		{Name: "page.down", Keys: []string{"ctrl+d", "pgdown"}, Title: "half a page down", run: move(func(m *Model) { m.focused().Page(1) })},
		{Name: "page.up", Keys: []string{"ctrl+u", "pgup"}, Title: "half a page up", run: move(func(m *Model) { m.focused().Page(-1) })},
		{Name: "open", Keys: []string{"enter"}, Title: "open what the cursor is on", Hint: "open", Weight: 40, run: func(m *Model) tea.Cmd { return m.activate() }},
		{Name: "next.pane", Keys: []string{"tab"}, Title: "next pane", Hint: "next pane", Weight: 30, run: act(func(m *Model) { m.setFocus(m.focus%(panes-1) + 1) })},
		{Name: "prev.pane", Keys: []string{"shift+tab"}, Title: "pane before", run: act(func(m *Model) { m.setFocus((m.focus+panes-3)%(panes-1) + 1) })},
		{Name: "back", Keys: []string{"esc"}, Title: "one step back: the filter, the zoom, the selection", run: func(m *Model) tea.Cmd { return m.escape() }},
		{Name: "last.place", Keys: []string{"-"}, Title: "the place before, and there again", run: func(m *Model) tea.Cmd { return m.lastPlace() }},
		{Name: "place.back", Keys: []string{"ctrl+o"}, Title: "back through the places", run: func(m *Model) tea.Cmd { return m.goPlace(-1) }},
		{Name: "place.forward", Keys: []string{"alt+right"}, Title: "forward through the places", run: func(m *Model) tea.Cmd { return m.goPlace(1) }},
	}
	for p, s := range slots() {
		p := PaneID(p)
		if p == None {
			continue
		}
		all = append(all, &Action{Name: jumpAction(p), Keys: []string{strconv.Itoa(int(p))}, Title: s.name, run: act(func(m *Model) { m.setFocus(p) })})
	}
	for _, a := range all {
		a.Group = g
	}
	return all
}

// jumpAction is the name of the action that goes to a slot.
func jumpAction(p PaneID) string { return "pane." + strconv.Itoa(int(p)) }

func doActions() []*Action {
	all := []*Action{
		{Name: "call", Keys: []string{"x"}, Title: "call an endpoint: of what is selected, else of what the cursor is on", Hint: "call", Weight: 90, disabledReason: noMesh, run: (*Model).openComposer},
		{Name: "spawn", Keys: []string{"a"}, Title: "spawn actors", Hint: "spawn", Weight: 70, disabledReason: noProcs, run: (*Model).openSpawn},
		{Name: "procs", Keys: []string{"M"}, Title: "new proc mesh", Hint: "new mesh", Weight: 75, disabledReason: (*Model).blocked, run: (*Model).openProcs},
		{Name: "attach", Keys: []string{"A"}, Title: "attach to a running session", run: func(m *Model) tea.Cmd { return m.openSessions() }},
		{Name: "stop", Keys: []string{"delete", "ctrl+k"}, Title: "stop what the cursor is on, in order", Hint: "cancel launch", HintIn: []PaneID{Mesh, Ranks, Inspect}, Weight: 90,
			hinted: func(m *Model) bool { return m.launching(m.target()) }, disabledReason: nothingToEnd, run: (*Model).askStop},
		{Name: "kill", Keys: []string{"K"}, Title: "kill what the cursor is on", Hint: "kill", HintIn: []PaneID{Mesh, Ranks}, Weight: 65, disabledReason: nothingToEnd, run: (*Model).askKill},
		{Name: "restart", Keys: []string{"R"}, Title: "restart what has ended of what the cursor is on", Hint: "restart", HintIn: []PaneID{Mesh, Ranks, Inspect}, Weight: 78, disabledReason: nothingEnded, run: (*Model).restartEnded},
		{Name: "reload", Keys: []string{"r"}, Title: "reload: build the program anew, and move what the cursor is on to it", Hint: "reload", HintIn: []PaneID{Mesh, Ranks, Inspect, Logs}, Weight: 72,
			hinted: (*Model).offersReload, disabledReason: nothingToReload, run: (*Model).askReload},
		{Name: "repeat", Keys: []string{"."}, Title: "repeat the last call", Hint: "repeat", Weight: 20, disabledReason: noCall, run: (*Model).repeatCall},
		{Name: "cancel", Keys: []string{"ctrl+x"}, Title: "cancel the call or the command that is running", Hint: "cancel", Weight: 88, disabledReason: nothingRuns, run: (*Model).cancelRunning},
		{Name: "command", Keys: []string{":"}, Title: "type a command", Hint: "command", Weight: 85, run: act(func(m *Model) { m.openCommand("") })},
		{Name: "palette", Keys: []string{"ctrl+p"}, Title: "palette: everything that can be done", run: act((*Model).openPalette)},
		{Name: "save", Keys: []string{"ctrl+s"}, Title: "save what was done as a script; the logs; the inspector as JSON", Hint: "save", HintIn: []PaneID{Logs, Inspect}, Weight: 26, run: act((*Model).openSave)},
		{Name: "demo", Title: "watch a demo", disabledReason: noDemos, run: act((*Model).openDemos)},
		{Name: "demo.next", Keys: []string{";"}, Title: "next step of the demo", disabledReason: noStory, run: func(m *Model) tea.Cmd { return m.storyNext() }},
	}
	for _, a := range all {
		a.Group = groupDo
	}
	return all
}

func screenActions() []*Action {
	all := []*Action{
		{Name: "zoom", Keys: []string{"+"}, Title: "zoom: more room for this pane", Hint: "zoom", Weight: 25, run: act(func(m *Model) { m.zoom = min(m.zoom+1, Full) })},
		{Name: "unzoom", Keys: []string{"_"}, Title: "unzoom: less room for this pane", run: act(func(m *Model) { m.zoom = max(m.zoom-1, Normal) })},
		{Name: "wider", Keys: []string{"ctrl+right"}, Title: "wider pane", run: act(func(m *Model) { m.side = min(m.side+4, 80) })},
		{Name: "narrower", Keys: []string{"ctrl+left"}, Title: "narrower pane", run: act(func(m *Model) { m.side = max(m.side-4, -80) })},
		{Name: "mouse", Keys: []string{"m"}, Title: "mouse on or off", run: act((*Model).toggleMouse)},
		{Name: "redraw", Keys: []string{"ctrl+l"}, Title: "draw the screen anew", anywhere: true, run: func(*Model) tea.Cmd { return tea.ClearScreen }},
		{Name: "errors", Keys: []string{"E"}, Title: "what has failed", run: act((*Model).openErrors)},
		{Name: "help", Keys: []string{"?", "f1"}, Title: "help: what can be done here", Hint: "help", Weight: 100, run: act((*Model).openHelp)},
	}
	for _, a := range all {
		a.Group = groupScreen
	}
	return all
}

func leaveActions() []*Action {
	return []*Action{
		{Name: "suspend", Keys: []string{"ctrl+z"}, Title: "suspend; fg comes back", Group: groupLeave, anywhere: true, disabledReason: noSuspend, run: func(*Model) tea.Cmd { return tea.Suspend }},
		{Name: interruptAction, Keys: []string{interruptKey}, Title: "leave the input, cancel what runs, or quit; twice quits at once", Group: groupLeave, anywhere: true, run: (*Model).interrupt},
		{Name: "quit", Keys: []string{"q"}, Title: "quit", Hint: "quit", Weight: 95, Group: groupLeave, run: func(m *Model) tea.Cmd { return m.quit() }},
	}
}

// The reasons why something cannot be done now.

func noMesh(m *Model) string {
	if why := m.blocked(); why != "" {
		return why
	}
	if _, meshes := m.world.Live(); len(meshes) == 0 {
		return "nothing has been spawned" + m.keyHint(" (%s)", "spawn")
	}
	return ""
}

func noProcs(m *Model) string {
	if why := m.blocked(); why != "" {
		return why
	}
	if procs, _ := m.world.Live(); len(procs) == 0 {
		return "there is no proc mesh" + m.keyHint(" (%s makes one)", "procs")
	}
	return ""
}

func nothingToEnd(m *Model) string {
	if why := m.blocked(); why != "" {
		return why
	}
	if m.target().none() {
		return "the cursor is on nothing that runs"
	}
	return ""
}

func noCall(m *Model) string {
	if m.lastCall() == nil {
		return "you have called nothing yet" + m.keyHint(" (%s)", "call")
	}
	return m.blocked()
}

func nothingRuns(m *Model) string {
	if _, ok := m.selectedCall(); ok {
		return ""
	}
	if len(m.running()) == 0 {
		return "nothing is running"
	}
	return ""
}

func noSuspend(m *Model) string {
	if m.cfg.Suspend == nil {
		return ""
	}
	return m.cfg.Suspend()
}

func noDemos(m *Model) string {
	if len(m.cfg.Demos) == 0 {
		return "demos run in monarch-tui's own session"
	}
	return ""
}

func noStory(m *Model) string {
	if m.story == nil {
		return "no demo is running (:demo NAME)"
	}
	return ""
}
