// Package marks reads what a worker prints: lines, and marks among them that say which actor printed a line, and how far a
// flush has come. It is a pure function of the bytes.
package marks

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A worker's lines travel in its own stdout and stderr. A line that comes through Out is marked in the stream, so that
// order, attribution and flushing need no second channel:
//
//	RS 'L' mesh ',' rank US text NL    a line of an actor
//	RS 'F' number NL                   everything before it has been read: an answer to a flush
//
// A mark may follow plain text whose line is not finished yet. A worker that writes such bytes itself can only lie about
// its own actors: ids that do not live in its process are taken as plain text, and a flush's number cannot be guessed. So
// any bytes may be printed, and lines may have any length: a mark is looked for in whole lines only, never in chunks.

// What a mark begins with, and what ends its head: the ASCII separators of records and of units.
const (
	RS = 0x1e
	US = 0x1f
)

const maxWhole = 1 << 20 // a line up to this length is put out in one piece

// MaxHead is more than the bytes of the head of any mark.
const MaxHead = 64

// Speaker is who printed a line: an actor, or with mesh 0 the process itself.
type Speaker struct {
	Mesh uint64
	Name string
	Rank int
}

// Splitter cuts one stream of a worker into lines and marks. It is not safe for concurrent use.
type Splitter struct {
	Actor func(mesh uint64, rank int) (name string, ok bool) // does such an actor live in that process
	Waits func(n uint64) bool                                // does somebody wait for that mark of a flush
	Mark  func(n uint64)                                     // tells of it, after what is before it
	Piece func(who Speaker, text []byte, end bool)           // takes a line; one that is too long comes in several pieces

	line []byte // what has come of the line that is not finished
	open bool   // pieces of it are out already
	who  Speaker
}

// Write takes the next bytes.
func (s *Splitter) Write(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			part := b[:min(len(b), maxWhole)]
			s.line, b = append(s.line, part...), b[len(part):]
			if len(s.line) > maxWhole {
				s.putPart()
			}
			continue
		}
		if len(s.line) == 0 {
			s.endLine(b[:i])
		} else {
			s.endLine(append(s.line, b[:i]...))
		}
		s.line, b = s.line[:0], b[i+1:]
		if cap(s.line) > 2*MaxHead<<10 {
			s.line = nil
		}
	}
}

// End finishes a last line that has no end.
func (s *Splitter) End() {
	if len(s.line) > 0 || s.open {
		s.endLine(s.line)
		s.line = nil
	}
}

// endLine takes a line without its newline. A mark of a flush at its end is no part of it, whoever printed the rest.
func (s *Splitter) endLine(b []byte) {
	if i, n := s.findFlush(b); i >= 0 {
		defer s.Mark(n)
		if b = b[:i]; i == 0 && !s.open {
			return
		}
	}
	if s.open && s.who.Mesh != 0 { // the rest of an actor's line is text, whatever it holds
		s.put(s.who, b, true)
		return
	}
	at, who, text := s.findLine(b)
	if at < 0 {
		s.put(Speaker{}, b, true)
		return
	}
	if at > 0 || s.open {
		s.put(Speaker{}, b[:at], true)
	}
	s.put(who, text, true)
}

// putPart puts out the beginning of a line that is too long to be kept. What could be the beginning of a mark, or of a
// character, stays.
func (s *Splitter) putPart() {
	b := s.line
	if !s.open || s.who.Mesh == 0 {
		if at, who, text := s.findLine(b); at >= 0 {
			if at > 0 || s.open {
				s.put(Speaker{}, b[:at], true)
			}
			s.who, b = who, text
		}
	}
	cut := max(0, len(b)-MaxHead)
	for k := 0; k < utf8.UTFMax-1 && cut > 0 && !utf8.RuneStart(b[cut]); k++ {
		cut--
	}
	s.put(s.who, b[:cut], false)
	s.line = slices.Clone(b[cut:])
}

func (s *Splitter) put(who Speaker, text []byte, end bool) {
	s.Piece(who, text, end)
	s.open, s.who = !end, who
	if end {
		s.who = Speaker{}
	}
}

// findLine finds the first mark of an actor that lives here; at is -1 without one.
func (s *Splitter) findLine(b []byte) (at int, who Speaker, text []byte) {
	for i := bytes.IndexByte(b, RS); i >= 0; {
		if who, text, ok := parseMarked(b[i:]); ok {
			if who.Name, ok = s.Actor(who.Mesh, who.Rank); ok {
				return i, who, text
			}
		}
		next := bytes.IndexByte(b[i+1:], RS)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return -1, Speaker{}, nil
}

// findFlush finds a mark at the end of a line, if somebody waits for it; at is -1 without one.
func (s *Splitter) findFlush(b []byte) (at int, n uint64) {
	at = bytes.LastIndexByte(b, RS)
	if at < 0 || len(b)-at > MaxHead || !bytes.HasPrefix(b[at+1:], []byte("F")) {
		return -1, 0
	}
	n, err := strconv.ParseUint(string(b[at+2:]), 10, 64)
	if err != nil || !s.Waits(n) {
		return -1, 0
	}
	return at, n
}

// parseMarked reads the mark that b begins with.
func parseMarked(b []byte) (who Speaker, text []byte, ok bool) {
	head, _, ok := bytes.Cut(b[:min(len(b), MaxHead)], []byte{US})
	if !ok || len(head) < 2 || head[1] != 'L' {
		return who, nil, false
	}
	m, r, ok := bytes.Cut(head[2:], []byte(","))
	if !ok {
		return who, nil, false
	}
	mesh, err1 := strconv.ParseUint(string(m), 10, 64)
	rank, err2 := strconv.Atoi(string(r))
	return Speaker{Mesh: mesh, Rank: rank}, b[len(head)+1:], err1 == nil && err2 == nil && mesh != 0
}
