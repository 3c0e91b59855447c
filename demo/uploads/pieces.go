package uploads

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// place tells where the client puts a part or the opening: at the store, if that takes it from
// pages of this origin, and otherwise here.
func (s *Server) place(w http.ResponseWriter, r *http.Request, u *upload) error {
	var asked struct{ Size int64 }
	if err := read(w, r, &asked); err != nil {
		return err
	}
	name, err := openingName(u.ID), u.takes("parts")
	if r.PathValue("number") != "" {
		name, err = s.partName(r, u)
	}
	if err != nil {
		return err
	}
	if asked.Size < 1 || asked.Size > u.PartSize {
		return refuse(http.StatusRequestEntityTooLarge, "a part of this upload has from 1 to %d bytes, not %d", u.PartSize, asked.Size)
	}
	before, err := s.replaces(r.Context(), name, asked.Size)
	if err != nil {
		return err
	}
	where := map[string]string{"url": r.URL.Path}
	if placer, ok := s.store.Store.(Placer); ok {
		if url, err := placer.Place(r.Context(), r.Header.Get("Origin"), name, asked.Size); err != nil {
			return err
		} else if url != "" {
			where["url"] = url
			if err := s.room.take(asked.Size - before); err != nil { // as it does not come by here
				return err
			}
		}
	}
	return answer(w, http.StatusOK, where)
}

func (s *Server) putOpening(w http.ResponseWriter, r *http.Request, u *upload) error {
	if err := u.takes("parts"); err != nil {
		return err
	}
	return s.take(w, r, u, &piece{name: openingName(u.ID), most: u.PartSize})
}

func (s *Server) putPart(w http.ResponseWriter, r *http.Request, u *upload) error {
	name, err := s.partName(r, u)
	if err != nil {
		return err
	}
	return s.take(w, r, u, &piece{name: name, most: u.PartSize})
}

// partName is that of the part of a request, if the upload takes it.
func (s *Server) partName(r *http.Request, u *upload) (string, error) {
	if err := u.takes("parts"); err != nil {
		return "", err
	}
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 1 || number > maxParts {
		return "", refuse(http.StatusBadRequest, "parts have numbers from 1 to %d, not %q", maxParts, r.PathValue("number"))
	}
	if int64(number) > max(1, s.limits.Upload/u.PartSize) {
		return "", refuse(http.StatusRequestEntityTooLarge, "an upload has at most %d bytes", s.limits.Upload)
	}
	return pieceName(u.ID, number), nil
}

func (s *Server) putSegment(w http.ResponseWriter, r *http.Request, u *upload) error {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 0 || number >= maxSegments {
		return refuse(http.StatusBadRequest, "segments have numbers from 0 to %d, not %q", maxSegments-1, r.PathValue("number"))
	}
	offset, err := strconv.ParseInt(r.Header.Get("Segment-Offset"), 10, 64)
	if err != nil {
		return refuse(http.StatusBadRequest, "Segment-Offset is to say where the segment is in the recording, not %q", r.Header.Get("Segment-Offset"))
	}
	sum, err := strconv.ParseUint(r.Header.Get("Segment-CRC32"), 16, 32)
	if err != nil {
		return refuse(http.StatusBadRequest, "Segment-CRC32 is to have 8 hexadecimal digits, not %q", r.Header.Get("Segment-CRC32"))
	}
	if err := u.takes("segments"); err != nil {
		return err
	}
	size, err := length(r, s.limits.MaxPart)
	if err != nil {
		return err
	}
	isNext := func() error {
		pieces, _, err := s.pieces(r.Context(), u)
		if err != nil {
			return err
		}
		if number < len(pieces) {
			if err := s.isAgain(r.Context(), u, pieces[number], size, uint32(sum)); err != nil {
				return err
			}
			return errCame
		}
		return u.isNext(pieces, number, offset, size, s.limits.Upload)
	}
	if err := isNext(); err == errCame {
		io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, size)) // or the client could see its connection end, and not the answer
		w.WriteHeader(http.StatusNoContent)
		return nil
	} else if err != nil {
		return err
	}
	p := &piece{name: pieceName(u.ID, number), most: s.limits.MaxPart, sum: new(uint32(sum)), isNext: isNext}
	if number > 0 {
		p.previous = pieceName(u.ID, number-1)
	}
	return s.take(w, r, u, p)
}

// errCame says that a segment has come before.
var errCame = errors.New("it has come before")

// isNext says whether a segment is the next.
func (u *upload) isNext(pieces []Piece, number int, offset, size, most int64) error {
	if number > len(pieces) {
		missing := []int{}
		for n := len(pieces); n < number && len(missing) < maxMissing; n++ {
			missing = append(missing, n)
		}
		return &Refusal{http.StatusConflict, fmt.Sprintf("segment %d is the next", len(pieces)), missing}
	}
	end := sizeOf(pieces)
	if offset != end {
		return refuse(http.StatusConflict, "segment %d is at %d, not at %d", number, end, offset)
	}
	if end+size > most {
		return refuse(http.StatusRequestEntityTooLarge, "an upload has at most %d bytes", most)
	}
	return nil
}

func sizeOf(pieces []Piece) (sum int64) {
	for _, p := range pieces {
		sum += p.Size
	}
	return sum
}

