//go:build unix

package jobs

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const childEnv = "JOBS_TEST_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(childEnv); folder != "" { // a controller that notes a job and is killed
		n, err := Write(folder, Job{Via: "slurm", Session: "killed"})
		if err == nil {
			err = n.Update(Job{Via: "slurm", Handle: "Slurm job 7", Session: "killed", Resume: []byte("7")})
		}
		fmt.Println(err)
		select {}
	}
	os.Exit(m.Run())
}

// TestWhatAKilledProcessHasNotedIsLeftOver holds INV-LEFT and INV-LIVES.
func TestWhatAKilledProcessHasNotedIsLeftOver(t *testing.T) {
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != "<nil>\n" {
		t.Fatalf("%q, %v", said, err)
	}
	own, err := Write(folder, Job{Via: "kubernetes", Session: "mine", Asked: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if jobs, _, err := Left(folder); len(jobs) != 0 || err != nil {
		t.Fatalf("while both live, %v is left over, %v", jobs, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for _, round := range []string{"first", "again"} {
		jobs, notes, err := Left(folder)
		if err != nil || len(jobs) != 1 || jobs[0].Handle != "Slurm job 7" || string(jobs[0].Resume) != "7" {
			t.Fatalf("%s: %+v, %v; want the job of the one that was killed", round, jobs, err)
		}
		if round == "first" {
			notes[0].Keep()
		} else {
			notes[0].Remove()
		}
	}
	own.Remove()
	if rest, err := filepath.Glob(filepath.Join(folder, "*")); len(rest) != 0 || err != nil {
		t.Errorf("there are still %v, %v", rest, err)
	}
}

func TestADamagedNoteIsNoJob(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "job-x.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if jobs, _, err := Left(folder); len(jobs) != 0 || err != nil {
		t.Errorf("%v, %v", jobs, err)
	}
	if jobs, _, err := Left(filepath.Join(folder, "nowhere")); len(jobs) != 0 || err != nil {
		t.Errorf("%v, %v", jobs, err)
	}
}
