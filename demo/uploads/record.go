package uploads

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Facts are what is told of an upload.
type Facts struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"` // "parts" or "segments"
	Type     string    `json:"type"` // the media type, with codecs if they are known
	PartSize int64     `json:"partSize,omitempty"`
	Began    time.Time `json:"began"`
	Last     time.Time `json:"last,omitzero"`      // when its last piece came
	Live     bool      `json:"live,omitempty"`     // whether more may be on its way: see Limits.Quiet
	Done     bool      `json:"done"`               // whether there is a recording
	Size     int64     `json:"size"`               // bytes of what has arrived, or of the recording once that is done
	Repaired bool      `json:"repaired,omitempty"` // whether the recording was made of what had arrived
	Duration float64   `json:"duration,omitempty"` // seconds of what was repaired
	Dropped  int64     `json:"dropped,omitempty"`  // bytes that were missing then, or of no use
	Pieces   []Piece   `json:"pieces,omitempty"`
	Error    string    `json:"error,omitempty"` // in a list, why there is no more of it
}

// A Piece is a part or a segment that has arrived.
type Piece struct {
	Number int   `json:"number"`
	Size   int64 `json:"size"` // bytes
}

// An upload is what is kept of one besides its media.
type upload struct {
	Facts
	Owner   string  `json:"owner,omitempty"`
	Joining []Piece `json:"joining,omitempty"` // of what a recording is being made, since which nothing more is taken
	Deleted bool    `json:"deleted,omitempty"` // whether all of it is to go

	size int64 // bytes of this in the store
}

const (
	maxParts    = 10_000 // as S3 has it
	maxSegments = 1_000_000
)

// ids are what rand.Text gives, and UUIDs.
var ids = regexp.MustCompile(`^(` + idPattern + `)$`)

const idPattern = `[A-Z2-7]{26}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`

// mediaTypes are those of recordings, with the ends of their files' names.
var mediaTypes = map[string]string{
	"video/webm": "webm", "audio/webm": "webm",
	"video/x-matroska": "mkv", "audio/x-matroska": "mkv", "video/matroska": "mkv", "audio/matroska": "mkv",
}

// newUpload is one that a client wants to begin.
func (s *Server) newUpload(id, kind, mediaType string, partSize int64) (*upload, error) {
	if id == "" {
		id = rand.Text()
	} else if !ids.MatchString(id) {
		return nil, refuse(http.StatusBadRequest, "an id is a UUID in lower case, not %q", id)
	}
	if kind != "parts" && kind != "segments" {
		return nil, refuse(http.StatusBadRequest, `the kind of an upload is "parts" or "segments", not %q`, kind)
	}
	mediaType, err := recorded(mediaType)
	if err != nil {
		return nil, err
	}
	if kind == "segments" {
		partSize = 0
	} else if set(&partSize, s.limits.PartSize); partSize < s.limits.PartSize || partSize > s.limits.MaxPart {
		return nil, refuse(http.StatusBadRequest, "parts have from %d to %d bytes, not %d", s.limits.PartSize, s.limits.MaxPart, partSize)
	}
	began := time.Now().UTC().Truncate(time.Second)
	return &upload{Facts: Facts{ID: id, Kind: kind, Type: mediaType, PartSize: partSize, Began: began, Live: true}}, nil
}

// recorded is a media type without what recorders do not say.
func recorded(text string) (string, error) {
	mediaType, parameters, err := mime.ParseMediaType(text)
	if err != nil || mediaTypes[mediaType] == "" {
		return "", refuse(http.StatusUnsupportedMediaType, "recordings are WebM or Matroska, not %q", text)
	}
	if codecs := parameters["codecs"]; codecs != "" {
		return mime.FormatMediaType(mediaType, map[string]string{"codecs": codecs}), nil
	}
	return mediaType, nil
}

// isLike tells whether one that was begun is what another request wants to begin, with parts of
// a size if it wants one.
func (u *upload) isLike(o *upload, partSize int64) bool {
	return u.Owner == o.Owner && u.Kind == o.Kind && u.Type == o.Type && (partSize == 0 || u.PartSize == partSize)
}

// The names of what is kept of an upload.
func (u *upload) recordingName() string      { return "recordings/" + u.ID + "." + u.extension() }
func recordName(id string) string            { return "uploads/" + id + ".json" }
func piecesOf(id string) string              { return "pieces/" + id + "/" }
func pieceName(id string, number int) string { return fmt.Sprintf("%s%08d", piecesOf(id), number) }
func openingName(id string) string           { return "openings/" + id }

