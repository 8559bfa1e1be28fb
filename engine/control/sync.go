package control

import (
	"fmt"
	"time"
)

// SyncReq brings files of the program's folder to the folders of a mesh's hosts, as far as they differ there. Answer: Synced.
type SyncReq struct {
	Procs string
	ID    uint64   // 0: whichever mesh has the name now
	Paths []string // files and folders, within the program's folder; none: all of it
}

// Synced is what a sync has done.
type Synced struct {
	Hosts []SyncedHost
	Files int   // that were looked at, on each host
	Bytes int64 // that they have
	Took  time.Duration
}

// SyncedHost is what it has done on one host.
type SyncedHost struct {
	Name  string
	Files int   // that differed, and were brought
	Bytes int64 // that were sent
	Error string
}

// String is the outcome in one line, without the time that it took.
func (s *Synced) String() string {
	if len(s.Hosts) == 0 {
		return "nothing to bring: the ranks are on this machine, in the program's own folder"
	}
	files, bytes, failed := 0, int64(0), 0
	for _, h := range s.Hosts {
		files += h.Files
		bytes += h.Bytes
		if h.Error != "" {
			failed++
		}
	}
	text := fmt.Sprintf("%s on %s looked at, %d differed: %d bytes sent", counted(s.Files, "file"), counted(len(s.Hosts), "host"), files, bytes)
	if failed > 0 {
		text += fmt.Sprintf("; %d of the hosts have not got all", failed)
	}
	return text
}

// counted is n with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
