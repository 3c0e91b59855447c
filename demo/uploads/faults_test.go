package uploads

// What clients and ends of the server do to uploads.

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const ownID = `"id":"01234567-89ab-cdef-0123-456789abcdef",`

func TestAnUploadThatIsBegunTwiceWithAnIDIsOne(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	begin := []byte(`{` + ownID + `"kind":"parts",` + webmType + `}`)
	first := told[Facts](s, http.StatusCreated, "POST", "/uploads", begin)
	s.putPart("/uploads/"+first.ID, 1, []byte("part"))
	again := told[Facts](s, http.StatusOK, "POST", "/uploads", begin)
	if again.ID != "01234567-89ab-cdef-0123-456789abcdef" || len(again.Pieces) != 1 {
		t.Errorf("the second time it is told as %+v", again)
	}
	told[Refusal](s, http.StatusConflict, "POST", "/uploads", []byte(`{`+ownID+`"kind":"segments",`+webmType+`}`))
	if all := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil); len(all) != 1 {
		t.Errorf("there are %v", all)
	}
}

func TestWhatBelongsToAnotherOwnerIsNotThere(t *testing.T) {
	t.Parallel()
	owner := func(r *http.Request) (string, error) {
		name, _, ok := r.BasicAuth()
		switch {
		case !ok:
			return "", errors.New("log in first")
		case name == "banned":
			return "", &Refusal{Status: http.StatusForbidden, Reason: "you have been banned"}
		}
		return name, nil
	}
	s := serviceOf(t, serverOf(t, t.TempDir(), Options{Owner: owner, Limits: testLimits}))
	as := func(name string) []string {
		r, _ := http.NewRequest("GET", "/", nil)
		r.SetBasicAuth(name, "")
		return []string{"Authorization", r.Header.Get("Authorization")}
	}
	begin := []byte(`{` + ownID + `"kind":"parts",` + webmType + `}`)
	upload := "/uploads/" + told[Facts](s, http.StatusCreated, "POST", "/uploads", begin, as("anna")...).ID
	told[nothingTold](s, http.StatusNoContent, "PUT", upload+"/parts/1", []byte("all"), as("anna")...)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"GET", "/file", ""}, {"POST", "/parts/1", `{"size":1}`}, {"PUT", "/parts/1", "mine"}, {"PUT", "/opening", "mine"},
		{"POST", "/complete", `{"count":1}`}, {"POST", "/repair", ""}, {"DELETE", "", ""},
	} {
		for name, want := range map[string]int{"ben": http.StatusNotFound, "banned": http.StatusForbidden} {
			if answer, text := s.ask(c.method, upload+c.path, []byte(c.body), as(name)...); answer.StatusCode != want {
				t.Errorf("%s %s is answered to %s with %s: %s", c.method, c.path, name, answer.Status, text)
			}
		}
		if answer, text := s.ask(c.method, upload+c.path, []byte(c.body)); answer.StatusCode != http.StatusUnauthorized || !strings.Contains(string(text), "log in first") {
			t.Errorf("%s %s is answered to nobody with %s: %s", c.method, c.path, answer.Status, text)
		}
	}
	told[Refusal](s, http.StatusConflict, "POST", "/uploads", begin, as("ben")...)
	if all := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil, as("ben")...); len(all) != 0 {
		t.Errorf("ben is told of %v", all)
	}
	if all := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil, as("anna")...); len(all) != 1 || all[0].Size != 3 {
		t.Errorf("anna is told of %v", all)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`), as("anna")...)
}

func TestWhatIsUnderWayIsNotRepairedUnlessItsClientSaysThatItHasEnded(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.Quiet = time.Hour
	s := serviceOf(t, serverOf(t, t.TempDir(), Options{Limits: limits}))
	upload, u := s.begin("parts")
	parts := partsOf(sample(t, vp8), u.PartSize)
	s.putPart(upload, 1, parts[0])
	if no := told[Refusal](s, http.StatusConflict, "POST", upload+"/repair", nil); !strings.Contains(no.Reason, "under way") {
		t.Errorf("it says %q", no.Reason)
	}
	if got := told[Facts](s, http.StatusOK, "GET", upload, nil); !got.Live || time.Since(got.Last) > time.Minute || time.Until(got.Last) > time.Minute {
		t.Errorf("it is told as %+v", got)
	}
	s.putPart(upload, 2, parts[1])
	if got := told[Facts](s, http.StatusOK, "POST", upload+"/repair", []byte(`{"ended":true}`)); !got.Done || got.Live {
		t.Errorf("when it has ended it is told as %+v", got)
	}
}

func TestWhatWasAcknowledgedNeverBecomesLess(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	upload, _ := s.begin("parts")
	long := bytes.Repeat([]byte("long"), 100)
	s.putPart(upload, 1, long)
	told[nothingTold](s, http.StatusNoContent, "PUT", upload+"/opening", long)
	for _, path := range []string{"/parts/1", "/opening"} {
		for method, body := range map[string]string{"PUT": "short", "POST": `{"size":5}`} {
			if no := told[Refusal](s, http.StatusConflict, method, upload+path, []byte(body)); !strings.Contains(no.Reason, "400 bytes") {
				t.Errorf("%s %s: it says %q", method, path, no.Reason)
			}
		}
	}
	s.putPart(upload, 1, long)
	longer := append(long, "er"...)
	s.putPart(upload, 1, longer)
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`))
	s.is(upload, longer)
}

