package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/monarch-tui/monarch-tui/tui/dialog"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// openWarnings lists the warnings; enter goes to whom one is about.
func (m *Model) openWarnings() {
	reload := func() []dialog.Choice {
		var rows []dialog.Choice
		for _, f := range m.panes.warn.List(m.world) {
			key := fmt.Sprint(f.Name, " ", f.Mesh, " ", f.Procs, " ", f.Call)
			rows = append(rows, dialog.Choice{Text: f.Line, Right: f.Name, Key: key, Do: func() tea.Cmd {
				if m.panes.showMesh(m.world, f.Mesh) || m.panes.showProcs(m.world, f.Procs) {
					m.setFocus(Ranks)
					if len(f.Ranks) > 0 {
						m.panes.grid.SetCursor(f.Ranks[0])
						_ = m.panes.grid.SetSelection(ranksText(f.Ranks))
					}
				}
				m.pushText(&dialog.TextBox{Title: f.Name, Lines: func() []paint.Seg {
					return []paint.Seg{{Style: paint.Style{Fg: paint.Text}, Text: f.Detail}}
				}})
				return m.cursorMoved()
			}})
		}
		return rows
	}
	p := dialog.NewPicker("Warnings", reload())
	p.Empty = "no warnings. " + strings.Join(warningNames(), ", ") + " are looked for; settings switch them off by name"
	p.Reload = reload
	p.Enter = "show whom"
	m.push(p)
}
