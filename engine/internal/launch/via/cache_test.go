//go:build unix

package via

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// here is an ssh that runs what it is asked to on this machine, after lines of the test's own.
func here(t *testing.T, before ...string) string {
	t.Helper()
	return executable(t, filepath.Join(t.TempDir(), "ssh"), "#!/bin/sh\nfor last; do :; done\n"+strings.Join(before, "\n")+"\neval \"$last\"\n")
}

// placeOf is where a program is kept.
func placeOf(cache string, p Program) string {
	return filepath.Join(cache, hex.EncodeToString(p.Sum[:]), filepath.Base(p.Path))
}

// TestADamagedProgramIsNotRun holds INV-WHOLE: what is in the folder under the right name is copied anew where it is not whole.
func TestADamagedProgramIsNotRun(t *testing.T) {
	h, cache := newHall(t), t.TempDir()
	p := program(t, h)
	place := placeOf(cache, p)
	if err := os.Mkdir(filepath.Dir(place), 0o700); err != nil {
		t.Fatal(err)
	}
	executable(t, place, "#!/bin/sh\necho this is another program\n")
	_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": here(t), "cache": cache}})
	if g := h.arrive(t, rec, 1)[0]; g.Exe != place {
		t.Errorf("the agent is %s, want %s", g.Exe, place)
	}
	if n := rec.shipped(t, 0); n != p.Size {
		t.Errorf("%d bytes were copied, want %d", n, p.Size)
	}
	if info, err := os.Stat(place); err != nil || info.Mode().Perm() != 0o500 {
		t.Errorf("the program's mode is %v (%v)", info.Mode(), err)
	}
}

// TestAProgramThatChangesMeanwhileIsNotRun holds INV-WHOLE.
func TestAProgramThatChangesMeanwhileIsNotRun(t *testing.T) {
	h, cache := newHall(t), t.TempDir()
	p := program(t, h)
	p.Path = executable(t, filepath.Join(t.TempDir(), "prog"), "#!/bin/sh\necho built anew\n")
	_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": here(t), "cache": cache}})
	if why := rec.state(t, 0, Ended).Text; !strings.Contains(why, "is not what was sent") {
		t.Errorf("the end is told as %q", why)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
}

// mounted is a small file system of its own.
func mounted(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts a file system")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a file system cannot be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func TestAFolderThatKeepsNoProgramIsTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		cache func(t *testing.T, p Program) string
		want  []string
	}{
		{"programs do not run there", func(t *testing.T, _ Program) string { return mounted(t, "noexec") }, []string{"noexec"}},
		{"it is full", func(t *testing.T, _ Program) string { return mounted(t, "size=64k") }, []string{"No space left", "cannot be copied"}},
		{"it is for reading only", func(t *testing.T, _ Program) string { return mounted(t, "ro") }, []string{"Read-only file system"}},
		{"it is a file", func(t *testing.T, _ Program) string {
			f := filepath.Join(t.TempDir(), "file")
			write(t, f, "")
			return f
		}, []string{"cannot be made"}},
		{"others may write there", func(t *testing.T, p Program) string {
			dir := t.TempDir()
			sub := filepath.Dir(placeOf(dir, p))
			if err := os.Mkdir(sub, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(sub, 0o777); err != nil {
				t.Fatal(err)
			}
			return dir
		}, []string{"others may use the folder"}},
		{"another has put a link there", func(t *testing.T, p Program) string {
			dir := t.TempDir()
			if err := os.Symlink(t.TempDir(), filepath.Dir(placeOf(dir, p))); err != nil {
				t.Fatal(err)
			}
			return dir
		}, []string{"others may use the folder"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHall(t)
			p := program(t, h)
			cache := c.cache(t, p)
			_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": here(t), "cache": cache}})
			why := rec.state(t, 0, Ended).Text
			for _, w := range append(c.want, cache, "cache=DIR") {
				if !strings.Contains(why, w) {
					t.Errorf("the end is told as %q, which does not say %q", why, w)
				}
			}
		})
	}
}

func TestTheFolderIsTheUsersUnlessItIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, before, cache string
		place               func(home string) string
		want                string
	}{
		{"HOME", "unset XDG_CACHE_HOME", "", func(home string) string { return home + "/.cache/monarch-tui/bin" }, ""},
		{"XDG_CACHE_HOME", "XDG_CACHE_HOME=$HOME/xdg; export XDG_CACHE_HOME", "", func(home string) string { return home + "/xdg/monarch-tui/bin" }, ""},
		{"below HOME", "", "~/mine", func(home string) string { return home + "/mine" }, ""},
		{"none", "unset XDG_CACHE_HOME HOME", "", nil, "there is no HOME to keep the program in; name a folder with cache=DIR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, home := newHall(t), t.TempDir()
			p := program(t, h)
			ssh := here(t, "HOME="+home+"; export HOME", c.before)
			_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": ssh, "cache": c.cache}})
			if c.want != "" {
				if why := rec.state(t, 0, Ended).Text; why != c.want {
					t.Errorf("the end is told as %q, want %q", why, c.want)
				}
				return
			}
			g := h.arrive(t, rec, 1)[0]
			if want := placeOf(c.place(home), p); g.Exe != want {
				t.Errorf("the agent is %s, want %s", g.Exe, want)
			}
			if g.Dir != home {
				t.Errorf("the agent is in %s, want %s", g.Dir, home)
			}
		})
	}
}

