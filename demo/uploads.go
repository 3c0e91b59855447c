package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// uploads takes recordings as they are made, over HTTP:
//
//	POST   /uploads                         begins one: {"kind": "parts" or "segments", "type": …}
//	GET    /uploads                         lists all, finished or not
//	GET    /uploads/{id}                    says what has arrived of one
//	POST   /uploads/{id}/parts/{number}     says where to put a part of a {"size": …}
//	PUT    /uploads/{id}/parts/{number}     takes a part, 1 for the first, in any order and as often as it comes
//	POST   /uploads/{id}/opening            says where to put the opening
//	PUT    /uploads/{id}/opening            takes it: as many bytes of the beginning as a part has, as recorded
//	PUT    /uploads/{id}/segments/{number}  takes the next segment, 0 for the header, with its Segment-Offset and Segment-CRC32
//	POST   /uploads/{id}/complete           makes the recording of all {"count": …} of them
//	POST   /uploads/{id}/repair             makes one in which players can seek of what has arrived
//	GET    /uploads/{id}/file               the recording
//	DELETE /uploads/{id}
//
// A page that fills in the first part at the end sends the opening, which a repair takes
// in its place.
//
// All that it knows is in the data folder, or in the bucket: it can be restarted at any
// time. What is refused says why, as {"error": …}, and what is missing if that is why.
type uploads struct {
	root   *os.Root // a folder for each upload
	bucket *bucket  // where parts go, nil for the folder
	limits limits
	used   atomic.Int64 // bytes in the folder; parts that came twice count twice until the next upload begins
	locks  sync.Map     // a *sync.Mutex for each upload that is being finished, by id
}

// limits are those of what is taken.
type limits struct {
	partSize int64         // bytes of a part where the page does not say, and the least that it may say if it does
	maxPart  int64         // bytes of a part or segment
	upload   int64         // bytes of an upload
	total    int64         // bytes in the folder
	patience time.Duration // for a request of no bytes
	slowest  int64         // bytes a second that a request must come with
}

const maxParts = 10_000 // as S3 has it

var defaultLimits = limits{
	partSize: 1 << 20,
	maxPart:  64 << 20,
	upload:   8 << 30,
	total:    64 << 30,
	patience: 30 * time.Second,
	slowest:  16 << 10,
}

// facts are what is told of an upload.
type facts struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Type     string    `json:"type"`
	PartSize int64     `json:"partSize,omitempty"`
	Began    time.Time `json:"began"`
	Done     bool      `json:"done"`
	Size     int64     `json:"size"`               // of what has arrived, or of the recording once that is done
	Repaired bool      `json:"repaired,omitempty"` // whether the recording was made of what had arrived
	Duration float64   `json:"duration,omitempty"` // seconds of what was repaired
	Dropped  int64     `json:"dropped,omitempty"`  // bytes that were missing then, or of no use
	Pieces   []piece   `json:"pieces,omitempty"`
}

// An upload is what is kept of one besides its media.
type upload struct {
	facts
	InBucket  bool   `json:"bucket,omitempty"`    // whether that has the media
	Multipart string `json:"multipart,omitempty"` // what it calls the upload
}

// A piece is a part or a segment that has arrived.
type piece struct {
	Number int   `json:"number"`
	Size   int64 `json:"size"`
	etag   string
}

// A store keeps the pieces of uploads, and the recordings that are made of them.
type store interface {
	// begin makes room for an upload that is new.
	begin(context.Context, *upload) error
	// put keeps a piece, all of it or nothing, in the place of one that has its number.
	put(ctx context.Context, u *upload, number int, size int64, body io.Reader) error
	// putOpening keeps the opening, all of it or nothing.
	putOpening(ctx context.Context, u *upload, size int64, body io.Reader) error
	// opening is to be read from, and its size is 0 if there is none.
	opening(context.Context, *upload) (io.ReaderAt, int64, error)
	// pieces are those that are kept, by number.
	pieces(context.Context, *upload) ([]piece, error)
	// join makes the recording of all pieces, as they are, and nothing if that has been done.
	join(context.Context, *upload, []piece) error
	// extents are the pieces to be read from, where they are in the recording.
	extents(context.Context, *upload, []piece) ([]extent, error)
	// write makes the recording of what fill writes, and leaves the pieces as they are.
	write(ctx context.Context, u *upload, size int64, fill func(io.Writer) error) error
	// open opens the recording.
	open(context.Context, *upload) (io.ReadSeekCloser, error)
	// tidy removes what is not needed once there is a recording.
	tidy(context.Context, *upload) error
	// remove removes all of it.
	remove(context.Context, *upload) error
}

