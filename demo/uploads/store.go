package uploads

import (
	"context"
	"io"
	"time"
)

// A Store keeps objects by name: words of a–z, A–Z, 0–9, "-" and ".", with "/" between them. Its
// methods are called by many goroutines at once, and end with their context. An error that is
// [io/fs.ErrNotExist] says that there is no such object.
type Store interface {
	// Put keeps an object of size bytes, in the place of one of its name: all that body has, or
	// nothing if that is less or ends with an error, which Put returns. What is kept when it
	// returns must survive the end of the process and of the power.
	Put(ctx context.Context, name string, size int64, body io.Reader) error

	// Open opens an object, to be read with the context.
	Open(ctx context.Context, name string) (Reader, error)

	// Stat says what there is of an object.
	Stat(ctx context.Context, name string) (Object, error)

	// List lists the objects whose names begin with a prefix, by name.
	List(ctx context.Context, prefix string) ([]Object, error)

	// Join makes an object of others, one after the other, and removes those. After it has
	// failed, or was killed, it is called again with the same arguments, and goes on.
	Join(ctx context.Context, name string, of []Object) error

	// Remove removes objects, of which some may not be there.
	Remove(ctx context.Context, names ...string) error

	// Sweep removes what other methods have left when they were killed.
	Sweep(ctx context.Context) error
}

// A Placer is a [Store] that can take objects from pages, without the server.
type Placer interface {
	// Place is the address to PUT an object to from a page of an origin, of that many bytes and
	// no other, or "" if that cannot be.
	Place(ctx context.Context, origin, name string, size int64) (url string, err error)
}

// A Reader is an object that is open.
type Reader interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// An Object is what a store has.
type Object struct {
	Name     string
	Size     int64     // bytes
	Modified time.Time // when it was put
}