// The user's umask is the agent's, whatever the script needed for itself.
func TestTheAgentHasTheUsersUmask(t *testing.T) {
	h := newHall(t)
	_, rec := start(t, sshLauncher{}, Spec{
		Hosts: []string{"n1"}, Program: program(t, h), Options: map[string]string{"ssh": here(t, "umask 027"), "cache": t.TempDir()},
	})
	if g := h.arrive(t, rec, 1)[0]; g.Umask != "" && g.Umask != "0027" {
		t.Errorf("its umask is %s", g.Umask)
	}
}

// Of six old builds the two oldest go; of those one runs, one was used just now, and both stay.
func TestOldBuildsAreRemovedUnlessTheyRun(t *testing.T) {
	h, cache := newHall(t), t.TempDir()
	p := program(t, h)
	old := func(n int, age time.Duration, notes ...string) string {
		dir := filepath.Join(cache, strings.Repeat("0", 63)+fmt.Sprint(n))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, n := range notes {
			write(t, filepath.Join(dir, n), "")
		}
		if err := os.Chtimes(dir, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	node, err := exec.Command("uname", "-n").Output()
	if err != nil {
		t.Skip("there is no uname here")
	}
	note := ".run." + strings.TrimSpace(string(node)) + "."
	day := 24 * time.Hour
	var stay, go1 []string
	for n := range 3 { // with the new one there are four
		stay = append(stay, old(n, time.Duration(n+1)*day))
	}
	go1 = append(go1, old(3, 10*day), old(4, 11*day, note+"999999999"))
	stay = append(stay, old(5, 12*day, note+fmt.Sprint(os.Getpid())), old(6, 13*day, ".run.elsewhere.1"))
	other := filepath.Join(cache, "not-ours")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(other, time.Time{}, time.Now().Add(-99*day)); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, other)
	_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": here(t), "cache": cache}})
	h.arrive(t, rec, 1)
	for _, dir := range stay {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone", filepath.Base(dir))
		}
	}
	for _, dir := range go1 {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is still there", filepath.Base(dir))
		}
	}
}

