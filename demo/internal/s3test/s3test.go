//go:build s3

// Package s3test has an S3-compatible store for tests: versitygw, which `make test-s3` builds.
package s3test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Bucket is the name of the bucket of each store.
const Bucket = "recordings"

// The keys of each store.
const Access, Secret = "access", "secret"

// A Store is one that runs.
type Store struct {
	*minio.Client
	t       testing.TB
	gateway string
	address string
	folder  string
	origin  string
	process *exec.Cmd
}

// Start starts a store that takes objects from pages of an origin. It ends with the test.
func Start(t testing.TB, gateway, origin string) *Store {
	t.Helper()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{t: t, gateway: gateway, address: taken.Addr().String(), folder: t.TempDir(), origin: origin}
	taken.Close()
	if err := os.Mkdir(filepath.Join(s.folder, Bucket), 0o755); err != nil {
		t.Fatal(err)
	}
	s.Client, err = minio.New(s.address, &minio.Options{Creds: credentials.NewStaticV4(Access, Secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	s.Run()
	t.Cleanup(s.Stop)
	return s
}

// URL is where the store is.
func (s *Store) URL() string { return "http://" + s.address }

// Run has the store run, with what it had when it was stopped.
func (s *Store) Run() {
	s.t.Helper()
	s.process = exec.Command(s.gateway, "--port", s.address, "--access", Access, "--secret", Secret, "--cors-allow-origin", s.origin, "--quiet", "posix", s.folder)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		ok, err := s.BucketExists(ctx, Bucket)
		if ok {
			return
		}
		if ctx.Err() != nil {
			s.t.Fatal(err)
		}
	}
}

// Stop kills the store.
func (s *Store) Stop() {
	s.process.Process.Kill()
	s.process.Wait()
}