// newUploads keeps uploads in a folder, and their parts in a bucket if there is one.
func newUploads(data string, bucket *bucket, limits limits) (*uploads, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(data)
	if err != nil {
		return nil, err
	}
	return &uploads{root: root, bucket: bucket, limits: limits}, nil
}

// handler answers what is under /uploads, to pages of this server alone.
func (s *uploads) handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				tellError(w, r, err)
			}
		})
	}
	handle("POST /uploads", s.begin)
	handle("GET /uploads", s.list)
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request, *upload) error{
		"GET /uploads/{id}":                   s.tell,
		"POST /uploads/{id}/opening":          s.place,
		"PUT /uploads/{id}/opening":           s.putOpening,
		"POST /uploads/{id}/parts/{number}":   s.place,
		"PUT /uploads/{id}/parts/{number}":    s.putPart,
		"PUT /uploads/{id}/segments/{number}": s.putSegment,
		"POST /uploads/{id}/complete":         s.locked(s.complete),
		"POST /uploads/{id}/repair":           s.locked(s.repair),
		"GET /uploads/{id}/file":              s.file,
		"DELETE /uploads/{id}":                s.locked(s.remove),
	} {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			u, err := s.load(r.PathValue("id"))
			if err != nil {
				return err
			}
			return do(w, r, u)
		})
	}
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tellError(w, r, refuse(http.StatusForbidden, "uploads are taken from pages of this server alone"))
	}))
	return hereOnly(protection.Handler(s.inTime(mux)))
}

// hereOnly refuses requests under another name than this machine's own. A page of
// elsewhere whose name was made to mean this machine would count as of the same origin.
func hereOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" {
			tellError(w, r, refuse(http.StatusMisdirectedRequest, "uploads are taken under an IP address or localhost, not under %q", host))
			return
		}
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// inTime has requests come at some speed.
func (s *uploads) inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			long := s.limits.patience + time.Duration(max(0, r.ContentLength)/s.limits.slowest)*time.Second
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(long))
		}
		next.ServeHTTP(w, r)
	})
}

func (s *uploads) begin(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Kind, Type string
		PartSize   int64
	}
	if err := read(w, r, &asked); err != nil {
		return err
	}
	if asked.Kind != "parts" && asked.Kind != "segments" {
		return refuse(http.StatusBadRequest, `the kind of an upload is "parts" or "segments", not %q`, asked.Kind)
	}
	mediaType, err := recorded(asked.Type)
	if err != nil {
		return err
	}
	used, err := s.measure()
	if err != nil {
		return err
	}
	if s.used.Store(used); used >= s.limits.total {
		return refuse(http.StatusInsufficientStorage, "there is no room for another recording: delete some")
	}
	u := &upload{facts: facts{ID: rand.Text(), Kind: asked.Kind, Type: mediaType, Began: time.Now().UTC().Truncate(time.Second)}}
	if u.Kind == "parts" {
		least := s.limits.partSize
		if s.bucket != nil {
			least = max(least, bucketPartSize)
			u.InBucket = true
		}
		if u.PartSize = asked.PartSize; u.PartSize == 0 {
			u.PartSize = least
		}
		if u.PartSize < least || u.PartSize > s.limits.maxPart {
			return refuse(http.StatusBadRequest, "parts have from %d to %d bytes, not %d", least, s.limits.maxPart, u.PartSize)
		}
	}
	if err := s.root.Mkdir(u.ID, 0o700); err != nil {
		return err
	}
	if err := s.store(u).begin(r.Context(), u); err != nil {
		s.root.RemoveAll(u.ID)
		return err
	}
	if err := s.save(u); err != nil {
		s.store(u).remove(context.WithoutCancel(r.Context()), u)
		s.root.RemoveAll(u.ID)
		return err
	}
	w.Header().Set("Location", "/uploads/"+u.ID)
	return answer(w, http.StatusCreated, u.facts)
}