// TestAProgramIsVerifiedByWhatTheHostHas holds INV-WHOLE: whichever tool a host has for checksums, the program is verified; with none it is not run.
func TestAProgramIsVerifiedByWhatTheHostHas(t *testing.T) {
	for _, c := range []struct{ name, have, want string }{
		{"openssl", "openssl", ""}, {"sha256sum", "sha256sum", ""}, {"shasum", "shasum", ""},
		{"none", "", "there is no sha256sum, shasum or openssl to verify the program with; install one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bin := t.TempDir()
			for _, tool := range []string{c.have, "uname", "ls", "id", "mkdir", "chmod", "rm", "mv", "cat", "touch", "find", "sh", "perl"} {
				if path, err := exec.LookPath(tool); err == nil {
					if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
						t.Fatal(err)
					}
				} else if tool == c.have && tool != "" {
					t.Skip(err)
				}
			}
			h := newHall(t)
			p := program(t, h)
			ssh := here(t, "PATH="+bin+"; export PATH")
			_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": ssh, "cache": t.TempDir()}})
			if c.want == "" {
				h.arrive(t, rec, 1)
			} else if why := rec.state(t, 0, Ended).Text; why != c.want {
				t.Errorf("the end is told as %q", why)
			}
		})
	}
}

// counted is a tool for sums that tells a file of each time that it has read a program.
func counted(t *testing.T) (path string, count func() int) {
	t.Helper()
	sum, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip(err)
	}
	bin := t.TempDir()
	log := filepath.Join(bin, "log")
	executable(t, filepath.Join(bin, "openssl"), "#!/bin/sh\ns=$("+sum+")\ncase $s in e3b0c442*) ;; *) echo >>"+log+";; esac\necho \"$s\"\n")
	return "PATH=" + bin + ":$PATH; export PATH", func() int {
		b, _ := os.ReadFile(log) // there is none before the first time
		return len(b)
	}
}

// noted is what the script notes of a program.
func noted(t *testing.T, place string) string {
	t.Helper()
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Skip("nothing tells here when the machine was started: ", err)
	}
	stat, err := exec.Command("stat", "-c", "%d %i %s %y %z", place).Output()
	if err != nil {
		t.Skip("stat tells nothing here: ", err)
	}
	return strings.TrimSpace(string(boot)) + " " + string(stat)
}

func TestAProgramThatWasVerifiedIsNotReadAgain(t *testing.T) {
	h, cache := newHall(t), t.TempDir()
	p := program(t, h)
	path, count := counted(t)
	spec := Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": here(t, path), "cache": cache}}
	for i := range 3 {
		j, rec := start(t, sshLauncher{}, spec)
		h.arrive(t, rec, 1)
		end(t, j)
		noted(t, placeOf(cache, p))
		if n := count(); n != 1 {
			t.Fatalf("launch %d: the program was read %d times, want once when it was copied", i, n)
		}
	}
}

