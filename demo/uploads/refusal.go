package uploads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"syscall"
	"time"
)

// A Refusal is why a request is not done: an error that [Options.Owner] can return, too.
type Refusal struct {
	Status  int    `json:"-"` // of HTTP, from 400 on
	Reason  string `json:"error"`
	Missing []int  `json:"missing,omitempty"` // the numbers of pieces that are wanted first
}

func (r *Refusal) Error() string { return r.Reason }

func refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// tellError answers with what went wrong, as far as it is the client's to know.
func tellError(w http.ResponseWriter, r *http.Request, err error) {
	var no *Refusal
	switch {
	case errors.As(err, &no):
	case errors.Is(err, os.ErrDeadlineExceeded):
		no = &Refusal{Status: http.StatusRequestTimeout, Reason: "the request came too slowly"}
	case errors.Is(err, context.DeadlineExceeded):
		log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
		no = &Refusal{Status: http.StatusServiceUnavailable, Reason: "the store does not answer: try again later"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		no = &Refusal{Status: http.StatusInsufficientStorage, Reason: "the disk is full"}
	case errors.Is(err, fs.ErrNotExist):
		no = &Refusal{Status: http.StatusNotFound, Reason: "there is no such upload any more"}
	default:
		log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
		no = &Refusal{Status: http.StatusInternalServerError, Reason: "the server failed; its log says why"}
	}
	no.ServeHTTP(w, r)
}

// ServeHTTP answers with the refusal, whatever the request.
func (r *Refusal) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	answer(w, r.Status, r)
}

func answer(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}

// read reads what a request asks for. One without a body asks for nothing in particular.
func read(w http.ResponseWriter, r *http.Request, asked any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 10_000))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(asked); err != nil && !(err == io.EOF && r.ContentLength == 0) {
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			return refuse(http.StatusRequestEntityTooLarge, "that is too much to ask for")
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		return refuse(http.StatusBadRequest, "the request is not understood: %v", err)
	}
	return http.NewResponseController(w).SetReadDeadline(time.Time{}) // what is asked for may take its time
}
