package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Job is one launch.
type Job struct {
	Via     string    `json:"via"`
	Handle  string    `json:"handle"` // for a person: "Slurm job 4711"
	Session string    `json:"session"`
	Mesh    string    `json:"mesh"`
	Asked   time.Time `json:"asked"`
	Resume  []byte    `json:"resume"` // what its launcher needs to end it
}

// maxNote bounds what is read of a note, in bytes.
const maxNote = 64 << 10

// Folder is where notes are: of this user, on this machine.
func Folder() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "monarch-tui", "jobs"), nil
}

// Note is a job on disk.
type Note struct {
	file *os.File
	path string
}

// Write notes a job.
func Write(folder string, j Job) (*Note, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil { //nolint:gosec // it is the user's own, by the user's environment
		return nil, fmt.Errorf("note what is launched: %w", err)
	}
	f, err := os.CreateTemp(folder, "job-*.json")
	if err != nil {
		return nil, fmt.Errorf("note what is launched: %w", err)
	}
	n := &Note{f, f.Name()}
	if err := errors.Join(lock(f), n.Update(j)); err != nil {
		n.Remove()
		return nil, fmt.Errorf("note what is launched: %w", err)
	}
	return n, nil
}

// Update writes the note anew, when more is known of the job.
func (n *Note) Update(j Job) error {
	b, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if err := n.file.Truncate(0); err != nil {
		return err
	}
	_, err = n.file.WriteAt(b, 0)
	return err
}

// Remove takes the note back: the job has ended.
func (n *Note) Remove() {
	_ = os.Remove(n.path) // before others can lock it
	_ = n.file.Close()
}

// Left are the jobs of processes that have ended without taking their notes back, oldest first. Each is held until it is Removed or
// given back by Keep.
func Left(folder string) ([]Job, []*Note, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "job-*.json"))
	if err != nil {
		return nil, nil, err
	}
	type left struct {
		job  Job
		note *Note
	}
	var all []left
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			continue // it was taken back meanwhile
		}
		var j Job
		b, err := io.ReadAll(io.LimitReader(f, maxNote))
		if lock(f) != nil || err != nil || json.Unmarshal(b, &j) != nil {
			_ = f.Close()
			continue
		}
		all = append(all, left{j, &Note{f, path}})
	}
	slices.SortFunc(all, func(a, b left) int { return a.job.Asked.Compare(b.job.Asked) })
	jobs, notes := make([]Job, len(all)), make([]*Note, len(all))
	for i, l := range all {
		jobs[i], notes[i] = l.job, l.note
	}
	return jobs, notes, nil
}

// Keep leaves a note where it is.
func (n *Note) Keep() { _ = n.file.Close() }
