package uploads

// What becomes of uploads when their store fails, hangs or is slow.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A troubled store fails or hangs where it is told to.
type troubled struct {
	Store
	before func(ctx context.Context, method, name string) error
}

func (s troubled) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	if err := s.before(ctx, "Put", name); err != nil {
		return err
	}
	return s.Store.Put(ctx, name, size, body)
}

func (s troubled) Open(ctx context.Context, name string) (Reader, error) {
	if err := s.before(ctx, "Open", name); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, name)
}

func (s troubled) List(ctx context.Context, prefix string) ([]Object, error) {
	if err := s.before(ctx, "List", prefix); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, prefix)
}

func (s troubled) Remove(ctx context.Context, names ...string) error {
	if err := s.before(ctx, "Remove", names[0]); err != nil {
		return err
	}
	return s.Store.Remove(ctx, names...)
}

// trouble gives a server whose store does something before its methods do.
func trouble(t *testing.T, limits Limits, before func(ctx context.Context, method, name string) error) (s service, folder string) {
	t.Helper()
	folder = t.TempDir()
	store := folderAt(t, folder)
	return serviceOf(t, serverWith(t, troubled{store, before}, Options{Limits: limits})), folder
}

func TestAStoreThatHangsForOneUploadIsNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	var hangs string
	limits := testLimits
	limits.Patience = 300 * time.Millisecond
	s, _ := trouble(t, limits, func(ctx context.Context, _, name string) error {
		if hangs != "" && strings.Contains(name, hangs) {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	first, _ := s.begin("parts")
	second, _ := s.begin("parts")
	s.putPart(second, 1, []byte("part"))
	hangs = filepath.Base(first)
	all := told[[]Facts](s, http.StatusOK, "GET", "/uploads", nil)
	if len(all) != 2 {
		t.Fatalf("%d of 2 are listed", len(all))
	}
	for _, u := range all {
		if (u.Error != "") != (u.ID == hangs) || u.ID != hangs && u.Size != 4 {
			t.Errorf("listed is %+v", u)
		}
	}
	told[Refusal](s, http.StatusServiceUnavailable, "GET", first, nil)
}

func TestARepairEndsWhenTheStoreAnswersNoMore(t *testing.T) {
	t.Parallel()
	store := folderAt(t, t.TempDir())
	limits := testLimits
	limits.Patience, limits.Repairs = 300*time.Millisecond, 1
	s := serviceOf(t, serverWith(t, stuck{store}, Options{Limits: limits}))
	upload, u := s.begin("parts")
	s.putPart(upload, 1, partsOf(sample(t, vp8), u.PartSize)[0])
	for range 2 { // and the next has its turn
		told[Refusal](s, http.StatusServiceUnavailable, "POST", upload+"/repair", nil)
	}
}

// stuck is a store whose pieces can be opened and never read.
type stuck struct{ Store }

func (s stuck) Open(ctx context.Context, name string) (Reader, error) {
	reader, err := s.Store.Open(ctx, name)
	if strings.HasPrefix(name, "pieces/") && err == nil {
		return stuckReader{reader, ctx}, nil
	}
	return reader, err
}

type stuckReader struct {
	Reader
	ctx context.Context
}

func (s stuckReader) ReadAt([]byte, int64) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func TestARecordingIsPutTogetherToItsEndAfterTheStoreHasFailed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, method, what string }{
		{"when parts are removed that are in it", "Remove", "pieces/"},
		{"when it is said to be complete", "Put", "uploads/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			fails := -1 // after so many
			s, folder := trouble(t, testLimits, func(_ context.Context, method, name string) error {
				if method == c.method && strings.HasPrefix(name, c.what) && fails >= 0 {
					if fails == 0 {
						return errors.New("told to fail")
					}
					fails--
				}
				return nil
			})
			data := sample(t, vp8)
			upload, u := s.begin("parts")
			parts := partsOf(data, u.PartSize)
			for n, part := range parts {
				s.putPart(upload, n+1, part)
			}
			told[nothingTold](s, http.StatusNoContent, "PUT", upload+"/opening", parts[0])
			complete := fmt.Appendf(nil, `{"count":%d}`, len(parts))
			fails = 1
			first, text := s.ask("POST", upload+"/complete", complete)
			if first.StatusCode == http.StatusInternalServerError {
				told[Refusal](s, http.StatusConflict, "PUT", upload+"/parts/1", parts[0])
			} else if first.StatusCode != http.StatusOK {
				t.Errorf("the first time it is answered with %s: %s", first.Status, text)
			}
			fails = -1
			told[Facts](s, http.StatusOK, "POST", upload+"/repair", nil) // as who finds it does
			told[Facts](s, http.StatusOK, "POST", upload+"/complete", complete)
			s.is(upload, data)
			uploadsIn(t, folder)
			if left := filesIn(t, folder); len(left) != 2 {
				t.Errorf("there is %v", left)
			}
		})
	}
}

