package uploads

import (
	"context"
	"log"
	"strings"
	"time"
)

const (
	// emptyFor is how long an upload may be of which nothing arrives.
	emptyFor = 24 * time.Hour
	// sweepEvery is how often what is left of uploads is looked for.
	sweepEvery = time.Hour
)

// tidy removes what is not needed once there is a recording.
func (s *Server) tidy(ctx context.Context, id string) error {
	return s.removeAll(ctx, piecesOf(id), openingName(id))
}

// erase removes all of an upload, its record last.
func (s *Server) erase(ctx context.Context, id string) error {
	return s.removeAll(ctx, piecesOf(id), openingName(id), "recordings/"+id+".", recordName(id))
}

// removeAll removes what begins with some prefixes, one after the other.
func (s *Server) removeAll(ctx context.Context, prefixes ...string) error {
	for _, prefix := range prefixes {
		objects, err := s.store.List(ctx, prefix)
		if err != nil {
			return err
		}
		for _, o := range objects {
			if err := s.store.Remove(ctx, o.Name); err != nil {
				return err
			}
			s.room.free(o.Size)
		}
	}
	return nil
}

// sweep removes what a server has left that was killed, and measures what there is.
func (s *Server) sweep(ctx context.Context) error {
	if err := s.store.Sweep(ctx); err != nil {
		return err
	}
	objects, err := s.store.List(ctx, "")
	if err != nil {
		return err
	}
	s.room.used.Store(sizeOfAll(objects))
	s.sweepUploads(ctx, objects)
	return nil
}

// sweepNowAndThen looks for uploads of which nothing has arrived, and measures again what pages
// have put into a store themselves.
func (s *Server) sweepNowAndThen() {
	now, last := time.Now().Unix(), s.swept.Load()
	if now-last < int64(sweepEvery/time.Second) || !s.swept.CompareAndSwap(last, now) {
		return
	}
	go func() { // as it waits for each upload's lock
		ctx := context.Background()
		objects, err := s.store.List(ctx, "")
		if err != nil {
			log.Printf("uploads: %v", err) // and the next time may be better
			return
		}
		if _, ok := s.store.Store.(Placer); ok {
			s.room.used.Store(sizeOfAll(objects))
		}
		s.sweepUploads(ctx, objects)
	}()
}

func sizeOfAll(objects []Object) (sum int64) {
	for _, o := range objects {
		sum += o.Size
	}
	return sum
}

// sweepUploads removes uploads that were to be deleted, what finished ones need no more, and
// those of which nothing has arrived for long.
func (s *Server) sweepUploads(ctx context.Context, objects []Object) {
	s.swept.Store(time.Now().Unix())
	has := map[string]bool{} // pieces or an opening, by id
	for _, o := range objects {
		if kind, rest, _ := strings.Cut(o.Name, "/"); kind == "pieces" || kind == "openings" {
			id, _, _ := strings.Cut(rest, "/")
			has[id] = true
		}
	}
	for _, o := range objects {
		id, ok := idOf(o.Name)
		if !ok {
			continue
		}
		if err := s.sweepUpload(ctx, id, has[id]); err != nil {
			log.Printf("upload %s: %v", id, err) // and the others are served all the same
		}
	}
}

func (s *Server) sweepUpload(ctx context.Context, id string, hasPieces bool) error {
	defer s.locks.lock(id)()
	u, err := s.read(ctx, id)
	switch {
	case isUnknown(err):
		return nil // removed meanwhile
	case err != nil:
		return err
	case u.Deleted:
		return s.erase(ctx, id)
	case u.Done && hasPieces:
		return s.tidy(ctx, id)
	case u.Done || hasPieces || u.Joining != nil || time.Since(u.Began) < emptyFor:
		return nil
	}
	now, err := s.facts(ctx, u) // as something can have arrived since the list
	if err == nil && now.Size == 0 {
		err = s.erase(ctx, id)
	}
	return err
}
