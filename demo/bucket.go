package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucketPartSize is the least that S3 takes of a part that is not the last.
const bucketPartSize = 5 << 20

// bucket is a store: an S3-compatible one, with a multipart upload for each upload.
// Where it takes parts from the page itself, no media comes through here.
type bucket struct {
	core   minio.Core
	name   string
	client http.Client
	origin sync.Map // whether it takes parts from pages of an origin
}

// newBucket is a bucket at an endpoint, a URL, with the credentials of the environment:
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it has one, AWS_SESSION_TOKEN.
func newBucket(ctx context.Context, endpoint, name string) (*bucket, error) {
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, fmt.Errorf("-s3 is to be a URL, as https://s3.example.com, not %q", endpoint)
	}
	core, err := minio.NewCore(at.Host, &minio.Options{
		Creds:  credentials.NewEnvAWS(),
		Secure: at.Scheme == "https",
	})
	if err != nil {
		return nil, err
	}
	if ok, err := core.BucketExists(ctx, name); err != nil {
		return nil, fmt.Errorf("bucket %s at %s: %w", name, endpoint, err)
	} else if !ok {
		return nil, fmt.Errorf("there is no bucket %s at %s", name, endpoint)
	}
	return &bucket{core: *core, name: name, client: http.Client{Timeout: 5 * time.Second}}, nil
}

// key is of the object that the parts become, which is the recording unless that was
// repaired.
func (b *bucket) key(u *upload) string { return u.ID + "." + u.ending() }

func (b *bucket) repairedKey(u *upload) string { return u.ID + "-repaired." + u.ending() }

func (b *bucket) openingKey(u *upload) string { return u.ID + ".opening" }

func (b *bucket) begin(ctx context.Context, u *upload) (err error) {
	u.Multipart, err = b.core.NewMultipartUpload(ctx, b.name, b.key(u), minio.PutObjectOptions{ContentType: u.Type})
	return err
}

func (b *bucket) put(ctx context.Context, u *upload, number int, size int64, body io.Reader) error {
	_, err := b.core.PutObjectPart(ctx, b.name, b.key(u), u.Multipart, number, body, size, minio.PutObjectPartOptions{})
	if closed(err) {
		return refuse(http.StatusConflict, "this upload is being finished")
	}
	return err
}

func (b *bucket) putOpening(ctx context.Context, u *upload, size int64, body io.Reader) error {
	_, err := b.core.Client.PutObject(ctx, b.name, b.openingKey(u), body, size, minio.PutObjectOptions{DisableMultipart: true})
	return err
}

