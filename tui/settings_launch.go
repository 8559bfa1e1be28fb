package tui

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/monarch-tui/monarch-tui/debugger/script"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/tui/paint"
)

// launchTables are the tables [launch.NAME] of the settings' file.
type launchTables map[string]map[string]any

// networkTable is the table [network] of the settings' file.
type networkTable struct {
	Listen    string   `toml:"listen"`
	Advertise []string `toml:"advertise"`
}

// LoadSite reads the launchers and the network of a file of settings, and nothing else of it: what is wrong with a key or a theme does
// not concern who has no screen. A file that is not there has none.
func LoadSite(name string) (s Settings, err error) {
	b, err := readSettings(name)
	if err != nil || b == nil {
		return s, err
	}
	var file struct {
		Launch  launchTables `toml:"launch"`
		Network networkTable `toml:"network"`
	}
	if err := toml.Unmarshal(b, &file); err != nil {
		return s, decodeError(name, err)
	}
	if s.Launches, err = parseLaunches(name, b, file.Launch); err != nil {
		return Settings{}, err
	}
	s.Reach, err = parseNetwork(name, b, file.Network)
	return s, err
}

// parseNetwork judges how a session is to be reached, as far as its form tells: the file may be read on another machine.
func parseNetwork(file string, b []byte, n networkTable) (control.Reach, error) {
	r := control.Reach{Listen: n.Listen, Advertise: n.Advertise}
	if err := r.CheckListen(); err != nil {
		return control.Reach{}, fmt.Errorf("%s:%d: network.listen: %w", file, lineIn(b, "network", "listen"), err)
	}
	if err := r.CheckAdvertise(); err != nil {
		return control.Reach{}, fmt.Errorf("%s:%d: network.advertise: %w", file, lineIn(b, "network", "advertise"), err)
	}
	return r, nil
}

// parseLaunches judges the launchers that a file sets up.
func parseLaunches(file string, b []byte, tables launchTables) (script.Launches, error) {
	if len(tables) == 0 {
		return nil, nil
	}
	out := make(script.Launches, len(tables))
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		l := script.Launch{Options: map[string]string{}}
		wrong := func(key, text string) error {
			place := "launch." + name
			if key != "" {
				place += "." + key
			}
			return fmt.Errorf("%s:%d: %s: %s", file, lineIn(b, "launch."+name, key), place, text)
		}
		for _, key := range slices.Sorted(maps.Keys(tables[name])) {
			text, err := optionText(tables[name][key])
			if err != nil {
				return nil, wrong(key, err.Error())
			}
			switch key {
			case "via":
				l.Via = text
			case "within":
				if l.Within, err = time.ParseDuration(text); err != nil || l.Within <= 0 {
					return nil, wrong(key, fmt.Sprintf("want a time such as \"10m\", not %q", text))
				}
			default:
				l.Options[key] = text
			}
		}
		if key, err := l.Check(name); err != nil {
			return nil, wrong(key, err.Error())
		}
		out[name] = l
	}
	return out, nil
}

// optionText is the value of an option as the command language would say it.
func optionText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v], nil
	}
	return "", fmt.Errorf("want text in quotes, not %v", v)
}

// lineIn is the line of a key in a table, else that of the table, 1 where neither is found.
func lineIn(b []byte, name, key string) int {
	table, inside := 1, false
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if head, ok := strings.CutPrefix(line, "["); ok {
			head, _, _ = strings.Cut(head, "]")
			inside = strings.NewReplacer(" ", "", `"`, "", "'", "").Replace(head) == strings.ReplaceAll(name, " ", "")
			if inside {
				table = i + 1
			}
			continue
		}
		set, _, ok := strings.Cut(line, "=")
		if ok && inside && key != "" && strings.Trim(strings.TrimSpace(set), `"'`) == key {
			return i + 1
		}
	}
	return table
}

// LaunchText is a launcher that is set up on one line, as its words would be in a command.
func LaunchText(name string, set script.Launches) string {
	launcher, l, _ := set.Of(name)
	words := []string{launcher.Name}
	for _, o := range launcher.Options {
		if v, ok := l.Options[o.Name]; ok {
			if strings.ContainsAny(v, " \t\"'#") {
				v = strconv.Quote(v)
			}
			words = append(words, o.Name+"="+v)
		}
	}
	if l.Within > 0 {
		words = append(words, "within="+paint.Span(l.Within))
	}
	return strings.Join(words, " ")
}
