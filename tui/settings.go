package tui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/pelletier/go-toml/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/tui/keys"
	"github.com/monarch-tui/monarch-tui/tui/paint"
	"github.com/monarch-tui/monarch-tui/tui/warn"
)

// Settings are what the person prefers; the zero value is the default.
type Settings struct {
	Theme        string              // one of the themes; "" for dark or light, as the terminal is
	ASCII        bool                // draw with ASCII only
	ReduceMotion bool                // nothing moves: no spinner, no bars in the header
	NoMouse      bool                // leave the mouse to the terminal
	Keys         map[string][]string // keys of actions, by name (docs/keys.md)
	Off          []string            // warnings that are switched off, by name
	ForgetBreaks bool                // breakpoints are not kept from session to session
	Launches     script.Launches     // what via= means besides the launchers themselves
	Reach        control.Reach       // how workers on other machines reach a session that is begun here
}

// settingsFile is the form of the settings' file.
type settingsFile struct {
	Theme        string         `toml:"theme"`
	ASCII        bool           `toml:"ascii"`
	ReduceMotion bool           `toml:"reduce_motion"`
	Mouse        *bool          `toml:"mouse"`
	Breakpoints  string         `toml:"breakpoints"` // one of keepings; "" for the first
	Keys         map[string]any `toml:"keys"`
	Warnings     struct {
		Off []string `toml:"off"`
	} `toml:"warnings"`
	Launch  launchTables `toml:"launch"`
	Network networkTable `toml:"network"`
}

var settingNames = []string{"theme", "ascii", "reduce_motion", "mouse", "breakpoints", "keys", "warnings", "warnings.off", "launch", "network", "network.listen", "network.advertise"}

// keepings says what becomes of breakpoints when their session ends: they are kept for the next one, or forgotten.
var keepings = []string{"keep", "forget"}

// maxSettings bounds what is read of a settings' file, in bytes.
const maxSettings = 1 << 20

// LoadSettings reads a file of settings. One that is not there is the default; a mistake in it is an error with file,
// line and what would be right.
func LoadSettings(name string) (Settings, error) {
	b, err := readSettings(name)
	if err != nil || b == nil {
		return Settings{}, err
	}
	return parseSettings(name, b)
}

// readSettings is what a file of settings holds, nil for one that is not there.
func readSettings(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSettings {
		return nil, fmt.Errorf("%s: more than %s", name, paint.Bytes(maxSettings))
	}
	return b, nil
}

// decodeError is what is wrong with a file, with the place.
func decodeError(name string, err error) error {
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(e.Errors) > 0 {
		first := e.Errors[0]
		line, _ := first.Position()
		key := strings.Join(first.Key(), ".")
		alike := slices.DeleteFunc(slices.Clone(settingNames), func(n string) bool { return strings.Contains(n, ".") != strings.Contains(key, ".") })
		return fmt.Errorf("%s:%d: there is no setting %q%s", name, line, key, schema.Suggest(key, alike))
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, col := e.Position()
		return fmt.Errorf("%s:%d:%d: %s", name, line, col, decodeText(e))
	}
	return fmt.Errorf("%s: %w", name, err)
}

func parseSettings(name string, b []byte) (Settings, error) {
	var file settingsFile
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return Settings{}, decodeError(name, err)
	}
	s := Settings{Theme: file.Theme, ASCII: file.ASCII, ReduceMotion: file.ReduceMotion, NoMouse: file.Mouse != nil && !*file.Mouse, Off: file.Warnings.Off}
	at := func(key string) string { return fmt.Sprintf("%s:%d", name, lineOf(b, key)) }
	if s.Theme != "" && !slices.Contains(paint.Themes(), s.Theme) {
		return Settings{}, fmt.Errorf("%s: there is no theme %q%s", at("theme"), s.Theme, schema.Suggest(s.Theme, paint.Themes()))
	}
	if b := file.Breakpoints; b != "" && !slices.Contains(keepings, b) {
		return Settings{}, fmt.Errorf("%s: breakpoints = %q: want %q or %q%s", at("breakpoints"), b, keepings[0], keepings[1], schema.Suggest(b, keepings))
	}
	s.ForgetBreaks = file.Breakpoints == keepings[1]
	for _, w := range s.Off {
		if !slices.Contains(warningNames(), w) {
			return Settings{}, fmt.Errorf("%s: there is no warning %q%s", at("off"), w, schema.Suggest(w, warningNames()))
		}
	}
	var err error
	if s.Launches, err = parseLaunches(name, b, file.Launch); err != nil {
		return Settings{}, err
	}
	if s.Reach, err = parseNetwork(name, b, file.Network); err != nil {
		return Settings{}, err
	}
	for action, v := range file.Keys {
		names, err := keyList(v)
		if err != nil {
			return Settings{}, fmt.Errorf("%s: %s: %w", at(action), action, err)
		}
		if s.Keys == nil {
			s.Keys = map[string][]string{}
		}
		s.Keys[action] = names
	}
	if _, err := newRegistry(actions(), s.Keys); err != nil {
		where := "keys"
		for action := range s.Keys {
			if strings.Contains(err.Error(), strconv.Quote(action)) {
				where = action
			}
		}
		return Settings{}, fmt.Errorf("%s: %w", at(where), err)
	}
	return s, nil
}

// wrongType is how the decoder says that a value is of another type than its setting.
var wrongType = regexp.MustCompile(`cannot decode TOML (.+) into .* of type (.+)$`)

