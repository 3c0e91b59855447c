package uploads_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/webmend/webmend/demo/uploads"
)

// A server that takes recordings from whoever has a login. A page of its own, from static,
// uploads them as the demo's page does.
func Example() {
	passwords := map[string]string{"anna": os.Getenv("ANNAS_PASSWORD")}
	whoIs := func(r *http.Request) (owner string, err error) {
		name, password, _ := r.BasicAuth()
		if password == "" || passwords[name] != password {
			return "", errors.New("log in first")
		}
		return name, nil
	}
	store, err := uploads.OpenFolder("recordings")
	if err != nil {
		log.Fatal(err)
	}
	server, err := uploads.New(context.Background(), store, uploads.Options{
		Owner:  whoIs,
		Limits: uploads.Limits{Total: 100 << 30},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/uploads", server)
	http.Handle("/uploads/", server)
	http.Handle("/", http.FileServer(http.Dir("static")))
	log.Fatal(http.ListenAndServeTLS(":443", "cert.pem", "key.pem", nil))
}
