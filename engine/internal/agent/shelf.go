package agent

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// PartBytes is the size of a part of a file, at most.
const PartBytes = 1 << 20

// maxFile bounds a file that is sent to a host, in bytes.
const maxFile = 4 << 30

// Part is a piece of a file that is sent to a host. One without data asks how much of it is there.
type Part struct {
	Sum  [32]byte // SHA-256 of the whole file
	Size int64    // of the whole file
	Name string   // base name that the file is to have on the shelf; of a workspace, its path there
	Exec bool     // it may be executed; all that is on a shelf may
	At   int64    // where the data belongs
	Data []byte
}

// Kept says what is there of a file.
type Kept struct {
	Next int64  // the first byte that is missing; Size: it is whole
	Path string // of the file, once it is whole and its content is what Sum says
}

// Shelf keeps files of a host by their content, in the folder where launchers keep programs too: what one has brought the other
// finds. A file there is never changed. Agents of several hosts may share the folder.
type Shelf struct {
	dir, tag string
	mu       sync.Mutex
}

// OnShelf reports whether a program stands where its shelf would have it.
func OnShelf(exe string, sum [32]byte) bool {
	return filepath.Base(filepath.Dir(exe)) == hex.EncodeToString(sum[:])
}

// ShelfOf is the shelf from which a program was started, or the user's own where that is none.
func ShelfOf(exe string, sum [32]byte) *Shelf {
	if OnShelf(exe, sum) {
		return &Shelf{dir: filepath.Dir(filepath.Dir(exe)), tag: rand.Text()}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return &Shelf{dir: filepath.Join(cache, "monarch-tui", "bin"), tag: rand.Text()}
}

// Put takes a part. Parts come in order; after an error the sender asks what is there, and goes on from that.
func (s *Shelf) Put(p Part) (Kept, error) {
	if filepath.Base(p.Name) != p.Name || p.Name == ".." || len(p.Name) > 200 {
		return Kept{}, fmt.Errorf("a program cannot be called %q here", p.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	folder := filepath.Join(s.dir, hex.EncodeToString(p.Sum[:]))
	got, err := p.into(filepath.Join(folder, p.Name), s.tag, 0o500)
	if err == nil && got.Path != "" {
		keep(folder)
	}
	return got, err
}

// keep notes that what is in a folder of a shelf runs for as long as this process does, as the script of launchers does (agent.sh):
// whoever brings newer ones removes what nobody runs, and a rank may be started anew any time.
func keep(folder string) {
	name, _ := os.Hostname() // an error leaves a note that counts for a week
	note := filepath.Join(folder, fmt.Sprintf(".run.%s.%d", cmp.Or(os.Getenv("SLURMD_NODENAME"), name), os.Getpid()))
	if f, err := os.OpenFile(note, os.O_CREATE|os.O_WRONLY, 0o600); err == nil { //nolint:gosec // the node's name is the scheduler's word, as in agent.sh
		_ = f.Close()
	}
}

// Workspace is a folder whose files are brought up to date by their content. Agents of several hosts may share it.
type Workspace struct {
	dir, tag string
	mu       sync.Map // path → *sync.Mutex
}

// WorkspaceIn is the workspace in a folder.
func WorkspaceIn(dir string) *Workspace { return &Workspace{dir: dir, tag: rand.Text()} }

// Put takes a part of a file, whose name is a path below the folder.
func (w *Workspace) Put(p Part) (Kept, error) {
	if !filepath.IsLocal(p.Name) || len(p.Name) > 4096 {
		return Kept{}, fmt.Errorf("%.100q is no path within a workspace", p.Name)
	}
	mu, _ := w.mu.LoadOrStore(p.Name, &sync.Mutex{})
	mu.(*sync.Mutex).Lock()
	defer mu.(*sync.Mutex).Unlock()
	mode := fs.FileMode(0o600)
	if p.Exec {
		mode = 0o700
	}
	return p.into(filepath.Join(w.dir, p.Name), w.tag, mode)
}

// into puts a part into the file at path, which takes that place when it is whole and its content is what it should be. Until then it
// is a file with the tag in its name: where several hosts share a folder, each writes one of its own.
func (p *Part) into(whole, tag string, mode fs.FileMode) (Kept, error) {
	if err := p.check(); err != nil {
		return Kept{}, err
	}
	folder, name := filepath.Split(whole)
	half := filepath.Join(folder, fmt.Sprintf(".%.60s.%x.%s.part", name, p.Sum[:6], tag))
	if len(p.Data) == 0 { // the question: what is there is read once, not for each part
		if sum, err := Sum(whole); err == nil && sum == p.Sum {
			return Kept{p.Size, whole}, executable(whole, mode)
		}
		if st, err := os.Stat(half); p.Size > 0 && (err != nil || st.Size() < p.Size) {
			return Kept{Next: sizeOf(st)}, nil
		}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return Kept{}, fmt.Errorf("make a folder for %s: %w", p.Name, err)
	}
	if p.At == 0 && p.Size > PartBytes {
		removeStale(folder, name)
	}
	f, err := os.OpenFile(half, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return Kept{}, err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
		return Kept{}, err
	case end >= p.Size:
		end = 0
		err = f.Truncate(0)
	}
	if err != nil || len(p.Data) == 0 && p.Size > 0 || p.At != end {
		return Kept{Next: end}, err
	}
	if _, err := f.WriteAt(p.Data, end); err != nil { // it is of no use to a disk that is full
		return Kept{}, errors.Join(fmt.Errorf("write %s: %w", whole, cause(err)), os.Remove(half))
	}
	if end += int64(len(p.Data)); end < p.Size {
		return Kept{Next: end}, nil
	}
	return p.finish(f, half, whole, mode)
}

// cause is an error without the path that it is about.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func sizeOf(st fs.FileInfo) int64 {
	if st == nil {
		return 0
	}
	return st.Size()
}

// executable has a file be executable, or not, that has the right content.
func executable(path string, mode fs.FileMode) error {
	st, err := os.Stat(path)
	if err != nil || st.Mode()&0o100 == mode&0o100 {
		return err
	}
	return os.Chmod(path, st.Mode()&^0o111|mode&0o111)
}

// staleTime is how long nobody has written to a part that nobody will go on with.
const staleTime = time.Hour

// removeStale removes what agents have left of a file that were killed while they took it.
func removeStale(folder, name string) {
	left, _ := os.ReadDir(folder) // an error leaves them
	for _, e := range left {
		if !strings.HasPrefix(e.Name(), fmt.Sprintf(".%.60s.", name)) || !strings.HasSuffix(e.Name(), ".part") {
			continue
		}
		if st, err := e.Info(); err == nil && time.Since(st.ModTime()) > staleTime {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
}

// finish puts a file in its place that is whole, if its content is what it should be.
func (p *Part) finish(f *os.File, half, whole string, mode fs.FileMode) (Kept, error) {
	sum, err := Sum(half)
	if err == nil && sum != p.Sum {
		err = fmt.Errorf("%s has not arrived as it was sent: its content is not %x…", p.Name, p.Sum[:6])
	}
	if err == nil {
		err = errors.Join(f.Chmod(mode), os.Rename(half, whole))
	}
	if err != nil {
		return Kept{}, errors.Join(err, os.Remove(half))
	}
	return Kept{p.Size, whole}, nil
}

func (p *Part) check() error {
	switch {
	case p.Name == "" || p.Name == ".":
		return fmt.Errorf("a file cannot be called %q", p.Name)
	case p.Size < 0 || p.Size > maxFile:
		return fmt.Errorf("%s has %d bytes, at most %d are taken", p.Name, p.Size, int64(maxFile))
	case len(p.Data) > PartBytes:
		return fmt.Errorf("a part of %d bytes, at most %d", len(p.Data), PartBytes)
	case p.At < 0 || p.At > p.Size-int64(len(p.Data)):
		return fmt.Errorf("a part of %s beyond its end", p.Name)
	}
	return nil
}

// Sum is the SHA-256 of a file.
func Sum(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return sum, errors.Join(err, fmt.Errorf("%s is no regular file: %w", path, fs.ErrInvalid))
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("read %s: %w", path, err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// sendTries is how often a file is sent that changes while it is sent.
const sendTries = 3

// Send brings a file to a host, as far as it is not there, and says where it is and how many bytes were sent. put asks the host's
// shelf. A file that changes meanwhile is sent anew.
func Send(path, name string, put func(Part) (Kept, error)) (at string, sent int64, err error) {
	for range sendTries {
		was, err := os.Stat(path)
		if err != nil {
			return "", sent, err
		}
		at, n, err := sendOnce(path, name, put)
		sent += n
		if err == nil {
			return at, sent, nil
		}
		if now, gone := os.Stat(path); gone == nil && now.Size() == was.Size() && now.ModTime().Equal(was.ModTime()) {
			return "", sent, err
		}
	}
	return "", sent, fmt.Errorf("%s changes while it is sent: bring it when nobody writes to it", path)
}

func sendOnce(path, name string, put func(Part) (Kept, error)) (at string, sent int64, err error) {
	sum, err := Sum(path)
	if err != nil {
		return "", 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	p := Part{Sum: sum, Size: st.Size(), Name: name, Exec: st.Mode()&0o100 != 0}
	buf := make([]byte, PartBytes)
	for {
		got, err := put(p)
		if err != nil || got.Path != "" {
			return got.Path, sent, err
		}
		if got.Next < 0 || got.Next >= p.Size || got.Next < p.At {
			return "", sent, fmt.Errorf("the host has %d bytes of %s, which has %d, and does not say where it is", got.Next, name, p.Size)
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), p.Size-got.Next)], got.Next)
		if err != nil && (n == 0 || !errors.Is(err, io.EOF)) {
			return "", sent, fmt.Errorf("read %s: %w", path, err)
		}
		p.At, p.Data = got.Next, buf[:n]
		sent += int64(n)
	}
}