// TestAProgramThatWasTouchedIsReadAgain holds INV-WHOLE: a note that it was verified counts only for the file as it was, and only if
// this user wrote it.
func TestAProgramThatWasTouchedIsReadAgain(t *testing.T) {
	other := func(t *testing.T, place string) { // of the same size and time
		was, err := os.Stat(place)
		if err != nil {
			t.Fatal(err)
		}
		b := []byte("#!/bin/sh\necho this is another program\n")
		b = append(b, make([]byte, int(was.Size())-len(b))...)
		if err := os.WriteFile(place+".x", b, 0o500); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(place+".x", was.ModTime(), was.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	moved := func(t *testing.T, place string) {
		if err := os.Rename(place+".x", place); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		touch   func(t *testing.T, place, note string)
		shipped bool
	}{
		{"another is in its place", func(t *testing.T, place, _ string) { other(t, place); moved(t, place) }, true},
		{"it was written to", func(t *testing.T, place, _ string) {
			other(t, place)
			b, err := os.ReadFile(place + ".x")
			if err != nil {
				t.Fatal(err)
			}
			was, _ := os.Stat(place) // it was there a moment ago
			if err := os.Chmod(place, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(place, b, 0o500); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(place, was.ModTime(), was.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"another user wrote the note", func(t *testing.T, place, note string) {
			if os.Geteuid() != 0 {
				t.Skip("only root gives a file away")
			}
			other(t, place)
			moved(t, place)
			write(t, note, noted(t, place))
			if err := os.Chown(note, 65534, -1); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"the note is a link", func(t *testing.T, place, note string) {
			other(t, place)
			moved(t, place)
			if err := os.Remove(note); err != nil {
				t.Fatal(err)
			}
			write(t, note+".x", noted(t, place))
			if err := os.Symlink(note+".x", note); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"the machine was started anew", func(t *testing.T, place, note string) { write(t, note, "another"+noted(t, place)[7:]) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, cache := newHall(t), t.TempDir()
			p := program(t, h)
			place := placeOf(cache, p)
			path, count := counted(t)
			spec := Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": here(t, path), "cache": cache}}
			j, rec := start(t, sshLauncher{}, spec)
			h.arrive(t, rec, 1)
			end(t, j)
			noted(t, place)
			notes, err := filepath.Glob(filepath.Join(filepath.Dir(place), ".whole.*"))
			if err != nil || len(notes) != 1 {
				t.Fatalf("the notes are %q (%v), want one", notes, err)
			}
			was := count()
			c.touch(t, place, notes[0])
			_, rec = start(t, sshLauncher{}, spec)
			h.arrive(t, rec, 1)
			if shipped := rec.shipped(t, 0) > 0; shipped != c.shipped || count() == was {
				t.Errorf("it was copied: %v, want %v; it was read %d times", shipped, c.shipped, count()-was)
			}
			if sum, _ := sumOf(t, place); sum != p.Sum {
				t.Error("what is there is not the program")
			}
		})
	}
}

// TestTheScriptRunsInAnyShell copies a program by the script, and starts it, in each shell that may be a host's /bin/sh.
func TestTheScriptRunsInAnyShell(t *testing.T) {
	for _, sh := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"mksh"}, {"ksh93"}, {"yash"}, {"zsh", "--emulate", "sh"}} {
		t.Run(sh[0], func(t *testing.T) {
			if _, err := exec.LookPath(sh[0]); err != nil {
				t.Skip(err)
			}
			h := newHall(t)
			p := program(t, h, "a b", "'")
			ssh := executable(t, filepath.Join(t.TempDir(), "ssh"), "#!/bin/sh\nexec "+strings.Join(sh, " ")+" -c "+quote(shell[2])+"\n")
			_, rec := start(t, sshLauncher{}, Spec{Hosts: []string{"n1"}, Program: p, Options: map[string]string{"ssh": ssh, "cache": t.TempDir()}})
			g := h.arrive(t, rec, 1)[0]
			if g.Secret != string(secretFor(0)) || strings.Join(g.Args, "|") != "a b|'" {
				t.Errorf("it has arrived with %q and %q", g.Secret, g.Args)
			}
			if n := rec.shipped(t, 0); n != p.Size {
				t.Errorf("%d bytes were copied", n)
			}
		})
	}
}

// Tasks of a Slurm job may have one folder, and have one nonce. What another removes that it has tried is its own.
func TestHostsThatShareAFolderTryItBesideEachOther(t *testing.T) {
	chmod, err := exec.LookPath("chmod")
	if err != nil {
		t.Skip(err)
	}
	bin, cache := t.TempDir(), t.TempDir()
	o := order{mode: "run", nonce: newNonce(), cache: cache, env: byStdin, program: program(t, newHall(t))}
	tried := cache + "/*/.new." + o.nonce
	executable(t, filepath.Join(bin, "chmod"), "#!/bin/sh\nrm -f "+tried+" "+tried+".0\nexec "+chmod+" \"$@\"\n") // the other comes first each time
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("SLURM_NODEID", "1")
	out, _ := once(t.Context(), strings.NewReader(o.line()), shell...) // it ends, for nobody says go
	if !strings.Contains(out, o.nonce+" 1 "+wordNeed+" "+cache) {
		t.Errorf("it says %q", out)
	}
}