// mediaTypes are those of recordings, with the ends of their files' names.
var mediaTypes = map[string]string{
	"video/webm": "webm", "audio/webm": "webm",
	"video/x-matroska": "mkv", "audio/x-matroska": "mkv", "video/matroska": "mkv", "audio/matroska": "mkv",
}

// recorded is a media type without what recorders do not say.
func recorded(text string) (string, error) {
	mediaType, parameters, err := mime.ParseMediaType(text)
	if err != nil || mediaTypes[mediaType] == "" {
		return "", refuse(http.StatusUnsupportedMediaType, "recordings are WebM or Matroska, not %q", text)
	}
	if codecs := parameters["codecs"]; codecs != "" {
		return mime.FormatMediaType(mediaType, map[string]string{"codecs": codecs}), nil
	}
	return mediaType, nil
}

// ending is that of the name of the recording's file.
func (u *upload) ending() string {
	mediaType, _, _ := mime.ParseMediaType(u.Type)
	return mediaTypes[mediaType]
}

func (s *uploads) list(w http.ResponseWriter, r *http.Request) error {
	folders, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return err
	}
	all := []facts{}
	for _, folder := range folders {
		u, err := s.load(folder.Name())
		if err != nil {
			continue // begun just now, removed just now, or not an upload
		}
		told, err := s.facts(r.Context(), u)
		if err != nil {
			log.Printf("upload %s: %v", u.ID, err) // and the others are listed all the same
		}
		told.Pieces = nil
		all = append(all, told)
	}
	slices.SortFunc(all, func(a, b facts) int { return b.Began.Compare(a.Began) })
	return answer(w, http.StatusOK, all)
}

func (s *uploads) tell(w http.ResponseWriter, r *http.Request, u *upload) error {
	told, err := s.facts(r.Context(), u)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, told)
}

// facts are those of an upload by now.
func (s *uploads) facts(ctx context.Context, u *upload) (facts, error) {
	told := u.facts
	if u.Done {
		told.Pieces = nil
		return told, nil
	}
	pieces, err := s.store(u).pieces(ctx, u)
	if err != nil {
		return told, err
	}
	told.Pieces = pieces
	for _, p := range pieces {
		told.Size += p.Size
	}
	if u.begins(pieces) {
		return told, nil
	}
	_, opening, err := s.store(u).opening(ctx, u)
	told.Size += opening
	return told, err
}

// begins tells whether pieces are all that there can be of the beginning: otherwise the
// opening stands in for it.
func (u *upload) begins(pieces []piece) bool {
	return u.Kind == "segments" || len(pieces) > 0 && pieces[0].Number == 1
}

func (s *uploads) putOpening(w http.ResponseWriter, r *http.Request, u *upload) error {
	if err := u.takes("parts"); err != nil {
		return err
	}
	size, err := s.length(r, u.PartSize)
	if err != nil {
		return err
	}
	return s.take(w, r, size, func(body io.Reader) error {
		return s.store(u).putOpening(r.Context(), u, size, body)
	})
}

