package uploads

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
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
	if _, err := s.replaces(r.Context(), name, asked.Size); err != nil {
		return err
	}
	where := map[string]string{"url": r.URL.Path}
	if placer, ok := s.store.Store.(Placer); ok {
		if url, err := placer.Place(r.Context(), r.Header.Get("Origin"), name, asked.Size); err != nil {
			return err
		} else if url != "" {
			where["url"] = url
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
		w.WriteHeader(http.StatusNoContent)
		return nil
	} else if err != nil {
		return err
	}
	return s.take(w, r, u, &piece{name: pieceName(u.ID, number), most: s.limits.MaxPart, sum: new(uint32(sum)), isNext: isNext})
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
	name   string
	most   int64        // bytes
	sum    *uint32      // the CRC-32 that it is to have, if it has one
	isNext func() error // whether it may come now, of a segment

	server *Server
	upload *upload
	ctx    context.Context
	body   io.Reader
	wait   func()
	left   int64 // bytes to come
	came   int64 // bytes for which there is room
	had    uint32
	before int64  // bytes of what it replaces
	unlock func() // once it is whole
}

// take has a piece kept, if there is room.
func (s *Server) take(w http.ResponseWriter, r *http.Request, u *upload, p *piece) error {
	size, err := length(r, p.most)
	if err != nil {
		return err
	}
	p.server, p.upload, p.ctx, p.left = s, u, r.Context(), size
	p.body = http.MaxBytesReader(w, r.Body, size)
	over := time.Now().Add(s.limits.forBytes(size))
	p.wait = func() { // no longer than the patience for bytes, and for all of them than they may take
		next := time.Now().Add(s.limits.Patience)
		if next.After(over) {
			next = over
		}
		http.NewResponseController(w).SetReadDeadline(next)
	}
	if p.before, err = s.replaces(r.Context(), p.name, size); err != nil {
		return err
	}
	err = s.store.Put(r.Context(), p.name, size, p)
	if err == nil {
		s.room.free(p.before)
	} else {
		s.room.free(p.came)
	}
	if p.unlock != nil {
		p.unlock()
	}
	if errors.Is(err, errCame) {
		err = nil
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *piece) Read(b []byte) (int, error) {
	p.wait()
	n, err := p.body.Read(b)
	if e := p.server.room.take(int64(n)); e != nil {
		return 0, e
	}
	p.came += int64(n)
	p.had = crc32.Update(p.had, crc32.IEEETable, b[:n])
	if p.left -= int64(n); p.left == 0 && p.unlock == nil {
		if e := p.end(); e != nil {
			return 0, e
		}
	}
	return n, err
}

// end is when all bytes have come.
func (p *piece) end() (err error) {
	if p.sum != nil && p.had != *p.sum {
		return refuse(http.StatusBadRequest, "the CRC-32 of what came is %08x, not %08x", p.had, *p.sum)
	}
	s := p.server
	if p.isNext != nil { // one at a time
		p.unlock = s.locks.lock(p.upload.ID)
	} else {
		p.unlock = s.locks.share(p.upload.ID)
	}
	now, err := s.read(p.ctx, p.upload.ID)
	if err == nil && now.Deleted {
		err = errUnknown
	}
	if err == nil {
		err = now.takes(p.upload.Kind)
	}
	if err == nil {
		p.before, err = s.replaces(p.ctx, p.name, p.came)
	}
	if p.isNext != nil && p.before > 0 { // another request has brought it meanwhile
		return p.isNext()
	}
	return err
}