// extension is that of the recording's file.
func (u *upload) extension() string {
	mediaType, _, _ := mime.ParseMediaType(u.Type)
	return mediaTypes[mediaType]
}

// idOf is whose record has a name.
func idOf(name string) (id string, ok bool) {
	id = strings.TrimSuffix(path.Base(name), ".json")
	return id, ids.MatchString(id) && name == recordName(id)
}

// ownerOf is whose the uploads of a request are.
func (s *Server) ownerOf(r *http.Request) (string, error) {
	if s.owner == nil {
		return "", nil
	}
	owner, err := s.owner(r)
	if no := new(Refusal); err != nil && !errors.As(err, &no) {
		err = refuse(http.StatusUnauthorized, "%v", err)
	}
	return owner, err
}

var errUnknown = refuse(http.StatusNotFound, "there is no such upload")

// errBroken says that what was kept of an upload cannot be read.
var errBroken = errors.New("is not what this server writes")

func isUnknown(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errUnknown) }

// load reads what is kept of an upload. Without an error the request's owner owns it.
func (s *Server) load(r *http.Request, id string) (*upload, error) {
	owner, err := s.ownerOf(r)
	if err != nil {
		return nil, err
	}
	u, err := s.read(r.Context(), id)
	if isUnknown(err) || err == nil && (u.Owner != owner || u.Deleted) {
		return nil, errUnknown
	}
	return u, err
}

// read reads what is kept of an upload.
func (s *Server) read(ctx context.Context, id string) (*upload, error) {
	if !ids.MatchString(id) {
		return nil, errUnknown
	}
	data, err := s.readAll(ctx, recordName(id))
	if err != nil && !isUnknown(err) {
		data, err = s.readAll(ctx, recordName(id)) // a bucket refuses what is replaced meanwhile
	}
	if err != nil {
		return nil, err
	}
	u := &upload{size: int64(len(data))}
	if json.Unmarshal(data, u) != nil || u.ID != id {
		return nil, fmt.Errorf("%s %w", recordName(id), errBroken)
	}
	return u, nil
}

func (s *Server) readAll(ctx context.Context, name string) ([]byte, error) {
	file, err := s.store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func (s *Server) save(ctx context.Context, u *upload) error {
	data, err := json.Marshal(u)
	if err != nil {
		return err
	}
	size := int64(len(data))
	err = s.store.Put(ctx, recordName(u.ID), size, bytes.NewReader(data))
	size = s.sizeAfter(recordName(u.ID), size, err)
	s.room.free(u.size - size)
	u.size = size
	return err
}

// facts are those of an upload by now.
func (s *Server) facts(ctx context.Context, u *upload) (Facts, error) {
	told := u.Facts
	if u.Done {
		told.Live = false
		return told, nil
	}
	pieces, last, err := s.pieces(ctx, u)
	if err != nil {
		return told, err
	}
	told.Pieces, told.Last = pieces, last
	told.Live = time.Since(later(u.Began, last)) < s.limits.Quiet && u.Joining == nil
	for _, p := range pieces {
		told.Size += p.Size
	}
	if u.begins(pieces) {
		return told, nil
	}
	opening, err := s.sizeOf(ctx, openingName(u.ID))
	told.Size += opening
	return told, err
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// pieces are what has arrived, by number, and when the last came.
func (s *Server) pieces(ctx context.Context, u *upload) (pieces []Piece, last time.Time, err error) {
	if u.Joining != nil {
		return u.Joining, last, nil
	}
	objects, err := s.store.List(ctx, piecesOf(u.ID))
	for _, o := range objects {
		if number, err := strconv.Atoi(path.Base(o.Name)); err == nil {
			pieces = append(pieces, Piece{number, o.Size})
			last = later(last, o.Modified).UTC()
		}
	}
	slices.SortFunc(pieces, func(a, b Piece) int { return a.Number - b.Number })
	return pieces, last, err
}

// begins tells whether pieces are all that there can be of the beginning: otherwise the
// opening stands in for it.
func (u *upload) begins(pieces []Piece) bool {
	return u.Kind == "segments" || len(pieces) > 0 && pieces[0].Number == 1
}

// sizeOf is how many bytes an object has, and 0 if there is none.
func (s *Server) sizeOf(ctx context.Context, name string) (int64, error) {
	object, err := s.store.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return object.Size, err
}

// takes says whether an upload takes more of a kind.
func (u *upload) takes(kind string) error {
	switch {
	case u.Kind != kind:
		return refuse(http.StatusConflict, "this upload is of %s", u.Kind)
	case u.Done, u.Joining != nil:
		return refuse(http.StatusConflict, "this upload is finished")
	}
	return nil
}
