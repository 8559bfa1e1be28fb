package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// place is where a person was: a pane, and a mesh with a rank.
type place struct {
	pane PaneID
	mesh uint64
	rank int
}

// placeHistory is the places a person has been at, as of a browser.
type placeHistory struct {
	list []place
	at   int // the present one
}

// maxPlaces bounds the history of places.
const maxPlaces = 100

func (m *Model) herePlace() place {
	mesh, rank := m.panes.here()
	return place{m.focus, mesh, rank}
}

// left notes that the person has gone somewhere else.
func (m *Model) left(from place) {
	now := m.herePlace()
	if from == now {
		return
	}
	h := &m.places
	if len(h.list) == 0 {
		h.list = []place{from}
	}
	h.list = append(h.list[:min(h.at+1, len(h.list))], now)
	if over := len(h.list) - maxPlaces; over > 0 {
		h.list = slices.Clone(h.list[over:])
	}
	h.at = len(h.list) - 1
}

// setFocus goes to a pane.
func (m *Model) setFocus(p PaneID) {
	if m.story != nil {
		m.story.focused = false
	}
	if p == m.focus || p <= None || p >= panes {
		return
	}
	from := m.herePlace()
	m.focus = p
	m.moves++
	m.left(from)
	if p == Mesh || p == Ranks { // the cursor is another one now
		m.inspectHere()
	}
	m.touch()
}

// goPlace goes back or forward through the places.
func (m *Model) goPlace(by int) tea.Cmd {
	h := &m.places
	at := h.at + by
	if at < 0 || at >= len(h.list) {
		m.say(sayWarn, "there is no place to go to")
		return nil
	}
	h.at = at
	return m.goTo(h.list[at])
}

// lastPlace goes to the place before, as "cd -" does.
func (m *Model) lastPlace() tea.Cmd {
	h := &m.places
	if len(h.list) < 2 {
		m.say(sayWarn, "there is no place before this one")
		return nil
	}
	before := h.list[max(0, h.at-1)]
	from := m.herePlace()
	cmd := m.goTo(before)
	m.left(from)
	return cmd
}

func (m *Model) goTo(p place) tea.Cmd {
	m.focus = p.pane
	m.moves++
	if mesh, ok := m.world.MeshByID(p.mesh); ok && !mesh.Gone {
		m.panes.showMesh(m.world, mesh.Ref.Name)
		m.panes.grid.SetCursor(p.rank)
	}
	m.touch()
	return m.cursorMoved()
}

// focusTarget selects the ranks of "@mesh[sel]" on the grid.
func (m *Model) focusTarget(text string) error {
	name, sel, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "@"), "[")
	mesh, ok := m.world.Mesh(name)
	if !ok || mesh.Gone {
		return fmt.Errorf("no mesh @%s", name)
	}
	m.panes.showMesh(m.world, name)
	if sel = strings.TrimSuffix(sel, "]"); sel != "" {
		if err := m.panes.grid.SetSelection(sel); err != nil {
			return err
		}
	}
	m.setFocus(Ranks)
	return nil
}

// writePicture writes the screen, without what lies over it, as an SVG.
func (m *Model) writePicture(name string) error {
	if name == "" {
		return fmt.Errorf("write FILE: want the name of a file, such as screen.svg")
	}
	if m.screen == nil {
		return fmt.Errorf("nothing has been drawn yet")
	}
	shown := m.shownEntry
	m.shownEntry = nil // nobody wants the command in the picture
	m.draw(m.screen)
	m.shownEntry = shown
	m.touch()
	if err := os.WriteFile(filepath.Clean(name), []byte(m.screen.SVG(m.theme, "monarch-tui")), 0o600); err != nil {
		if dir := filepath.Dir(name); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is no folder %s", name, dir)
		}
		return short(err)
	}
	return nil
}