func TestASegmentThatComesAgainWithOtherContentIsRefused(t *testing.T) {
	t.Parallel()
	s := serviceOf(t, uploadsIn(t, t.TempDir()))
	upload, _ := s.begin("segments")
	s.putSegment(upload, 0, 0, []byte("header"))
	for _, other := range []string{"HEADER", "head"} {
		answer, text := s.putSegment(upload, 0, 0, []byte(other))
		for _, sum := range []uint32{crc32.ChecksumIEEE([]byte("header")), crc32.ChecksumIEEE([]byte(other))} {
			if !strings.Contains(string(text), fmt.Sprintf("%08x", sum)) || answer.StatusCode != http.StatusConflict {
				t.Errorf("%q is answered with %s %s, which does not say %08x", other, answer.Status, text, sum)
			}
		}
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`))
	s.is(upload, []byte("header"))
}

// du is how many bytes files in a folder have.
func du(t testing.TB, folder string) (sum int64) {
	t.Helper()
	for _, name := range filesIn(t, folder) {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

func TestTheRoomThatIsTakenIsThatOfTheFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	uploads := uploadsIn(t, folder)
	s := serviceOf(t, uploads)
	check := func(when string) {
		t.Helper()
		if got, want := uploads.room.used.Load(), du(t, folder); got != want {
			t.Errorf("%s: %d bytes are said to be taken, and %d are", when, got, want)
		}
	}
	data := sample(t, vp8)
	check("at the start")
	upload, u := s.begin("parts")
	check("when an upload is begun")
	parts := partsOf(data, u.PartSize)
	for n, part := range parts {
		s.putPart(upload, n+1, part)
	}
	told[nothingTold](s, http.StatusNoContent, "PUT", upload+"/opening", parts[0])
	check("when parts have come")
	s.putPart(upload, 1, parts[0])
	told[Refusal](s, http.StatusConflict, "PUT", upload+"/parts/1", parts[0][1:])
	check("when one came twice, and one that was shorter")
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", fmt.Appendf(nil, `{"count":%d}`, len(parts)))
	check("when it is complete")
	repaired, _ := s.begin("parts")
	for n, part := range parts[:3] {
		s.putPart(repaired, n+1, part)
	}
	told[Facts](s, http.StatusOK, "POST", repaired+"/repair", nil)
	check("when one was repaired")
	uploads = uploadsIn(t, folder)
	check("when the server is started again")
	uploads = uploadsIn(t, folder)
	s = serviceOf(t, uploads)
	segments, _ := s.begin("segments")
	s.putSegment(segments, 0, 0, parts[0])
	s.putSegment(segments, 0, 0, parts[0])
	s.putSegment(segments, 0, 0, parts[1])
	check("when segments came, and one twice")
	for _, path := range []string{segments, upload, repaired} {
		told[nothingTold](s, http.StatusNoContent, "DELETE", path, nil)
	}
	check("when all is deleted")
	if left := filesIn(t, folder); len(left) > 0 {
		t.Errorf("there is %v", left)
	}
}

func TestWhatIsThereWhenTheServerStartsCountsAsTaken(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := serviceOf(t, uploadsIn(t, folder))
	upload, _ := s.begin("parts")
	s.putPart(upload, 1, make([]byte, 64<<10))
	limits := testLimits
	limits.Total = 80 << 10
	s = serviceOf(t, serverOf(t, folder, Options{Limits: limits}))
	told[Refusal](s, http.StatusInsufficientStorage, "PUT", upload+"/parts/2", make([]byte, 64<<10))
}

func TestRequestsThatSendNothingHoldNoRoom(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.Total = 100 << 10
	s := serviceOf(t, serverOf(t, t.TempDir(), Options{Limits: limits}))
	upload, _ := s.begin("parts")
	for range 4 {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		fmt.Fprintf(connection, "PUT %s/parts/2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 65536\r\n\r\nsome", upload)
	}
	s.putPart(upload, 1, make([]byte, 64<<10))
}

func TestManyAtOnceNeverTakeMoreRoomThanThereIs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	limits := testLimits
	limits.Total = 300 << 10
	s := serviceOf(t, serverOf(t, folder, Options{Limits: limits}))
	upload, _ := s.begin("parts")
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			answer, text := s.ask("PUT", fmt.Sprintf("%s/parts/%d", upload, n+1), make([]byte, 64<<10))
			if answer.StatusCode != http.StatusNoContent && answer.StatusCode != http.StatusInsufficientStorage {
				t.Errorf("part %d: %s: %s", n+1, answer.Status, text)
			}
		})
	}
	all.Wait()
	if got := du(t, folder); got > limits.Total {
		t.Errorf("%d bytes are in the folder, and %d may be", got, limits.Total)
	}
}

func TestWhatAnEndOfTheServerHasLeftIsRemovedWhenItIsStarted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := serviceOf(t, uploadsIn(t, folder))
	kept, _ := s.begin("parts")
	s.putPart(kept, 1, []byte("kept"))
	finished, _ := s.begin("parts")
	s.putPart(finished, 1, []byte("finished"))
	told[Facts](s, http.StatusOK, "POST", finished+"/complete", []byte(`{"count":1}`))
	just, _ := s.begin("parts")

	name := func(upload string) string { return filepath.Base(upload) }
	write(t, filepath.Join(folder, unready, "HALF"), "half")
	// What was to be deleted, when half of it was.
	gone := strings.Repeat("B", 26)
	write(t, filepath.Join(folder, recordName(gone)), `{"id":"`+gone+`","kind":"parts","type":"video/webm","deleted":true}`)
	write(t, filepath.Join(folder, pieceName(gone, 7)), "gone")
	// What a recording was made of, when half of it was removed.
	write(t, filepath.Join(folder, pieceName(name(finished), 2)), "piece")
	// What was begun long ago, and nothing came.
	empty := strings.Repeat("C", 26)
	write(t, filepath.Join(folder, recordName(empty)), `{"id":"`+empty+`","kind":"parts","type":"video/webm","began":"2020-01-01T00:00:00Z"}`)
	// What nobody knows is nobody's to delete.
	write(t, filepath.Join(folder, pieceName(strings.Repeat("D", 26), 1)), "whose")

	uploads := uploadsIn(t, folder)
	want := []string{
		pieceName(strings.Repeat("D", 26), 1), pieceName(name(kept), 1), "recordings/" + name(finished) + ".webm",
		recordName(name(just)), recordName(name(finished)), recordName(name(kept)),
	}
	slices.Sort(want)
	got := filesIn(t, folder)
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("there is %v, want %v", got, want)
	}
	if got, want := uploads.room.used.Load(), du(t, folder); got != want {
		t.Errorf("%d bytes are said to be taken, and %d are", got, want)
	}
	serviceOf(t, uploads).is(finished, []byte("finished"))
}

func TestAnUploadThatCannotBeReadIsListedAndDeleted(t *testing.T) {
	t.Parallel()
	for name, record := range map[string]string{"zeros": "\x00\x00\x00", "nothing": "", "another's": `{"id":"EEEEEEEEEEEEEEEEEEEEEEEEEE"}`} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			s := serviceOf(t, uploadsIn(t, folder))
			good, _ := s.begin("parts")
			broken := strings.Repeat("B", 26)
			write(t, filepath.Join(folder, recordName(broken)), record)
			write(t, filepath.Join(folder, pieceName(broken, 1)), "piece")
			s = serviceOf(t, uploadsIn(t, folder)) // which is started all the same
			all := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil)
			if len(all) != 2 || all[0].ID != filepath.Base(good) || all[0].Error != "" || all[1].ID != broken || all[1].Error == "" {
				t.Errorf("listed are %+v", all)
			}
			told[nothingTold](s, http.StatusNoContent, "DELETE", "/uploads/"+broken, nil)
			if left := filesIn(t, folder); len(left) != 1 {
				t.Errorf("there is %v", left)
			}
		})
	}
}

func TestAPartThatIsOnItsWayWhenTheRecordingIsFinishedIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := serviceOf(t, uploadsIn(t, folder))
	upload, _ := s.begin("parts")
	s.putPart(upload, 1, []byte("whole"))
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "PUT %s/parts/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nWHO", upload)
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`))
	io.WriteString(connection, "LE")
	answer := make([]byte, 12)
	if _, err := io.ReadFull(connection, answer); err != nil || !strings.HasSuffix(string(answer), "409") {
		t.Errorf("it is answered with %q (%v)", answer, err)
	}
	s.is(upload, []byte("whole"))
	if left := filesIn(t, folder); len(left) != 2 {
		t.Errorf("there is %v", left)
	}
}

