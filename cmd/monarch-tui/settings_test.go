package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsAreReadAgainWhenTheFileChanges(t *testing.T) {
	s := screenFlags{config: filepath.Join(t.TempDir(), "config.toml"), ascii: true}
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("")
	look := s.reread()
	if _, changed, err := look(); changed || err != nil {
		t.Errorf("nothing has changed: %v, %v", changed, err)
	}
	put(`theme = "light"`)
	if set, changed, err := look(); !changed || err != nil || set.Theme != "light" || !set.ASCII {
		t.Errorf("%+v, %v, %v: want the light theme, and what the flags say", set, changed, err)
	}
	put("# here\ntheme = \"lihgt\"")
	if _, changed, err := look(); changed || err == nil || !strings.Contains(err.Error(), "config.toml:2") {
		t.Errorf("a mistake is told as %v", err)
	}
	if _, changed, err := look(); changed || err != nil {
		t.Errorf("a mistake is told twice: %v, %v", changed, err)
	}
}