func TestAJoinThatWasKilledAnywhereGoesOn(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := folderAt(t, folder)
	var want []byte
	var of []Object
	pieces := map[string]string{}
	for i := range 6 {
		o := Object{Name: fmt.Sprintf("pieces/%d/x", i), Size: int64(10 + i)}
		pieces[o.Name] = strings.Repeat(fmt.Sprint(i), 10+i)
		want = append(want, pieces[o.Name]...)
		of = append(of, o)
	}
	// The first has been made longer by some bytes, and some of the others are gone.
	for had := of[0].Size; had <= int64(len(want)); had++ {
		for gone := 1; gone <= len(of); gone++ {
			end := of[0].Size
			for _, o := range of[1:gone] {
				end += o.Size
			}
			if end > had {
				break
			}
			write(t, filepath.Join(folder, of[0].Name), string(want[:had]))
			for i, o := range of[1:] {
				if i+1 < gone {
					os.Remove(filepath.Join(folder, o.Name))
				} else {
					write(t, filepath.Join(folder, o.Name), pieces[o.Name])
				}
			}
			for range 2 { // as it was killed before it could say so
				if err := store.Join(t.Context(), "recordings/x.webm", of); err != nil {
					t.Fatalf("%d bytes, %d gone: %v", had, gone-1, err)
				}
			}
			if got, err := os.ReadFile(filepath.Join(folder, "recordings/x.webm")); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes, %d gone: %q (%v), want %q", had, gone-1, got, err, want)
			}
			if left := filesIn(t, folder); len(left) != 1 {
				t.Fatalf("there is %v", left)
			}
			os.Remove(filepath.Join(folder, "recordings/x.webm"))
		}
	}
	// What is lost is said, and not made up.
	write(t, filepath.Join(folder, of[0].Name), pieces[of[0].Name])
	if err := store.Join(t.Context(), "recordings/x.webm", of); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without pieces: %v", err)
	}
}

func TestRepairsAreLimitedAndEndWithTheirRequest(t *testing.T) {
	t.Parallel()
	begun, end := make(chan struct{}, 10), make(chan struct{})
	var once sync.Once
	limits := testLimits
	limits.Repairs = 1
	s, folder := trouble(t, limits, func(ctx context.Context, method, name string) error {
		if method == "Open" && strings.HasPrefix(name, "pieces/") {
			begun <- struct{}{}
			select {
			case <-ctx.Done():
				once.Do(func() { close(end) })
				return ctx.Err()
			case <-end:
			}
		}
		return nil
	})
	repair := func(ctx context.Context, upload string) (*http.Response, error) {
		r, _ := http.NewRequestWithContext(ctx, "POST", s.url+upload+"/repair", nil)
		return http.DefaultClient.Do(r)
	}
	var uploads []string
	for range 2 {
		upload, u := s.begin("parts")
		s.putPart(upload, 1, partsOf(sample(t, vp8), u.PartSize)[0])
		uploads = append(uploads, upload)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := repair(ctx, uploads[0]); first <- err }()
	<-begun
	second := make(chan *http.Response, 1)
	go func() { answer, _ := repair(t.Context(), uploads[1]); second <- answer }()
	select {
	case <-begun:
		t.Error("two are repaired at once")
	case <-time.After(100 * time.Millisecond): // in which it would have begun, if not always
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first ends with %v", err)
	}
	<-end // the repair has seen it
	if answer := <-second; answer == nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the second is answered with %v", answer)
	}
	var u upload
	record, err := os.ReadFile(filepath.Join(folder, recordName(filepath.Base(uploads[0]))))
	if err := errors.Join(err, json.Unmarshal(record, &u)); err != nil || u.Done {
		t.Errorf("the first is kept as %s (%v)", record, err)
	}
	told[Facts](s, http.StatusOK, "POST", uploads[0]+"/repair", nil)
}

