package uploads

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Folder is a [Store] in a folder: objects are files in it. No name leads out of it.
type Folder struct{ root *os.Root }

// unready has what is still being written, in the folder.
const unready = "unready"

// OpenFolder opens a folder, which is made if there is none.
func OpenFolder(name string) (*Folder, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Put writes a file beside all others, and moves it to its place once it is on the disk: half a
// file is no file, also when the power fails.
func (f *Folder) Put(_ context.Context, name string, size int64, body io.Reader) (err error) {
	if err := f.makeParent(unready + "/"); err != nil {
		return err
	}
	written := path.Join(unready, rand.Text())
	file, err := f.root.OpenFile(written, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		file.Close()
		if err != nil {
			f.root.Remove(written)
		}
	}()
	buffer := buffers.Get().(*[64 << 10]byte)
	n, err := io.CopyBuffer(onlyWriter{file}, body, buffer[:])
	if buffers.Put(buffer); err != nil {
		return err
	}
	if n != size {
		return fmt.Errorf("%s: %d bytes of %d came: %w", name, n, size, io.ErrUnexpectedEOF)
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return f.move(written, name)
}

// buffers are for what comes: hundreds can come at once.
var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// onlyWriter keeps [io.CopyBuffer] from leaving the buffer to the file, which makes one.
type onlyWriter struct{ io.Writer }

// move moves a file to its place, and has that on the disk.
func (f *Folder) move(from, to string) error {
	if err := f.makeParent(to); err != nil {
		return err
	}
	if err := f.root.Rename(from, to); err != nil {
		return err
	}
	return f.sync(path.Dir(to))
}

// makeParent makes the folders of a name, and has them on the disk.
func (f *Folder) makeParent(name string) error {
	parent := path.Dir(name)
	if _, err := f.root.Stat(parent); parent == "." || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.makeParent(parent); err != nil {
		return err
	}
	if err := f.root.Mkdir(parent, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.sync(path.Dir(parent))
}

// sync has the names in a folder on the disk, where a system lets one ask for that.
func (f *Folder) sync(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// Open opens a file.
func (f *Folder) Open(_ context.Context, name string) (Reader, error) { return f.root.Open(name) }

// Stat says what there is of a file.
func (f *Folder) Stat(_ context.Context, name string) (Object, error) {
	info, err := f.root.Stat(name)
	if err != nil {
		return Object{}, err
	}
	return Object{name, info.Size(), info.ModTime()}, nil
}

// List lists files.
func (f *Folder) List(ctx context.Context, prefix string) ([]Object, error) {
	var all []Object
	from := path.Dir(prefix + ".") // which has all that begin so
	err := fs.WalkDir(f.root.FS(), from, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed meanwhile, or there never was any
		case err != nil:
			return err
		case name == unready:
			return fs.SkipDir
		case entry.IsDir() || !strings.HasPrefix(name, prefix):
			return ctx.Err()
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && info.Mode().IsRegular() {
			all = append(all, Object{name, info.Size(), info.ModTime()})
		}
		return err
	})
	slices.SortFunc(all, func(a, b Object) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// joinAhead is how many bytes are copied before the files that had them are removed: each time
// waits for the disk.
const joinAhead = 64 << 20

// Join appends all others to the first, and moves that to its place. Besides the files it needs
// room for 64 MiB and a file, and after a kill it finds by how long the first is what has been
// done.
func (f *Folder) Join(ctx context.Context, name string, of []Object) error {
	if len(of) == 0 {
		return f.Put(ctx, name, 0, strings.NewReader(""))
	}
	first, others := of[0], of[1:]
	whole, err := f.root.OpenFile(first.Name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := f.root.Stat(name); there == nil {
			return nil // it was done
		}
	}
	if err != nil {
		return err
	}
	defer whole.Close()
	info, err := whole.Stat()
	if err != nil {
		return err
	}
	var done []string
	end, synced := first.Size, first.Size
	clear := func() error {
		if err := whole.Sync(); err != nil {
			return err
		}
		synced = end
		err := f.Remove(ctx, done...)
		done = done[:0]
		return err
	}
	for _, o := range others {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := f.appendTo(whole, end, o)
		if errors.Is(err, fs.ErrNotExist) && info.Size() >= end+o.Size {
			err = nil // it has it already
		}
		if err != nil {
			return err
		}
		end += o.Size
		if done = append(done, o.Name); end-synced >= joinAhead {
			if err := clear(); err != nil {
				return err
			}
		}
	}
	if err := clear(); err != nil {
		return err
	}
	if err := whole.Truncate(end); err != nil {
		return err
	}
	return f.move(first.Name, name)
}

// appendTo writes an object into a file, from an offset on.
func (f *Folder) appendTo(whole *os.File, at int64, o Object) error {
	file, err := f.root.Open(o.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := whole.Seek(at, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(whole, file)
	if err == nil && n != o.Size {
		err = fmt.Errorf("%s has %d bytes, and had %d", o.Name, n, o.Size)
	}
	return err
}

// Remove removes files, and the folders that have none any more.
func (f *Folder) Remove(_ context.Context, names ...string) error {
	for _, name := range names {
		if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if parent := path.Dir(name); strings.Contains(parent, "/") {
			f.root.Remove(parent) // which fails while there is something in it
		}
	}
	return nil
}

// Sweep removes files that were not written to their end.
func (f *Folder) Sweep(context.Context) error { return f.root.RemoveAll(unready) }