func (b *bucket) opening(ctx context.Context, u *upload) (io.ReaderAt, int64, error) {
	info, err := b.core.StatObject(ctx, b.name, b.openingKey(u), minio.StatObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return &object{ctx: ctx, bucket: b, key: b.openingKey(u), size: info.Size}, info.Size, nil
}

func (b *bucket) pieces(ctx context.Context, u *upload) ([]piece, error) {
	var pieces []piece
	for after := 0; ; {
		page, err := b.core.ListObjectParts(ctx, b.name, b.key(u), u.Multipart, after, 1000)
		if closed(err) && u.Pieces != nil {
			return u.Pieces, nil // it became an object, and something went wrong then
		}
		if err != nil {
			return nil, err
		}
		for _, p := range page.ObjectParts {
			pieces = append(pieces, piece{Number: p.PartNumber, Size: p.Size, etag: p.ETag})
		}
		if after = page.NextPartNumberMarker; !page.IsTruncated {
			return pieces, nil
		}
	}
}

func (b *bucket) join(ctx context.Context, u *upload, pieces []piece) error {
	parts := make([]minio.CompletePart, len(pieces))
	for i, p := range pieces {
		if p.etag == "" { // see pieces
			_, err := b.core.StatObject(ctx, b.name, b.key(u), minio.StatObjectOptions{})
			return err
		}
		parts[i] = minio.CompletePart{PartNumber: p.Number, ETag: p.etag}
	}
	_, err := b.core.CompleteMultipartUpload(ctx, b.name, b.key(u), u.Multipart, parts, minio.PutObjectOptions{ContentType: u.Type})
	return err
}

// extents makes an object of the pieces first, as parts of an unfinished upload cannot
// be read.
func (b *bucket) extents(ctx context.Context, u *upload, pieces []piece) ([]extent, error) {
	if len(pieces) == 0 {
		return nil, nil // of which no object can be made
	}
	if err := b.join(ctx, u, pieces); err != nil {
		return nil, err
	}
	var extents []extent
	object := &object{ctx: ctx, bucket: b, key: b.key(u)}
	for i, at := range u.places(pieces) {
		extents = append(extents, extent{at: at, size: pieces[i].Size, source: object, from: object.size})
		object.size += pieces[i].Size
	}
	return extents, nil
}

// object is read by ranges, a window at a time.
type object struct {
	ctx    context.Context
	bucket *bucket
	key    string
	size   int64
	window []byte
	at     int64 // of the window
}

func (o *object) ReadAt(p []byte, at int64) (int, error) {
	read := 0
	for read < len(p) && at < o.size {
		if at < o.at || at >= o.at+int64(len(o.window)) {
			if err := o.fetch(at); err != nil {
				return read, err
			}
		}
		n := copy(p[read:], o.window[at-o.at:])
		read += n
		at += int64(n)
	}
	if read < len(p) {
		return read, io.EOF
	}
	return read, nil
}

func (o *object) fetch(at int64) error {
	const most = 4 << 20
	if o.window == nil {
		o.window = make([]byte, 0, most)
	}
	end := min(at+most, o.size)
	var options minio.GetObjectOptions
	if err := options.SetRange(at, end-1); err != nil {
		return err
	}
	body, _, _, err := o.bucket.core.GetObject(o.ctx, o.bucket.name, o.key, options)
	if err != nil {
		return err
	}
	defer body.Close()
	o.window, o.at = o.window[:end-at], at
	if _, err := io.ReadFull(body, o.window); err != nil {
		o.window = o.window[:0] // of which nothing may be taken
		return err
	}
	return nil
}

func (b *bucket) write(ctx context.Context, u *upload, size int64, fill func(io.Writer) error) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(fill(w)) }()
	_, err := b.core.Client.PutObject(ctx, b.name, b.repairedKey(u), r, size, minio.PutObjectOptions{ContentType: u.Type, PartSize: 16 << 20})
	r.CloseWithError(errors.New("the store takes no more")) // so that fill ends
	return err
}

func (b *bucket) open(ctx context.Context, u *upload) (io.ReadSeekCloser, error) {
	key := b.key(u)
	if u.Repaired {
		key = b.repairedKey(u)
	}
	return b.core.Client.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
}

func (b *bucket) tidy(ctx context.Context, u *upload) error {
	if !u.Repaired {
		return b.delete(ctx, b.openingKey(u))
	}
	return errors.Join(b.abort(ctx, u), b.delete(ctx, b.openingKey(u), b.key(u)))
}

func (b *bucket) remove(ctx context.Context, u *upload) error {
	return errors.Join(b.abort(ctx, u), b.delete(ctx, b.openingKey(u), b.key(u), b.repairedKey(u)))
}

// abort ends a multipart upload, unless it has ended.
func (b *bucket) abort(ctx context.Context, u *upload) error {
	err := b.core.AbortMultipartUpload(ctx, b.name, b.key(u), u.Multipart)
	if closed(err) {
		return nil
	}
	return err
}

// delete deletes objects, of which some may not be there.
func (b *bucket) delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// closed tells whether a multipart upload has been completed or aborted.
func closed(err error) bool {
	return err != nil && minio.ToErrorResponse(err).Code == minio.NoSuchUpload
}

// allows tells whether the store takes parts from pages of an origin, as a browser would
// ask it before the first.
func (b *bucket) allows(ctx context.Context, origin string) bool {
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

// signed is where the page puts a part, or with number 0 the opening, of that size and no
// other, for a while.
func (b *bucket) signed(ctx context.Context, u *upload, number int, size int64) (string, error) {
	key, query := b.openingKey(u), url.Values{}
	if number > 0 {
		key, query = b.key(u), url.Values{"partNumber": {strconv.Itoa(number)}, "uploadId": {u.Multipart}}
	}
	headers := http.Header{"Content-Length": {strconv.FormatInt(size, 10)}}
	target, err := b.core.PresignHeader(ctx, http.MethodPut, b.name, key, 15*time.Minute, query, headers)
	if err != nil {
		return "", err
	}
	return target.String(), nil
}