// place tells where the page puts a part or the opening: at the bucket, if that takes it from pages of
// this origin, and otherwise here.
func (s *uploads) place(w http.ResponseWriter, r *http.Request, u *upload) error {
	var asked struct{ Size int64 }
	if err := read(w, r, &asked); err != nil {
		return err
	}
	number, err := 0, u.takes("parts") // 0 is the opening
	if r.PathValue("number") != "" {
		number, err = s.partNumber(r, u)
	}
	if err != nil {
		return err
	}
	if asked.Size < 1 || asked.Size > u.PartSize {
		return refuse(http.StatusRequestEntityTooLarge, "a part of this upload has from 1 to %d bytes, not %d", u.PartSize, asked.Size)
	}
	where := map[string]string{"url": r.URL.Path}
	if u.InBucket && s.bucket.allows(r.Context(), r.Header.Get("Origin")) {
		if where["url"], err = s.bucket.signed(r.Context(), u, number, asked.Size); err != nil {
			return err
		}
	}
	return answer(w, http.StatusOK, where)
}

func (s *uploads) putPart(w http.ResponseWriter, r *http.Request, u *upload) error {
	number, err := s.partNumber(r, u)
	if err != nil {
		return err
	}
	size, err := s.length(r, u.PartSize)
	if err != nil {
		return err
	}
	return s.take(w, r, size, func(body io.Reader) error {
		return s.store(u).put(r.Context(), u, number, size, body)
	})
}