func TestAStoreThatFailsEarlyAndReadsOnHoldsNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	store := folderAt(t, folder)
	var read sync.WaitGroup
	uploads := serverWith(t, early{store, &read}, Options{Limits: testLimits})
	s := serviceOf(t, uploads)
	upload, u := s.begin("parts")
	s.putPart(upload, 1, []byte("whole"))
	used := uploads.room.used.Load()
	told[Refusal](s, http.StatusInternalServerError, "PUT", upload+"/parts/2", make([]byte, u.PartSize))
	read.Wait()
	if got := uploads.room.used.Load(); got != used {
		t.Errorf("it holds %d bytes of the room", got-used)
	}
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`)) // for which nobody else may hold the upload
	s.is(upload, []byte("whole"))
}

// early is a store that refuses second parts when they begin, and reads on for a while.
type early struct {
	Store
	read *sync.WaitGroup
}

func (e early) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	if !strings.HasSuffix(name, "/00000002") {
		return e.Store.Put(ctx, name, size, body)
	}
	e.read.Go(func() {
		<-ctx.Done() // when it was answered
		io.Copy(io.Discard, body)
	})
	return errors.New("told to fail")
}

func TestAStoreMayTakeLongerThanTheNetworkMay(t *testing.T) {
	t.Parallel()
	store := folderAt(t, t.TempDir())
	limits := testLimits
	limits.Patience, limits.Slowest = 300*time.Millisecond, 1
	s := serviceOf(t, serverWith(t, slow{store}, Options{Limits: limits}))
	upload, _ := s.begin("parts")
	s.putPart(upload, 1, []byte("part"))
	told[Facts](s, http.StatusOK, "POST", upload+"/complete", []byte(`{"count":1}`))
}

// slow is a store that has all of a piece a while before it is kept.
type slow struct{ Store }

func (s slow) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	had, err := io.ReadAll(body)
	if err == nil && strings.HasPrefix(name, "pieces/") {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(time.Second):
		}
	}
	if err != nil {
		return err
	}
	return s.Store.Put(ctx, name, size, bytes.NewReader(had))
}

func TestADeletionThatFailedIsRepeated(t *testing.T) {
	t.Parallel()
	fails := false
	s, folder := trouble(t, testLimits, func(_ context.Context, method, _ string) error {
		if method == "Remove" && fails {
			return errors.New("told to fail")
		}
		return nil
	})
	begin := []byte(`{` + ownID + `"kind":"parts",` + webmType + `}`)
	for _, then := range []struct {
		status             int
		method, path, body string
	}{{http.StatusNoContent, "DELETE", "/uploads/01234567-89ab-cdef-0123-456789abcdef", ""}, {http.StatusCreated, "POST", "/uploads", string(begin)}} {
		upload := "/uploads/" + told[Facts](s, http.StatusCreated, "POST", "/uploads", begin).ID
		s.putPart(upload, 1, []byte("part"))
		fails = true
		told[Refusal](s, http.StatusInternalServerError, "DELETE", upload, nil)
		told[Refusal](s, http.StatusNotFound, "GET", upload, nil)
		fails = false
		if answer, text := s.ask(then.method, then.path, []byte(then.body)); answer.StatusCode != then.status {
			t.Errorf("%s %s: %s: %s", then.method, then.path, answer.Status, text)
		}
		s.ask("DELETE", upload, nil)
		if left := filesIn(t, folder); len(left) > 0 {
			t.Errorf("there is %v", left)
		}
	}
}

func TestASweepOfABucketLeavesWhatIsOthers(t *testing.T) {
	id := strings.Repeat("A", 26)
	for name, want := range map[string]bool{
		recordName(id): true, pieceName(id, 1): true, openingName(id): true, "recordings/" + id + ".webm": true,
		"recordings/01234567-89ab-cdef-0123-456789abcdef.mkv": true,
		"recordings/holiday.webm":                             false, "uploads/" + id + "X.json": false, "backups/" + id + ".webm": false, id: false,
	} {
		if got := ours.MatchString(name); got != want {
			t.Errorf("%s is ours: %v", name, got)
		}
	}
}
