package uploads

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// onSmallDisk says that the test runs where it can mount a disk of its own.
const onSmallDisk = "WEBMEND_UPLOADS_SMALL_DISK"

func TestOnAFullDiskWhatIsRefusedHarmsNothing(t *testing.T) {
	if os.Getenv(onSmallDisk) == "" {
		again := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), onSmallDisk+"=1")
		again.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		out, err := again.CombinedOutput()
		if errors.Is(err, syscall.EPERM) && os.Getuid() == 0 { // a container that has no other users
			again = exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
			again.Env = append(os.Environ(), onSmallDisk+"=1")
			again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			out, err = again.CombinedOutput()
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	disk := t.TempDir()
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=400k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, 0) })
	folder := filepath.Join(disk, "data")
	uploads := uploadsIn(t, folder)
	s := serviceOf(t, uploads)
	data := sample(t, vp8)
	upload, u := s.begin("parts")
	parts := partsOf(data, u.PartSize)
	came := 0
	for n, part := range parts {
		answer, text := s.ask("PUT", fmt.Sprintf("%s/parts/%d", upload, n+1), part)
		if answer.StatusCode == http.StatusNoContent {
			came++
		} else if answer.StatusCode != http.StatusInsufficientStorage {
			t.Fatalf("part %d: %s: %s", n+1, answer.Status, text)
		}
	}
	if came == 0 || came == len(parts) {
		t.Fatalf("%d of %d parts came", came, len(parts))
	}
	told[Refusal](s, http.StatusInsufficientStorage, "POST", upload+"/repair", nil)
	got := told[Facts](s, http.StatusOK, "GET", upload, nil)
	if got.Size != sizeOf(got.Pieces) || len(got.Pieces) != came || got.Done {
		t.Errorf("%d parts came, and it is told as %+v", came, got)
	}
	if got, want := uploads.room.used.Load(), du(t, folder); got != want {
		t.Errorf("%d bytes are said to be taken, and %d are", got, want)
	}
	// With a larger disk it goes on where it was.
	if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	for n, part := range parts {
		if n >= came {
			s.putPart(upload, n+1, part)
		}
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
	s.is(upload, data)
}
