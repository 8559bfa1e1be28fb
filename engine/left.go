package engine

import (
	"context"
	"time"

	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/internal/jobs"
	"github.com/monarch-tui/monarch-tui/engine/internal/launch/via"
	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// LeftJob is what a session has launched that was killed before it could end it. What ran there has ended itself; what a scheduler
// still has of it, a job that is queued for one, has not.
type LeftJob struct {
	Via     string
	Handle  string // e.g. "Slurm job 4711"
	Session string
	Mesh    string
	Asked   time.Time
}

func leftJob(j jobs.Job) LeftJob {
	one := func(s string) string { return clean.OneLine(s, maxCarrier) }
	return LeftJob{one(j.Via), one(j.Handle), one(j.Session), one(j.Mesh), j.Asked}
}

// Left lists the jobs that sessions of this user have left behind on this machine, oldest first.
func Left() ([]LeftJob, error) {
	var out []LeftJob
	err := eachLeft(func(j jobs.Job, n *jobs.Note) {
		out = append(out, leftJob(j))
		n.Keep()
	})
	return out, err
}

// Reap ends what Left lists, and tells of each. What cannot be ended stays in the list.
func Reap(ctx context.Context, tell func(LeftJob, error)) error {
	return eachLeft(func(j jobs.Job, n *jobs.Note) {
		err := via.Reap(ctx, j.Via, j.Resume)
		if err == nil {
			n.Remove()
		} else {
			n.Keep()
		}
		tell(leftJob(j), err)
	})
}

func eachLeft(do func(jobs.Job, *jobs.Note)) error {
	folder, err := jobs.Folder()
	if err != nil {
		return err
	}
	left, notes, err := jobs.Left(folder)
	if err != nil {
		return err
	}
	for i, n := range notes {
		do(left[i], n)
	}
	return nil
}

// noteJob keeps on disk what was launched, and brings up to date what front ends know of the job. What ends with the client that
// started it need not be noted.
func (h *hub) noteJob(pm *procMesh) {
	f := pm.fleet
	f.noting.Lock()
	defer f.noting.Unlock()
	h.mu.Lock()
	job := f.job
	h.mu.Unlock()
	if job == nil {
		return
	}
	handle, resume := clean.OneLine(job.Handle(), maxCarrier), job.Resume()
	h.mu.Lock()
	if handle != pm.rec.Handle {
		pm.rec.Handle = handle
		rec := pm.rec
		h.publish(control.Event{ProcMesh: &rec})
		for _, m := range f.machines {
			m.rec.Handle = handle
			h.tellHost(m, "", m.rec.Reason)
		}
	}
	over := f.over
	h.mu.Unlock()
	if over || len(resume) == 0 {
		return
	}
	j := jobs.Job{Via: f.launcher.Name(), Handle: handle, Session: h.session.Name, Mesh: pm.rec.Name, Asked: f.asked, Resume: resume}
	folder, err := jobs.Folder()
	switch {
	case err != nil:
	case f.note == nil:
		f.note, err = jobs.Write(folder, j)
	default:
		err = f.note.Update(j)
	}
	if err != nil { // it is launched all the same
		h.log.Warn("what was launched could not be noted", "job", handle, "err", err)
	}
}

// forgetJob takes the note back.
func (f *fleet) forgetJob() {
	f.noting.Lock()
	defer f.noting.Unlock()
	if f.note != nil {
		f.note.Remove()
		f.note = nil
	}
}