// decodeText says what is wrong with a value in the words of the file, not of the program.
func decodeText(e *toml.DecodeError) string {
	text := strings.TrimPrefix(e.Error(), "toml: ")
	m := wrongType.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	want := map[string]string{"string": `text in quotes`, "bool": "true or false", "[]string": `a list such as ["backlog"]`}[m[2]]
	if want == "" {
		want = "a table"
	}
	article := "a"
	if strings.ContainsRune("aeio", rune(m[1][0])) {
		article = "an"
	}
	return fmt.Sprintf("%s: want %s, not %s %s", strings.Join(e.Key(), "."), want, article, m[1])
}

// lineOf is the first line that sets a key, 1 where none is found.
func lineOf(b []byte, key string) int {
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimLeft(strings.TrimSpace(line), `["`)
		if rest, ok := strings.CutPrefix(line, key); ok && strings.TrimLeft(rest, `"] `) != rest || ok && strings.HasPrefix(rest, "=") {
			return i + 1
		}
	}
	return 1
}

func keyList(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		_, err := keys.Bindable(v)
		return []string{v}, err
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, fmt.Errorf("want keys such as \"x\" or [\"x\", \"ctrl+x\"], not %v", x)
			}
			if _, err := keys.Bindable(s); err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, fmt.Errorf("want a key such as \"x\", or several in [ ], not %v", v)
}

// SettingsTemplate is a file of settings that changes nothing, with every setting explained.
func SettingsTemplate() string {
	return fmt.Sprintf(`# Settings of monarch-tui. None is needed; what is commented out is the default.

# One of %s. Without it: dark or light, as the terminal is.
# theme = "dark"

# Draw with ASCII only.
# ascii = false

# Nothing moves: no spinner, no bars in the header.
# reduce_motion = false

# false leaves the mouse to the terminal; m changes it while the program runs.
# mouse = true

# Breakpoints are kept per program, and set again in its next session; "forget": each session begins without.
# breakpoints = "keep"

[warnings]
# Warnings that are switched off: %s.
# off = []

[keys]
# Other keys for actions, by the names in docs/keys.md: one, or several in [ ].
# call = "x"
# quit = ["q", "ctrl+q"]

# How workers on other machines reach a session that begins here, where a firewall or a NAT stands between: the address of this machine,
# host:port, at which it listens, and the hosts, without a port, at which others find it. --listen and --advertise win.
# [network]
# listen = "0.0.0.0:4433"
# advertise = ["login1.example.com"]

# Launchers of this site: with the lines below, "procs p hosts=4 gpus=8 via=gpu" is one of Slurm with these options. via is one of
# %s; docs/commands.md lists the options of each. Words of a command win.
# A table that is called as a launcher is, such as [launch.ssh], has the defaults of that one. monarch-tui run reads these tables too.
# [launch.gpu]
# via = "slurm"
# within = "30m"        # the machines may be queued for so long; without it, however long
# partition = "gpu"
# time = "1h"
`, strings.Join(paint.Themes(), ", "), strings.Join(warningNames(), ", "), strings.Join(launcherNames(), ", "))
}

func launcherNames() (names []string) {
	for _, l := range control.Launchers() {
		names = append(names, l.Name)
	}
	return names
}

// Colors says in words which colours a screen on w has, as the environment has it.
func Colors(w io.Writer, env []string) string {
	switch colorprofile.Detect(w, env) {
	case colorprofile.TrueColor:
		return "all (true colour)"
	case colorprofile.ANSI256:
		return "256"
	case colorprofile.ANSI:
		return "16"
	case colorprofile.ASCII:
		return "none, bold and reverse only"
	default:
		return "none"
	}
}

// Paths are the places where the explorer looks for settings and keeps its history.
func Paths() (settings, state string) {
	if dir, err := os.UserConfigDir(); err == nil {
		settings = filepath.Join(dir, "monarch-tui", "config.toml")
	}
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return settings, ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return settings, filepath.Join(dir, "monarch-tui")
}

func warningNames() []string { return warn.Names() }

// rereadMsg is settings that have changed since they were last read, or why they cannot be used.
type rereadMsg struct {
	changed  bool
	settings Settings
	err      error
}

// reread looks, beside the screen, whether the settings have changed.
func (m *Model) reread() tea.Cmd {
	if m.cfg.Reread == nil || m.rereading {
		return nil
	}
	m.rereading = true
	look := m.cfg.Reread
	return m.task(func() tea.Msg {
		set, changed, err := look()
		return rereadMsg{changed, set, err}
	})
}

func (r rereadMsg) apply(m *Model) tea.Cmd {
	m.rereading = false
	switch {
	case r.err != nil:
		m.say(sayError, "the settings stay as they were: "+r.err.Error())
	case r.changed:
		if err := m.settle(r.settings); err != nil {
			m.say(sayError, "the settings stay as they were: "+err.Error())
			return nil
		}
		m.say(sayGood, "the settings were read again")
	}
	return nil
}

// settle applies other settings while the program runs.
func (m *Model) settle(set Settings) error {
	reg, err := newRegistry(actions(), set.Keys)
	if err != nil {
		return err
	}
	was := m.cfg.Settings
	m.cfg.Settings, m.reg = set, reg
	if set.Theme != was.Theme || set.ASCII != was.ASCII {
		m.themeFixed = set.Theme != ""
		m.pickTheme()
	}
	if set.NoMouse != was.NoMouse {
		m.mouse = !set.NoMouse
	}
	if !slices.Equal(set.Off, was.Off) {
		m.panes.warn = warn.New(warn.Config{Off: set.Off})
	}
	m.touch()
	return nil
}
