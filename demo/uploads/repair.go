package uploads

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/webmend/webmend/webm"
)

// mostClusters and mostKeyFrames are how many a repair takes: a day of recording has fewer. Each
// costs some bytes of memory.
const (
	mostClusters  = 2 << 20
	mostKeyFrames = 8 << 20
)

// repair makes a recording in which players can seek of what has arrived. It reads that twice,
// by ranges, has none of it in memory but a window, and changes nothing unless it succeeds.
func (s *Server) repair(w http.ResponseWriter, r *http.Request, u *upload) error {
	var asked struct{ Ended bool }
	if err := read(w, r, &asked); err != nil {
		return err
	}
	if u.Done { // the answer was lost
		return answer(w, http.StatusOK, u.Facts)
	}
	if u.Joining != nil {
		return s.join(w, r, u, u.Joining) // there is all of it
	}
	told, err := s.facts(r.Context(), u)
	if err != nil {
		return err
	}
	if told.Live && !asked.Ended {
		wait := s.limits.Quiet - time.Since(later(told.Began, told.Last))
		return refuse(http.StatusConflict, "this upload may be under way: it can be repaired in %v, or at once with {\"ended\": true}", wait.Round(time.Second))
	}
	select {
	case s.repairs <- struct{}{}:
		defer func() { <-s.repairs }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	arrived, err := s.arrived(r.Context(), u, told.Pieces)
	if err != nil {
		return err
	}
	defer arrived.close()
	plan, dropped, err := repaired(arrived)
	if err != nil {
		return err
	}
	if err := s.write(r.Context(), u.recordingName(), plan, arrived); err != nil {
		return err
	}
	u.Repaired, u.Size, u.Dropped = true, plan.Size, dropped
	u.Duration = float64(plan.End) / 1e9
	return s.finish(context.WithoutCancel(r.Context()), w, u)
}

// arrived is what has arrived, with the opening in the place of the first part if that is wanted.
func (s *Server) arrived(ctx context.Context, u *upload, pieces []Piece) (*arrived, error) {
	var opening extent
	if !u.begins(pieces) {
		size, err := s.sizeOf(ctx, openingName(u.ID))
		if err != nil {
			return nil, err
		}
		if size == 0 {
			return nil, refuse(http.StatusUnprocessableEntity, "neither part 1 has arrived nor the opening: nothing plays without it")
		}
		opening = extent{size: size, name: openingName(u.ID)}
	} else if len(pieces) == 0 {
		return nil, refuse(http.StatusUnprocessableEntity, "nothing has arrived of this upload")
	}
	var extents []extent
	for i, at := range u.places(pieces) {
		extents = append(extents, extent{at: at, size: pieces[i].Size, name: pieceName(u.ID, pieces[i].Number)})
	}
	return arrange(ctx, s.store, opening, extents)
}

// repaired is the plan of a recording in which players can seek, and how many bytes it is without.
func repaired(arrived *arrived) (plan *webm.Plan, dropped int64, err error) {
	clusters, keyFrames := 0, 0
	splitter, report, err := webm.Scan(arrived, arrived.size, webm.Options{}, func(_ *webm.Header, c webm.Cluster) error {
		clusters++
		for _, t := range c.Tracks {
			keyFrames += t.KeyFrames
		}
		if clusters > mostClusters || keyFrames > mostKeyFrames {
			return refuse(http.StatusUnprocessableEntity, "this recording has too many clusters or key frames to be repaired here")
		}
		return nil
	})
	if damage := new(webm.Error); errors.As(err, &damage) {
		return nil, 0, refuse(http.StatusUnprocessableEntity, "what has arrived is no recording: %v", err)
	} else if err != nil {
		return nil, 0, err
	}
	if plan, err = splitter.Index(0).Seekable(); err != nil {
		return nil, 0, refuse(http.StatusUnprocessableEntity, "what has arrived does not play: %v", err)
	}
	for _, drop := range report.Dropped {
		dropped += drop.End - drop.Start
	}
	return plan, dropped, nil
}

// write puts the recording of a plan into the store, if there is room for it beside the pieces.
func (s *Server) write(ctx context.Context, name string, plan *webm.Plan, from io.ReaderAt) error {
	before, err := s.sizeOf(ctx, name) // of a repair that was killed before it could say so
	if err != nil {
		return err
	}
	if err := s.room.take(plan.Size); err != nil {
		return err
	}
	r, w := io.Pipe()
	var copying sync.WaitGroup
	copying.Go(func() {
		_, err := plan.CopyTo(w, from)
		w.CloseWithError(err)
	})
	err = s.store.Put(ctx, name, plan.Size, r)
	r.CloseWithError(errors.New("the store takes no more")) // so that the copying ends
	copying.Wait()
	s.room.free(plan.Size + before - s.sizeAfter(name, plan.Size, err))
	return err
}

// places are where in the recording pieces begin.
func (u *upload) places(pieces []Piece) []int64 {
	places := make([]int64, len(pieces))
	for i, p := range pieces {
		switch {
		case u.Kind == "parts":
			places[i] = int64(p.Number-1) * u.PartSize
		case i > 0:
			places[i] = places[i-1] + pieces[i-1].Size
		}
	}
	return places
}
