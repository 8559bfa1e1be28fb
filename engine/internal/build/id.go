package build

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"strings"
)

// shortID is how much of an id a person reads.
const shortID = 12

// ID tells executables of different content from each other: the part of the go command's build id that is a hash of the content,
// which is read in no time, or the beginning of the file's SHA-256 where it has none.
func ID(path string) (string, error) {
	if id := noted(path); id != "" {
		return id, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:shortID], nil
}

// maxNote bounds the note, which has four hashes.
const maxNote = 4 << 10

// noted is the id in the note of an ELF file: the last of its parts. "": there is none.
func noted(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := f.Section(".note.go.buildid")
	if s == nil || s.Size > maxNote {
		return ""
	}
	note, err := s.Data()
	if err != nil {
		return ""
	}
	text := strings.TrimRight(string(note), "\x00")
	id := text[strings.LastIndexByte(text, '/')+1:]
	if id == text || len(id) < shortID || strings.ContainsFunc(id, func(r rune) bool { return r < '-' || r > 'z' }) {
		return ""
	}
	return id[:shortID]
}
