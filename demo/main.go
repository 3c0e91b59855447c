// Command demo serves a page that records the camera, the microphone, the screen
// or a drawn scene, and plays, clips and saves what is recorded while it is. What the
// page uploads meanwhile is kept in a folder or an S3-compatible store.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/webmend/webmend/demo/uploads"
)

//go:embed page
var files embed.FS

const defaultAddr = "127.0.0.1:8080"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// errUsage says that the flags are wrong, which package flag has told already.
var errUsage = errors.New("wrong usage")

// run serves until the context is done.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "", "the `address` to listen on (default "+defaultAddr+", or a free port if that is taken)")
	dist := flags.String("dist", "js/dist", "the `folder` of the built package")
	data := flags.String("data", "data", "the `folder` of what is uploaded")
	s3 := flags.String("s3", "", "the `URL` of an S3-compatible store, to which parts go then; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are its keys")
	name := flags.String("bucket", "", "the `name` of the bucket there")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage
	}
	if err := checkDist(*dist); err != nil {
		return err
	}
	if (*s3 == "") != (*name == "") {
		return errors.New("-s3 and -bucket go together")
	}
	store, limits, err := openStore(ctx, *data, *s3, *name)
	if err != nil {
		return err
	}
	server, err := uploads.New(ctx, store, uploads.Options{Limits: limits})
	if err != nil {
		return err
	}
	listener, err := listen(*addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "The demo is at %s (stop it with Ctrl-C)\n", address(listener))
	return serve(ctx, listener, handler(os.DirFS(*dist), server))
}

// openStore opens the bucket or, if none is named, the folder. The credentials of a bucket are
// those of the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it has one,
// AWS_SESSION_TOKEN.
func openStore(ctx context.Context, folder, endpoint, bucket string) (store uploads.Store, limits uploads.Limits, err error) {
	if endpoint == "" {
		store, err = uploads.OpenFolder(folder)
		return store, limits, err
	}
	at, err := url.Parse(endpoint)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, limits, fmt.Errorf("-s3 is to be a URL, as https://s3.example.com, not %q", endpoint)
	}
	client, err := minio.New(at.Host, &minio.Options{Creds: credentials.NewEnvAWS(), Secure: at.Scheme == "https"})
	if err != nil {
		return nil, limits, err
	}
	limits.PartSize = uploads.BucketPartSize
	store, err = uploads.NewBucket(ctx, client, bucket)
	return store, limits, err
}

// checkDist says what to do where the package has not been built.
func checkDist(dist string) error {
	for _, name := range []string{"index.js", "webmend.wasm"} {
		file := path.Join(dist, name)
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%s is not there: run `make build` first, or say with -dist where it is (%w)", file, err)
		}
	}
	return nil
}

// listen takes the address asked for or, where none was, the usual one or a free port.
func listen(addr string) (net.Listener, error) {
	if addr != "" {
		return net.Listen("tcp", addr)
	}
	listener, err := net.Listen("tcp", defaultAddr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return listener, err
}

// address is what to open in a browser. Cameras are only had from a secure
// context, so an address that means every interface is told as this machine's own.
func address(listener net.Listener) string {
	tcp := listener.Addr().(*net.TCPAddr)
	if tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d/", tcp.Port)
	}
	return "http://" + tcp.String() + "/"
}

// serve answers requests until the context is done.
func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

// handler serves the page at /, the built package at /dist/ and what is uploaded at /uploads.
func handler(dist fs.FS, uploads http.Handler) http.Handler {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the name is a constant
	}
	read := http.NewServeMux()
	read.Handle("GET /", http.FileServerFS(page))
	read.Handle("GET /dist/", noListing(http.StripPrefix("/dist", http.FileServerFS(dist))))
	mux := http.NewServeMux()
	mux.Handle("/", read)
	mux.Handle("/uploads", hereOnly(uploads))
	mux.Handle("/uploads/", hereOnly(uploads))
	return fresh(typed(framed(mux)))
}

// hereOnly refuses requests under another name than this machine's own. A page of
// elsewhere whose name was made to mean this machine would count as of the same origin.
func hereOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" {
			no := uploads.Refusal{
				Status: http.StatusMisdirectedRequest,
				Reason: fmt.Sprintf("uploads are taken under an IP address or localhost, not under %q", host),
			}
			no.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// framed keeps pages of elsewhere from showing this one in a frame of theirs.
func framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'self'")
		next.ServeHTTP(w, r)
	})
}

// noListing keeps the names of a folder's files to itself.
func noListing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// types says what the system's own table may have wrong, and browsers insist on.
var types = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".wasm": "application/wasm",
	".map":  "application/json",
}

func typed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := types[path.Ext(r.URL.Path)]; t != "" {
			w.Header().Set("Content-Type", t)
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// fresh has browsers ask each time, so that a rebuilt package is the one in use.
func fresh(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}
