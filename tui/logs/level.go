package logs

import (
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Level is how bad a line is.
type Level uint8

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Error
)

// String is the level as filters name it.
func (l Level) String() string {
	return [...]string{"debug", "info", "warn", "error"}[min(l, Error)]
}

// head is how much of a line is looked at for its level, in bytes: behind it words are what the line is about.
const head = 120

// LevelOf is the level of a line: what its text says in one of the usual ways, else warn for what came out of stderr,
// else info.
func LevelOf(l *control.Log) Level {
	text := l.Text[:min(len(l.Text), head)]
	if level, ok := glog(text); ok {
		return level
	}
	for at := 0; at < len(text); {
		if !letter(text[at]) {
			at++
			continue
		}
		end := at
		for end < len(text) && letter(text[end]) {
			end++
		}
		if level, ok := levelWord(text, at, end); ok {
			return level
		}
		at = end
	}
	if l.Stream == "err" {
		return Warn
	}
	return Info
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// levelWord judges the word text[at:end]: in capitals it counts anywhere, else after level= or before a colon.
func levelWord(text string, at, end int) (Level, bool) {
	word := text[at:end]
	if strings.HasPrefix(text[end:], ":") && (strings.HasSuffix(word, "Error") || strings.HasSuffix(word, "Exception")) {
		return Error, true // ValueError: …
	}
	level, ok := levelNamed(word)
	if !ok || capitals(word) {
		return level, ok
	}
	before := strings.TrimRight(text[:at], `"`)
	named := strings.HasSuffix(before, "level=") || strings.HasSuffix(before, `level":`) || strings.HasSuffix(before, `level": `)
	return level, named || strings.HasPrefix(text[end:], ":") || word == "Traceback"
}

// levelNamed is the level that a word of letters names, in whatever case; nothing is allocated for it.
func levelNamed(word string) (Level, bool) {
	var upper [len("traceback")]byte
	if len(word) > len(upper) {
		return 0, false
	}
	for i := range len(word) {
		upper[i] = word[i] &^ ('a' - 'A')
	}
	switch string(upper[:len(word)]) {
	case "ERROR", "ERR", "FATAL", "CRITICAL", "PANIC", "EXCEPTION", "TRACEBACK":
		return Error, true
	case "WARN", "WARNING":
		return Warn, true
	case "INFO", "NOTICE":
		return Info, true
	case "DEBUG", "TRACE":
		return Debug, true
	}
	return 0, false
}

// capitals reports whether a word of letters has no small one.
func capitals(word string) bool {
	for i := range len(word) {
		if word[i] >= 'a' {
			return false
		}
	}
	return true
}

// glog reads the beginning of a line in the style of glog: E1124 12:04:42.
func glog(text string) (Level, bool) {
	if len(text) < 6 || text[5] != ' ' {
		return 0, false
	}
	for _, c := range text[1:5] {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	switch text[0] {
	case 'E', 'F':
		return Error, true
	case 'W':
		return Warn, true
	case 'I':
		return Info, true
	}
	return 0, false
}
