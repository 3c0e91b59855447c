package uploads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

// BucketPartSize is the least that S3 puts together by itself of a part that is not the last:
// what is smaller goes through the server. It is good as [Limits.PartSize] of a bucket.
const BucketPartSize = 5 << 20

// Bucket is a [Store] in an S3-compatible bucket. Where that takes parts from pages themselves,
// as its CORS rules say, no media comes through the server.
type Bucket struct {
	core   minio.Core
	name   string
	client http.Client
	origin sync.Map // whether it takes parts from pages of an origin
}

// NewBucket is a bucket by its name, which must be there.
func NewBucket(ctx context.Context, client *minio.Client, name string) (*Bucket, error) {
	at := client.EndpointURL()
	if ok, err := client.BucketExists(ctx, name); err != nil {
		return nil, fmt.Errorf("bucket %s at %s: %w", name, at, err)
	} else if !ok {
		return nil, fmt.Errorf("there is no bucket %s at %s", name, at)
	}
	return &Bucket{core: minio.Core{Client: client}, name: name, client: http.Client{Timeout: 5 * time.Second}}, nil
}

// Put puts an object.
func (b *Bucket) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	options := minio.PutObjectOptions{ContentType: mime.TypeByExtension(path.Ext(name)), PartSize: 16 << 20}
	options.DisableMultipart = size <= 64<<20 // which would have a part in memory
	_, err := b.core.Client.PutObject(ctx, b.name, name, body, size, options)
	return err
}

// Open opens an object.
func (b *Bucket) Open(ctx context.Context, name string) (Reader, error) {
	object, err := b.core.Client.GetObject(ctx, b.name, name, minio.GetObjectOptions{})
	if err != nil {
		return nil, toErrNotExist(err)
	}
	if _, err := object.Stat(); err != nil {
		object.Close()
		return nil, toErrNotExist(err)
	}
	return object, nil
}

// Stat says what there is of an object.
func (b *Bucket) Stat(ctx context.Context, name string) (Object, error) {
	info, err := b.core.StatObject(ctx, b.name, name, minio.StatObjectOptions{})
	if err != nil {
		return Object{}, toErrNotExist(err)
	}
	return Object{name, info.Size, info.LastModified}, nil
}

// List lists objects.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	ctx, cancel := context.WithCancel(ctx) // so that the listing ends with this
	defer cancel()
	var all []Object
	for o := range b.core.Client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		all = append(all, Object{o.Key, o.Size, o.LastModified})
	}
	return all, ctx.Err()
}

// Join has the bucket copy the objects into one, if they are large enough for that.
func (b *Bucket) Join(ctx context.Context, name string, of []Object) error {
	var size int64
	large := true
	for i, o := range of {
		size += o.Size
		large = large && (o.Size >= BucketPartSize || i == len(of)-1)
	}
	switch made, err := b.Stat(ctx, name); {
	case err == nil && made.Size == size: // it was done
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case large:
		err = b.compose(ctx, name, of)
		if err != nil {
			return err
		}
	default:
		if err := b.Put(ctx, name, size, &chain{ctx: ctx, bucket: b, of: of}); err != nil {
			return err
		}
	}
	for _, o := range of {
		if err := b.Remove(ctx, o.Name); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bucket) compose(ctx context.Context, name string, of []Object) error {
	sources := make([]minio.CopySrcOptions, len(of))
	for i, o := range of {
		sources[i] = minio.CopySrcOptions{Bucket: b.name, Object: o.Name}
	}
	_, err := b.core.Client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: b.name, Object: name}, sources...)
	return err
}

// chain reads objects one after the other.
type chain struct {
	ctx    context.Context
	bucket *Bucket
	of     []Object
	open   Reader
}

func (c *chain) Read(p []byte) (n int, err error) {
	for {
		if c.open == nil {
			if len(c.of) == 0 {
				return 0, io.EOF
			}
			if c.open, err = c.bucket.Open(c.ctx, c.of[0].Name); err != nil {
				return 0, err
			}
			c.of = c.of[1:]
		}
		if n, err = c.open.Read(p); n > 0 && err == io.EOF {
			err = nil // of this one
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		c.open.Close()
		c.open = nil
	}
}

// Remove removes objects.
func (b *Bucket) Remove(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := b.core.RemoveObject(ctx, b.name, name, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// ours are the names of what a server keeps. In a bucket there may be others'.
var ours = regexp.MustCompile(`^(uploads|pieces|openings|recordings)/(` + idPattern + `)([./]|$)`)

// Sweep aborts what a server has begun to put together and not finished in a day.
func (b *Bucket) Sweep(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for u := range b.core.Client.ListIncompleteUploads(ctx, b.name, "", true) {
		if u.Err != nil {
			return u.Err
		}
		if !ours.MatchString(u.Key) || time.Since(u.Initiated) < emptyFor {
			continue
		}
		if err := b.core.AbortMultipartUpload(ctx, b.name, u.Key, u.UploadID); err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchUpload {
			return err
		}
	}
	return nil
}

// toErrNotExist is an error that is fs.ErrNotExist, if the bucket has no such object.
func toErrNotExist(err error) error {
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// Place is where the page puts an object of that size and no other, for a while.
func (b *Bucket) Place(ctx context.Context, origin, name string, size int64) (string, error) {
	if !b.allows(ctx, origin) {
		return "", nil
	}
	headers := http.Header{"Content-Length": {strconv.FormatInt(size, 10)}}
	target, err := b.core.PresignHeader(ctx, http.MethodPut, b.name, name, 15*time.Minute, url.Values{}, headers)
	if err != nil {
		return "", err
	}
	return target.String(), nil
}

// allows tells whether the store takes parts from pages of an origin, as a browser would
// ask it before the first.
func (b *Bucket) allows(ctx context.Context, origin string) bool {
	if origin == "" {
		return false
	}
	if known, ok := b.origin.Load(origin); ok {
		return known.(bool)
	}
	target, err := b.core.PresignedPutObject(ctx, b.name, "asked", time.Minute)
	if err != nil {
		return false
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodOptions, target.String(), nil)
	if err != nil {
		return false
	}
	ask.Header.Set("Origin", origin)
	ask.Header.Set("Access-Control-Request-Method", http.MethodPut)
	answer, err := b.client.Do(ask)
	if err != nil {
		return false // and is asked again for the next part
	}
	answer.Body.Close()
	allowed := answer.Header.Get("Access-Control-Allow-Origin")
	ok := answer.StatusCode < 300 && (allowed == "*" || allowed == origin) &&
		strings.Contains(answer.Header.Get("Access-Control-Allow-Methods"), http.MethodPut)
	b.origin.Store(origin, ok)
	return ok
}
