package uploads

import (
	"context"
	"errors"
	"log"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are those of [New].
type Options struct {
	// Owner says whose the uploads of a request are; what belongs to others is not there for it.
	// An error refuses the request: with its status if it is a [Refusal], and with 401 if not.
	// Without Owner all belong to everybody.
	Owner func(*http.Request) (owner string, err error)

	Limits Limits
}

// Limits are those of what is taken. What is 0 has its default.
type Limits struct {
	PartSize int64         // bytes of a part where the client does not say, and the least that it may say; 1 MiB, see [BucketPartSize]
	MaxPart  int64         // bytes of a part or segment; 64 MiB
	Upload   int64         // bytes of an upload; 8 GiB
	Total    int64         // bytes in the store, of all uploads; 64 GiB
	Patience time.Duration // between bytes of a request, and for an answer of the store; 30 s
	Slowest  int64         // bytes a second with which a request must come; 16 KiB
	Quiet    time.Duration // after which nothing more is expected of an upload; 2 minutes
	Repairs  int           // recordings that are repaired at once, with some 10 MB of memory for each; 2
}

// orDefault fills in what is 0.
func (l Limits) orDefault() Limits {
	set(&l.PartSize, 1<<20)
	set(&l.MaxPart, 64<<20)
	set(&l.Upload, 8<<30)
	set(&l.Total, 64<<30)
	set(&l.Patience, 30*time.Second)
	set(&l.Slowest, 16<<10)
	set(&l.Quiet, 2*time.Minute)
	set(&l.Repairs, 2)
	return l
}

func set[T comparable](value *T, otherwise T) {
	if *value == *new(T) {
		*value = otherwise
	}
}

// A Server answers what is under /uploads: see the package's documentation.
type Server struct {
	http.Handler
	store   patient
	owner   func(*http.Request) (string, error)
	limits  Limits
	room    room
	locks   locks
	repairs chan struct{} // has as many as run
	swept   atomic.Int64  // when, in seconds
}

// New makes a server of what is in a store, which it has to itself, and tidies that up.
func New(ctx context.Context, store Store, options Options) (*Server, error) {
	limits := options.Limits.orDefault()
	s := &Server{
		store:   patient{store, limits},
		owner:   options.Owner,
		limits:  limits,
		room:    room{total: limits.Total},
		repairs: make(chan struct{}, limits.Repairs),
	}
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	s.Handler = s.routes()
	return s, nil
}

// routes has requests come to the functions that answer them, from pages of this server alone.
func (s *Server) routes() http.Handler {
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
		"POST /uploads/{id}/complete":         s.alone(s.complete),
		"POST /uploads/{id}/repair":           s.alone(s.repair),
		"GET /uploads/{id}/file":              s.file,
	} {
		handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			u, err := s.load(r, r.PathValue("id"))
			if err != nil {
				return err
			}
			return do(w, r, u)
		})
	}
	handle("DELETE /uploads/{id}", s.remove)
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tellError(w, r, refuse(http.StatusForbidden, "uploads are taken from pages of this server alone"))
	}))
	return protection.Handler(s.inTime(mux))
}

// inTime has requests come at some speed.
func (s *Server) inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.ContentLength != 0 {
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.limits.forBytes(max(0, r.ContentLength))))
		}
		next.ServeHTTP(w, r)
	})
}

