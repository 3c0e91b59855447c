package uploads

import (
	"context"
	"io"
	"time"
)

// patient is a store that is not waited for without end: each call ends with
// [context.DeadlineExceeded] when its time is over.
type patient struct {
	Store
	limits Limits
}

// forBytes is how long a call may take that moves some.
func (l Limits) forBytes(n int64) time.Duration {
	return l.Patience + time.Duration(n/l.Slowest)*time.Second
}

func (p patient) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	ctx, cancel := context.WithTimeout(ctx, p.limits.forBytes(size))
	defer cancel()
	return p.Store.Put(ctx, name, size, body)
}

func (p patient) Stat(ctx context.Context, name string) (Object, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limits.Patience)
	defer cancel()
	return p.Store.Stat(ctx, name)
}

func (p patient) List(ctx context.Context, prefix string) ([]Object, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limits.Patience)
	defer cancel()
	return p.Store.List(ctx, prefix)
}

func (p patient) Remove(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeout(ctx, p.limits.Patience)
	defer cancel()
	return p.Store.Remove(ctx, names...)
}

func (p patient) Join(ctx context.Context, name string, of []Object) error {
	var size int64
	for _, o := range of {
		size += o.Size
	}
	ctx, cancel := context.WithTimeout(ctx, p.limits.forBytes(size))
	defer cancel()
	return p.Store.Join(ctx, name, of)
}

// Open waits for no longer than the patience, and so does each read of what is open.
func (p patient) Open(ctx context.Context, name string) (Reader, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(p.limits.Patience, func() { cancel(context.DeadlineExceeded) })
	reader, err := p.Store.Open(ctx, name)
	if !timer.Stop() {
		if err == nil {
			reader.Close() // which can be read no more
		}
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	return opened{reader, p.limits.Patience, cancel}, nil
}

// opened is what is open. A read that takes too long ends the context with which it was opened,
// and so does closing it.
type opened struct {
	Reader
	patience time.Duration
	end      context.CancelCauseFunc
}

func (o opened) Close() error {
	defer o.end(nil)
	return o.Reader.Close()
}

func (o opened) Read(p []byte) (int, error) {
	return o.inTime(func() (int, error) { return o.Reader.Read(p) })
}

func (o opened) ReadAt(p []byte, at int64) (int, error) {
	return o.inTime(func() (int, error) { return o.Reader.ReadAt(p, at) })
}

func (o opened) inTime(read func() (int, error)) (int, error) {
	timer := time.AfterFunc(o.patience, func() { o.end(context.DeadlineExceeded) })
	n, err := read()
	if !timer.Stop() && err != nil {
		err = context.DeadlineExceeded
	}
	return n, err
}
