package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
)

// folder is a store: a folder for each upload, with pieces/1 and so on and then the
// recording. No path leaves the root.
type folder struct{ root *os.Root }

func (f folder) begin(_ context.Context, u *upload) error {
	return f.root.Mkdir(u.ID+"/pieces", 0o700)
}

func (f folder) name(u *upload, number int) string {
	return fmt.Sprintf("%s/pieces/%08d", u.ID, number) // in the order in which folders are read
}

func (f folder) put(_ context.Context, u *upload, number int, _ int64, body io.Reader) error {
	return keep(f.root, f.name(u, number), copyOf(body))
}

func (f folder) putOpening(_ context.Context, u *upload, _ int64, body io.Reader) error {
	return keep(f.root, u.ID+"/opening", copyOf(body))
}

func (f folder) opening(_ context.Context, u *upload) (io.ReaderAt, int64, error) {
	name := u.ID + "/opening"
	info, err := f.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return file{f.root, name}, info.Size(), nil
}

func (f folder) pieces(_ context.Context, u *upload) ([]piece, error) {
	entries, err := fs.ReadDir(f.root.FS(), u.ID+"/pieces")
	if err != nil {
		return nil, err
	}
	var pieces []piece
	for _, entry := range entries {
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // is still being written, or never was to its end
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{Number: number, Size: info.Size()})
	}
	return pieces, nil
}

func (f folder) join(ctx context.Context, u *upload, pieces []piece) error {
	return f.write(ctx, u, 0, func(w io.Writer) error {
		for _, p := range pieces {
			file, err := f.root.Open(f.name(u, p.Number))
			if err != nil {
				return err
			}
			_, err = io.Copy(w, file)
			file.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (f folder) extents(_ context.Context, u *upload, pieces []piece) ([]extent, error) {
	var extents []extent
	for i, at := range u.places(pieces) {
		source := file{f.root, f.name(u, pieces[i].Number)}
		extents = append(extents, extent{at: at, size: pieces[i].Size, source: source})
	}
	return extents, nil
}

// file is read from without being kept open, as there can be thousands.
type file struct {
	root *os.Root
	name string
}

func (f file) ReadAt(p []byte, at int64) (int, error) {
	opened, err := f.root.Open(f.name)
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	return opened.ReadAt(p, at)
}

func (f folder) write(_ context.Context, u *upload, _ int64, fill func(io.Writer) error) error {
	return keep(f.root, u.ID+"/recording", fill)
}

func (f folder) open(_ context.Context, u *upload) (io.ReadSeekCloser, error) {
	return f.root.Open(u.ID + "/recording")
}

func (f folder) tidy(_ context.Context, u *upload) error {
	return errors.Join(f.root.RemoveAll(u.ID+"/pieces"), f.root.RemoveAll(u.ID+"/opening"))
}

// remove has nothing to do: the folder of the upload is removed.
func (f folder) remove(context.Context, *upload) error { return nil }

// keep writes a file beside its place, and moves it there once it is on the disk: half a
// file is no file, also when the power fails.
func keep(root *os.Root, name string, fill func(io.Writer) error) (err error) {
	beside := name + "." + rand.Text()
	file, err := root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		file.Close()
		if err != nil {
			root.Remove(beside)
		}
	}()
	if err := fill(file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := root.Rename(beside, name); err != nil {
		return err
	}
	parent, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync() // the name is on the disk only now
}

func copyOf(body io.Reader) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.Copy(w, body)
		return err
	}
}