// alone has an upload finished by one request at a time, and by none while a piece comes to its
// end: one that is repeated waits, and finds it done.
func (s *Server) alone(do func(http.ResponseWriter, *http.Request, *upload) error) func(http.ResponseWriter, *http.Request, *upload) error {
	return func(w http.ResponseWriter, r *http.Request, u *upload) error {
		defer s.locks.lock(u.ID)()
		u, err := s.load(r, u.ID)
		if err != nil {
			return err
		}
		return do(w, r, u)
	}
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) error {
	owner, err := s.ownerOf(r)
	if err != nil {
		return err
	}
	var asked struct {
		ID, Kind, Type string
		PartSize       int64
	}
	if err := read(w, r, &asked); err != nil {
		return err
	}
	u, err := s.newUpload(asked.ID, asked.Kind, asked.Type, asked.PartSize)
	if err != nil {
		return err
	}
	u.Owner = owner
	s.sweepNowAndThen()
	defer s.locks.lock(u.ID)()
	switch before, err := s.read(r.Context(), u.ID); {
	case err == nil && before.Deleted && before.Owner == owner: // and not all of it is gone yet
		if err := s.erase(r.Context(), u.ID); err != nil {
			return err
		}
	case err == nil && before.isLike(u, asked.PartSize): // its answer was lost
		told, err := s.facts(r.Context(), before)
		if err != nil {
			return err
		}
		return answer(w, http.StatusOK, told)
	case err == nil:
		return refuse(http.StatusConflict, "there is another upload with the id %s", u.ID)
	case !isUnknown(err):
		return err
	}
	if s.room.left() <= 0 {
		return refuse(http.StatusInsufficientStorage, "there is no room for another recording: delete some")
	}
	if err := s.save(r.Context(), u); err != nil {
		return err
	}
	w.Header().Set("Location", "/uploads/"+u.ID)
	return answer(w, http.StatusCreated, u.Facts)
}

// askedAtOnce is how many uploads a list asks the store for at once.
const askedAtOnce = 8

func (s *Server) list(w http.ResponseWriter, r *http.Request) error {
	owner, err := s.ownerOf(r)
	if err != nil {
		return err
	}
	records, err := s.store.List(r.Context(), "uploads/")
	if err != nil {
		return err
	}
	all := make([]*Facts, len(records))
	var asked sync.WaitGroup
	turns := make(chan struct{}, askedAtOnce)
	for i, record := range records {
		id, ok := idOf(record.Name)
		if !ok {
			continue
		}
		turns <- struct{}{}
		asked.Go(func() {
			defer func() { <-turns }()
			all[i] = s.listed(r.Context(), owner, id)
		})
	}
	asked.Wait()
	all = slices.DeleteFunc(all, func(f *Facts) bool { return f == nil })
	slices.SortStableFunc(all, func(a, b *Facts) int { return b.Began.Compare(a.Began) })
	return answer(w, http.StatusOK, all)
}

// listed is what a list tells of an upload: that the store does not answer, if so.
func (s *Server) listed(ctx context.Context, owner, id string) *Facts {
	u, err := s.read(ctx, id)
	var told Facts
	if err == nil {
		if u.Owner != owner || u.Deleted {
			return nil
		}
		told, err = s.facts(ctx, u)
	} else if isUnknown(err) || s.owner != nil {
		return nil // removed just now, or nobody knows whose it is
	}
	if err != nil {
		log.Printf("upload %s: %v", id, err) // and the others are listed all the same
		told.ID, told.Error = id, "the server's log says what is wrong with it"
	}
	told.Pieces = nil
	return &told
}

func (s *Server) tell(w http.ResponseWriter, r *http.Request, u *upload) error {
	told, err := s.facts(r.Context(), u)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, told)
}

// remove marks an upload as deleted first: should the server be killed meanwhile, it goes on
// when it is started again.
func (s *Server) remove(w http.ResponseWriter, r *http.Request) error {
	owner, err := s.ownerOf(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	defer s.locks.lock(id)()
	ctx := context.WithoutCancel(r.Context()) // what has begun is brought to its end
	switch u, err := s.read(ctx, id); {
	case errors.Is(err, errBroken) && s.owner == nil: // what cannot be read can be deleted
	case isUnknown(err) || err == nil && u.Owner != owner:
		return errUnknown
	case err != nil:
		return err
	case !u.Deleted:
		u.Deleted = true
		if err := s.save(ctx, u); err != nil {
			return err
		}
	}
	if err := s.erase(ctx, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