// partNumber is that of the request, if the upload takes a part with it.
func (s *uploads) partNumber(r *http.Request, u *upload) (int, error) {
	if err := u.takes("parts"); err != nil {
		return 0, err
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 1 || number > maxParts {
		return 0, refuse(http.StatusBadRequest, "parts have numbers from 1 to %d, not %q", maxParts, r.PathValue("number"))
	}
	if int64(number) > max(1, s.limits.upload/u.PartSize) {
		return 0, refuse(http.StatusRequestEntityTooLarge, "an upload has at most %d bytes", s.limits.upload)
	}
	return number, nil
}

func (s *uploads) putSegment(w http.ResponseWriter, r *http.Request, u *upload) error {
	if err := u.takes("segments"); err != nil {
		return err
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 0 {
		return refuse(http.StatusBadRequest, "segments have numbers from 0 on, not %q", r.PathValue("number"))
	}
	offset, err := strconv.ParseInt(r.Header.Get("Segment-Offset"), 10, 64)
	if err != nil {
		return refuse(http.StatusBadRequest, "Segment-Offset is to say where the segment is in the recording, not %q", r.Header.Get("Segment-Offset"))
	}
	sum, err := strconv.ParseUint(r.Header.Get("Segment-CRC32"), 16, 32)
	if err != nil {
		return refuse(http.StatusBadRequest, "Segment-CRC32 is to have 8 hexadecimal digits, not %q", r.Header.Get("Segment-CRC32"))
	}
	size, err := s.length(r, s.limits.maxPart)
	if err != nil {
		return err
	}
	pieces, err := s.store(u).pieces(r.Context(), u)
	if err != nil {
		return err
	}
	if number < len(pieces) { // it has come before
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if number > len(pieces) {
		missing := []int{}
		for n := len(pieces); n < number && len(missing) < maxMissing; n++ {
			missing = append(missing, n)
		}
		return &refusal{http.StatusConflict, fmt.Sprintf("segment %d is the next", len(pieces)), missing}
	}
	end := int64(0)
	for _, p := range pieces {
		end += p.Size
	}
	if offset != end {
		return refuse(http.StatusConflict, "segment %d is at %d, not at %d", number, end, offset)
	}
	if end+size > s.limits.upload {
		return refuse(http.StatusRequestEntityTooLarge, "an upload has at most %d bytes", s.limits.upload)
	}
	return s.take(w, r, size, func(body io.Reader) error {
		return s.store(u).put(r.Context(), u, number, size, &checked{body: body, want: uint32(sum)})
	})
}

// checked reads what must have a CRC-32 in the end.
type checked struct {
	body      io.Reader
	sum, want uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, p[:n])
	if err == io.EOF && c.sum != c.want {
		return n, refuse(http.StatusBadRequest, "the CRC-32 of what came is %08x, not %08x", c.sum, c.want)
	}
	return n, err
}

// takes says whether an upload takes more of a kind.
func (u *upload) takes(kind string) error {
	if u.Kind != kind {
		return refuse(http.StatusConflict, "this upload is of %s", u.Kind)
	}
	if u.Done {
		return refuse(http.StatusConflict, "this upload is finished")
	}
	return nil
}

// length is that of a request's body, which must say so.
func (s *uploads) length(r *http.Request, most int64) (int64, error) {
	switch n := r.ContentLength; {
	case n < 0:
		return 0, refuse(http.StatusLengthRequired, "the request is to say its Content-Length")
	case n == 0:
		return 0, refuse(http.StatusBadRequest, "there is nothing in the request")
	case n > most:
		return 0, refuse(http.StatusRequestEntityTooLarge, "at most %d bytes are taken here, not %d", most, n)
	default:
		return n, nil
	}
}

// take has a body kept, if there is room.
func (s *uploads) take(w http.ResponseWriter, r *http.Request, size int64, keep func(io.Reader) error) error {
	if s.used.Add(size) > s.limits.total {
		s.used.Add(-size)
		return refuse(http.StatusInsufficientStorage, "there is no room for more: delete some recordings")
	}
	if err := keep(http.MaxBytesReader(w, r.Body, size)); err != nil {
		s.used.Add(-size)
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxMissing is how many missing pieces are named at once.
const maxMissing = 100

func (s *uploads) complete(w http.ResponseWriter, r *http.Request, u *upload) error {
	var asked struct{ Count int }
	if err := read(w, r, &asked); err != nil {
		return err
	}
	if u.Done { // the answer was lost
		return answer(w, http.StatusOK, u.facts)
	}
	ctx := context.WithoutCancel(r.Context()) // what has begun is brought to its end
	pieces, err := s.store(u).pieces(ctx, u)
	if err != nil {
		return err
	}
	if err := u.whole(pieces, asked.Count); err != nil {
		return err
	}
	u.Pieces = pieces // as the bucket forgets them
	if err := s.save(u); err != nil {
		return err
	}
	if err := s.store(u).join(ctx, u, pieces); err != nil {
		return err
	}
	u.Size = 0
	for _, p := range pieces {
		u.Size += p.Size
	}
	return s.finish(ctx, w, u)
}

// whole says whether the pieces are all of an upload.
func (u *upload) whole(pieces []piece, count int) error {
	if count < 1 {
		return refuse(http.StatusBadRequest, "the count is to say how many %s there are", u.Kind)
	}
	first := 1
	if u.Kind == "segments" {
		first = 0
	}
	missing := []int{}
	have := map[int]bool{}
	for _, p := range pieces {
		have[p.Number] = true
		switch last := first + count - 1; {
		case p.Number > last:
			return refuse(http.StatusBadRequest, "there is a number %d, which %d %s have not", p.Number, count, u.Kind)
		case u.Kind == "parts" && p.Number < last && p.Size != u.PartSize:
			return refuse(http.StatusBadRequest, "part %d has %d bytes, and all but the last are to have %d", p.Number, p.Size, u.PartSize)
		}
	}
	for n := first; n < first+count && len(missing) < maxMissing; n++ {
		if !have[n] {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		return &refusal{http.StatusConflict, fmt.Sprintf("some %s are missing", u.Kind), missing}
	}
	return nil
}

// finish says that there is a recording.
func (s *uploads) finish(ctx context.Context, w http.ResponseWriter, u *upload) error {
	u.Done, u.Pieces = true, nil
	if err := s.save(u); err != nil {
		return err
	}
	if err := s.store(u).tidy(ctx, u); err != nil {
		log.Printf("upload %s: %v", u.ID, err) // it only takes room
	}
	return answer(w, http.StatusOK, u.facts)
}

func (s *uploads) file(w http.ResponseWriter, r *http.Request, u *upload) error {
	if !u.Done {
		return refuse(http.StatusConflict, "this upload is not finished")
	}
	file, err := s.store(u).open(r.Context(), u)
	if err != nil {
		return err
	}
	defer file.Close()
	name := "webmend-" + u.Began.Format("20060102-150405") + "." + u.ending()
	w.Header().Set("Content-Type", u.Type)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	w.Header().Set("ETag", `"`+u.ID+`"`)
	http.ServeContent(w, r, "", u.Began, file)
	return nil
}

func (s *uploads) remove(w http.ResponseWriter, r *http.Request, u *upload) error {
	if err := s.store(u).remove(context.WithoutCancel(r.Context()), u); err != nil {
		return err
	}
	if err := s.root.RemoveAll(u.ID); err != nil {
		return err
	}
	s.locks.Delete(u.ID)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// locked has an upload finished by one request at a time: one that is repeated waits,
// and finds it done.
func (s *uploads) locked(do func(http.ResponseWriter, *http.Request, *upload) error) func(http.ResponseWriter, *http.Request, *upload) error {
	return func(w http.ResponseWriter, r *http.Request, u *upload) error {
		lock, _ := s.locks.LoadOrStore(u.ID, new(sync.Mutex))
		lock.(*sync.Mutex).Lock()
		defer lock.(*sync.Mutex).Unlock()
		u, err := s.load(u.ID)
		if err != nil {
			return err
		}
		return do(w, r, u)
	}
}

// store is where the media of an upload is. Segments are smaller than buckets take parts.
func (s *uploads) store(u *upload) store {
	if u.InBucket {
		return s.bucket
	}
	return folder{s.root}
}

// ids are what rand.Text gives: no name comes from the client.
var ids = regexp.MustCompile(`^[A-Z2-7]{26}$`)

func (s *uploads) load(id string) (*upload, error) {
	unknown := refuse(http.StatusNotFound, "there is no such upload")
	if !ids.MatchString(id) {
		return nil, unknown
	}
	data, err := s.root.ReadFile(id + "/upload.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	u := new(upload)
	if err := json.Unmarshal(data, u); err != nil {
		return nil, err
	}
	if u.InBucket && s.bucket == nil {
		return nil, refuse(http.StatusServiceUnavailable, "this upload is in a bucket: start the server with -s3 and -bucket")
	}
	return u, nil
}

func (s *uploads) save(u *upload) error {
	data, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return keep(s.root, path.Join(u.ID, "upload.json"), func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// measure is how many bytes are in the folder.
func (s *uploads) measure() (int64, error) {
	var total int64
	err := fs.WalkDir(s.root.FS(), ".", func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := entry.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total, err
}

// A refusal is why a request is not done.
type refusal struct {
	status  int
	Reason  string `json:"error"`
	Missing []int  `json:"missing,omitempty"`
}

func (r *refusal) Error() string { return r.Reason }

func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, Reason: fmt.Sprintf(format, args...)}
}

// tellError answers with what went wrong, as far as it is the client's to know.
func tellError(w http.ResponseWriter, r *http.Request, err error) {
	var no *refusal
	switch {
	case errors.As(err, &no):
	case errors.Is(err, os.ErrDeadlineExceeded):
		no = &refusal{status: http.StatusRequestTimeout, Reason: "the request came too slowly"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		no = &refusal{status: http.StatusBadRequest, Reason: "the request was cut short"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		no = &refusal{status: http.StatusInsufficientStorage, Reason: "the disk is full"}
	case errors.Is(err, fs.ErrNotExist):
		no = &refusal{status: http.StatusNotFound, Reason: "there is no such upload any more"}
	default:
		log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
		no = &refusal{status: http.StatusInternalServerError, Reason: "the server failed; its log says why"}
	}
	answer(w, no.status, no)
}

func answer(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}

// read reads what a request asks for.
func read(w http.ResponseWriter, r *http.Request, asked any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 10_000))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(asked); err != nil {
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			return refuse(http.StatusRequestEntityTooLarge, "that is too much to ask for")
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		return refuse(http.StatusBadRequest, "the request is not understood: %v", err)
	}
	return http.NewResponseController(w).SetReadDeadline(time.Time{}) // what is asked for may take its time
}