// isAgain says whether a segment that comes again is the one that has come.
func (s *Server) isAgain(ctx context.Context, u *upload, p Piece, size int64, sum uint32) error {
	file, err := s.store.Open(ctx, pieceName(u.ID, p.Number))
	if err != nil {
		return err
	}
	defer file.Close()
	had := crc32.NewIEEE()
	if _, err := io.Copy(had, file); err != nil {
		return err
	}
	if p.Size != size || had.Sum32() != sum {
		return refuse(http.StatusConflict, "segment %d has come with %d bytes and CRC-32 %08x, not %d and %08x", p.Number, p.Size, had.Sum32(), size, sum)
	}
	return nil
}

// replaces is how many bytes an object has that one of some size would replace: never more.
func (s *Server) replaces(ctx context.Context, name string, size int64) (before int64, err error) {
	if before, err = s.sizeOf(ctx, name); err == nil && size < before {
		err = refuse(http.StatusConflict, "it has come with %d bytes, and %d would be less", before, size)
	}
	return before, err
}

// length is that of a request's body, which must say so.
func length(r *http.Request, most int64) (int64, error) {
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

// A piece is on its way to the store. What reads it has its last bytes only when it is seen to
// be right, and to be wanted still: then nobody finishes the upload before the store has it.
type piece struct {
	name     string
	most     int64        // bytes
	sum      *uint32      // the CRC-32 that it is to have, if it has one
	isNext   func() error // whether it may come now, of a segment
	previous string       // the name of the segment before it

	server  *Server
	upload  *upload
	ctx     context.Context
	control *http.ResponseController
	body    io.Reader
	until   time.Time // when all of it must have come
	left    int64     // bytes to come
	had     uint32

	mu     sync.Mutex // a store may read on for a while when it has failed
	over   bool       // whether it has
	came   int64      // bytes for which room is taken
	before int64      // bytes of what it replaces
	unlock func()     // once it is whole
}

// errOver is what a store reads that has failed already.
var errOver = errors.New("it is not wanted any more")

// take has a piece kept, if there is room.
func (s *Server) take(w http.ResponseWriter, r *http.Request, u *upload, p *piece) error {
	size, err := length(r, p.most)
	if err != nil {
		return err
	}
	p.server, p.upload, p.ctx, p.left = s, u, r.Context(), size
	p.body, p.control = http.MaxBytesReader(w, r.Body, size), http.NewResponseController(w)
	p.until = time.Now().Add(s.limits.forBytes(size))
	if p.before, err = s.replaces(r.Context(), p.name, size); err != nil {
		return err
	}
	err = s.store.Put(r.Context(), p.name, size, p)
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	s.room.free(p.came + p.before - s.sizeAfter(p.name, size, err))
	if p.unlock != nil {
		p.unlock()
	}
	if err != nil && !errors.Is(err, errCame) {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *piece) Read(b []byte) (int, error) {
	if p.left > 0 {
		next := time.Now().Add(p.server.limits.Patience) // for some bytes
		if next.After(p.until) {
			next = p.until
		}
		p.control.SetReadDeadline(next)
	}
	n, err := p.body.Read(b)
	if e := p.arrive(b[:n]); e != nil {
		return 0, e
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = refuse(http.StatusRequestTimeout, "the request came too slowly")
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = refuse(http.StatusBadRequest, "the request was cut short")
	}
	return n, err
}

// arrive takes in bytes that have come.
func (p *piece) arrive(b []byte) error {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return errOver
	}
	err := p.server.room.take(int64(len(b)))
	if err == nil {
		p.came += int64(len(b))
	}
	p.mu.Unlock()
	p.had = crc32.Update(p.had, crc32.IEEETable, b)
	if p.left -= int64(len(b)); err == nil && p.left == 0 && len(b) > 0 {
		err = p.end()
	}
	return err
}

// end is when all bytes have come.
func (p *piece) end() (err error) {
	p.control.SetReadDeadline(time.Time{}) // the store may take its time
	if p.sum != nil && p.had != *p.sum {
		return refuse(http.StatusBadRequest, "the CRC-32 of what came is %08x, not %08x", p.had, *p.sum)
	}
	s := p.server
	lock := s.locks.share
	if p.isNext != nil {
		lock = s.locks.lock // one at a time
	}
	unlock := lock(p.upload.ID)
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		unlock()
		return errOver
	}
	p.unlock = unlock
	p.mu.Unlock()
	now, err := s.read(p.ctx, p.upload.ID)
	if err == nil && (now.Deleted || now.Began != p.upload.Began) {
		err = errUnknown
	}
	if err == nil {
		err = now.takes(p.upload.Kind)
	}
	if err == nil {
		p.before, err = s.replaces(p.ctx, p.name, p.came)
	}
	if err == nil && p.previous != "" {
		var previous int64
		if previous, err = s.sizeOf(p.ctx, p.previous); err == nil && previous == 0 {
			return p.isNext() // which says what is missing
		}
	}
	if err == nil && p.isNext != nil && p.before > 0 { // another request has brought it meanwhile
		return p.isNext()
	}
	return err
}

// sizeAfter is how many bytes an object has after it was put: that can have been done though it
// is said to have failed.
func (s *Server) sizeAfter(name string, size int64, err error) int64 {
	if err == nil {
		return size
	}
	had, err := s.sizeOf(context.Background(), name)
	if err != nil {
		return size
	}
	return had
}
