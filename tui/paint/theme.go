package paint

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// Role is what a colour stands for. Used as a background it is the same colour.
type Role uint8

// The roles. Default is the terminal's own colour.
const (
	Default   Role = iota
	Text           // what is read
	Muted          // labels, units, what is read second
	Faint          // borders and rules; never text that must be read
	Accent         // the one accent: focus, titles, keys
	Match          // what a filter has found
	Selection      // background of selected things
	Cursor         // background of the row or cell under the cursor
	Bar            // background of bars and of dialogs' heads
	Idle
	Busy
	Paused
	Warning
	Failed
	Gone
	Starting
	Fault // done on purpose
	roles
)

// Theme says what roles look like.
type Theme struct {
	Name   string
	Dark   bool // made for a dark background
	Mono   bool // no colours: backgrounds become reverse video
	few    bool // the terminal has 16 colours: those of the theme are left aside
	ASCII  bool // draw with ASCII only
	colors [roles]color.Color
	opened *[styles]*[2]string // escape sequences before and after a run, by Style.number
}

// hexes of a theme, in the order of the roles from Text on. The states are the colours of Okabe and Ito (Color Universal
// Design, 2008), lightened or darkened until text in them has a contrast of 4.5:1 or more on the theme's background.
type hexes [roles - 1]string

var themes = []struct {
	name string
	dark bool
	hex  hexes
}{
	{"dark", true, hexes{"#d7dae0", "#9aa0ab", "#4b515c", "#b99cf5", "#f0e442", "#3a3160", "#2b2f38", "#22252c",
		"#a3a8b2", "#56b4e9", "#ffa733", "#f0e442", "#ff7a4d", "#8d939e", "#9fd3c7", "#e78fbf"}},
	{"light", false, hexes{"#24272d", "#5c626d", "#b9bec7", "#6a3fc4", "#7a6400", "#ddd2f7", "#e6e8ec", "#eef0f3",
		"#5f6570", "#005f99", "#9a5700", "#7a6400", "#b83a00", "#646a74", "#00664d", "#a02c6f"}},
	{"contrast", true, hexes{"#ffffff", "#d0d0d0", "#808080", "#ffd75f", "#ffff00", "#005f87", "#444444", "#303030",
		"#e4e4e4", "#87d7ff", "#ffaf5f", "#ffff5f", "#ff8787", "#bcbcbc", "#87ffd7", "#ff9fd6"}},
	{"warm", true, hexes{"#ebdbb2", "#bdae93", "#665c54", "#fabd2f", "#fe8019", "#504945", "#3c3836", "#32302f",
		"#bdae93", "#83a598", "#fe8019", "#fabd2f", "#fb6a58", "#a89984", "#8ec07c", "#d3869b"}},
}

// Themes are the names of the themes.
func Themes() []string {
	var out []string
	for _, t := range themes {
		out = append(out, t.name)
	}
	return append(out, "mono")
}

// NewTheme makes a theme: one of Themes.
func NewTheme(name string) (*Theme, error) {
	if name == "mono" {
		return &Theme{Name: name, Dark: true, Mono: true, opened: new([styles]*[2]string)}, nil
	}
	for _, t := range themes {
		if t.name != name {
			continue
		}
		th := &Theme{Name: name, Dark: t.dark, opened: new([styles]*[2]string)}
		for i, h := range t.hex {
			th.colors[i+1] = lipgloss.Color(h)
		}
		return th, nil
	}
	return nil, fmt.Errorf("there is no theme %q: have %s", name, strings.Join(Themes(), ", "))
}

// Color is the colour of a role, nil for the terminal's own.
func (t *Theme) Color(r Role) color.Color { return t.colors[r] }

// Restarted is the sign of what is not in its first life.
const Restarted = "↻"

// OtherBuild is the sign of what runs another build than the most beside it.
const OtherBuild = "≠"

// State is the role of a state of the screens' vocabulary, and Muted for another word.
func State(word string) Role {
	if i := slices.IndexFunc(states, func(s stateLook) bool { return s.word == word }); i >= 0 {
		return states[i].role
	}
	return Muted
}

// Glyph is the sign of a state of the screens' vocabulary.
func Glyph(word string) string {
	if i := slices.IndexFunc(states, func(s stateLook) bool { return s.word == word }); i >= 0 {
		return states[i].glyph
	}
	return "?"
}

type stateLook struct {
	word, glyph string
	role        Role
}

// states is the vocabulary of states: a sign, a word and a colour each, so that none has to be told by colour alone.
var states = []stateLook{
	{"idle", "·", Idle}, {"busy", "●", Busy}, {"paused", "◆", Paused}, {"warning", "▲", Warning}, {"failed", "✕", Failed},
	{"gone", "○", Gone}, {"starting", "◌", Starting}, {"fault", "≈", Fault},
}
