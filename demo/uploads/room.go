package uploads

import (
	"net/http"
	"sync/atomic"
)

// room is how many bytes the store may have, and has.
type room struct {
	total int64
	used  atomic.Int64
}

func (r *room) left() int64 { return r.total - r.used.Load() }

// take takes room for bytes that have come.
func (r *room) take(n int64) error {
	if r.used.Add(n) > r.total {
		r.used.Add(-n)
		return refuse(http.StatusInsufficientStorage, "there is no room for more: delete some recordings")
	}
	return nil
}

// free gives back the room of bytes that are gone.
func (r *room) free(n int64) { r.used.Add(-n) }
