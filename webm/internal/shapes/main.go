// Command shapes writes a stream that is made to cost much, for the tests of what is built
// of webm: shapes NAME SIZE. Without arguments it lists the names.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/webmend/webmend/webm/internal/webmtest"
)

func main() {
	if len(os.Args) == 1 {
		for _, shape := range webmtest.Shapes {
			fmt.Println(shape.Name)
		}
		return
	}
	size, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	for _, shape := range webmtest.Shapes {
		if shape.Name != os.Args[1] {
			continue
		}
		for chunk := range shape.Stream(size) {
			if _, err := os.Stdout.Write(chunk); err != nil {
				log.Fatal(err)
			}
		}
		return
	}
	log.Fatalf("there is no shape %q", os.Args[1])
}
