package host

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// tableSize is how many descriptors the table of this process holds.
func tableSize(t *testing.T) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "FDSize:")
	if _, err := fmt.Sscan(after, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestThereIsRoomForTheFilesOfManyWorkers(t *testing.T) {
	before, _ := filesLimit()
	RoomForFiles(200)
	if got, want := tableSize(t), 200*workerFiles; got < want {
		t.Errorf("there is room for %d descriptors, want %d at least", got, want)
	}
	if after, _ := filesLimit(); after != before {
		t.Errorf("%d descriptors are open, before there were %d", after, before)
	}
}

func TestThereIsNoMoreRoomThanTheLimit(t *testing.T) {
	defer lowerFilesLimit(t)()
	RoomForFiles(1 << 20)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if f.Close() != nil {
		t.Error("a descriptor that is in use was closed")
	}
}