func TestDeletingTwiceAtOnceLeavesTheRoomAsItIs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	uploads := uploadsIn(t, folder)
	s := serviceOf(t, uploads)
	for range 20 {
		upload, _ := s.begin("parts")
		s.putPart(upload, 1, []byte("part"))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { s.ask("DELETE", upload, nil) })
		}
		all.Go(func() { s.ask("POST", upload+"/complete", []byte(`{"count":1}`)) })
		all.Go(func() { s.ask("PUT", upload+"/parts/2", []byte("late")) })
		all.Wait()
		if answer, _ := s.ask("GET", upload, nil); answer.StatusCode != http.StatusNotFound {
			t.Errorf("what is deleted is answered with %s", answer.Status)
		}
	}
	if got, want := uploads.room.used.Load(), du(t, folder); got != want || want != 0 {
		t.Errorf("%d bytes are said to be taken, and %d are: %v", got, want, filesIn(t, folder))
	}
}

func TestWhatHasJustArrivedOfAnOldUploadIsNotSwept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	id := strings.Repeat("C", 26)
	write(t, filepath.Join(folder, recordName(id)), `{"id":"`+id+`","kind":"parts","type":"video/webm","partSize":65536,"began":"2020-01-01T00:00:00Z"}`)
	write(t, filepath.Join(folder, pieceName(id, 1)), "so that it is kept at the start")
	uploads := uploadsIn(t, folder)
	s := serviceOf(t, uploads)
	// The list was made before the piece came.
	if err := uploads.sweepUpload(t.Context(), id, false); err != nil {
		t.Fatal(err)
	}
	if got := told[Facts](s, http.StatusOK, "GET", "/uploads/"+id, nil); len(got.Pieces) != 1 {
		t.Errorf("it is told as %+v", got)
	}
}

