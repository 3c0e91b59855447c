package uploads

import (
	"context"
	"fmt"
	"log"
	"mime"
	"net/http"
)

// maxMissing is how many missing pieces are named at once.
const maxMissing = 100

func (s *Server) complete(w http.ResponseWriter, r *http.Request, u *upload) error {
	var asked struct{ Count int }
	if err := read(w, r, &asked); err != nil {
		return err
	}
	if u.Done { // the answer was lost
		return answer(w, http.StatusOK, u.Facts)
	}
	pieces, _, err := s.pieces(r.Context(), u)
	if err != nil {
		return err
	}
	if err := u.whole(pieces, asked.Count); err != nil {
		return err
	}
	return s.join(w, r, u, pieces)
}

// join makes the recording of pieces. From then on that alone can become of the upload: it goes
// on when it is asked for again.
func (s *Server) join(w http.ResponseWriter, r *http.Request, u *upload, pieces []Piece) error {
	ctx := context.WithoutCancel(r.Context()) // what has begun is brought to its end
	if u.Joining == nil {
		if err := s.removeAll(ctx, "recordings/"+u.ID+"."); err != nil { // of a repair that was killed
			return err
		}
		u.Joining = pieces
		if err := s.save(ctx, u); err != nil {
			return err
		}
	}
	objects := make([]Object, len(pieces))
	for i, p := range pieces {
		objects[i] = Object{Name: pieceName(u.ID, p.Number), Size: p.Size}
	}
	before, err := s.mediaOf(ctx, u.ID)
	if err != nil {
		return err
	}
	err = s.store.Join(ctx, u.recordingName(), objects)
	if after, e := s.mediaOf(ctx, u.ID); e == nil {
		s.room.free(before - after)
	}
	if err != nil {
		return err
	}
	u.Size = sizeOf(pieces)
	return s.finish(ctx, w, u)
}

// mediaOf is how many bytes the pieces and the recording of an upload have.
func (s *Server) mediaOf(ctx context.Context, id string) (sum int64, err error) {
	for _, prefix := range []string{piecesOf(id), "recordings/" + id + "."} {
		objects, err := s.store.List(ctx, prefix)
		if err != nil {
			return 0, err
		}
		sum += sizeOfAll(objects)
	}
	return sum, nil
}

// whole says whether the pieces are all of an upload.
func (u *upload) whole(pieces []Piece, count int) error {
	if count < 1 || count > maxSegments {
		return refuse(http.StatusBadRequest, "the count is to say how many %s there are, not %d", u.Kind, count)
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
		return &Refusal{http.StatusConflict, fmt.Sprintf("some %s are missing", u.Kind), missing}
	}
	return nil
}

// finish says that there is a recording.
func (s *Server) finish(ctx context.Context, w http.ResponseWriter, u *upload) error {
	u.Done, u.Live, u.Joining = true, false, nil
	if err := s.save(ctx, u); err != nil {
		return err
	}
	if err := s.tidy(ctx, u.ID); err != nil {
		log.Printf("upload %s: %v", u.ID, err) // it only takes room
	}
	return answer(w, http.StatusOK, u.Facts)
}

func (s *Server) file(w http.ResponseWriter, r *http.Request, u *upload) error {
	if !u.Done {
		return refuse(http.StatusConflict, "this upload is not finished")
	}
	file, err := s.store.Open(r.Context(), u.recordingName())
	if err != nil {
		return err
	}
	defer file.Close()
	name := "webmend-" + u.Began.Format("20060102-150405") + "." + u.extension()
	w.Header().Set("Content-Type", u.Type)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": name}))
	w.Header().Set("ETag", `"`+u.ID+`"`)
	http.ServeContent(w, r, "", u.Began, file)
	return nil
}