func TestAnUploadGoesOnWhenTheServersPartSizeIsAnother(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	begin := []byte(`{` + ownID + `"kind":"parts",` + webmType + `}`)
	before := told[Facts](serviceOf(t, uploadsIn(t, folder)), http.StatusCreated, "POST", "/uploads", begin)
	limits := testLimits
	limits.PartSize *= 2
	after := told[Facts](serviceOf(t, serverOf(t, folder, Options{Limits: limits})), http.StatusOK, "POST", "/uploads", begin)
	if after.PartSize != before.PartSize {
		t.Errorf("its parts had %d bytes, and have %d", before.PartSize, after.PartSize)
	}
}

func TestARepairTakesNoMoreClustersThanADayHas(t *testing.T) {
	t.Parallel()
	limits := testLimits
	limits.PartSize, limits.MaxPart, limits.Total = 32<<20, 32<<20, 1<<30
	s := serviceOf(t, serverOf(t, t.TempDir(), Options{Limits: limits}))
	data := sample(t, vp8)
	header := segmentsOf(t, data)[0]
	upload, _ := s.begin("parts")
	s.putPart(upload, 1, slices.Concat(header, bytes.Repeat([]byte{0x1f, 0x43, 0xb6, 0x75, 0x83, 0xe7, 0x81, 0}, mostClusters+1)))
	if no := told[Refusal](s, http.StatusUnprocessableEntity, "POST", upload+"/repair", nil); !strings.Contains(no.Reason, "too many clusters") {
		t.Errorf("it says %q", no.Reason)
	}
}
