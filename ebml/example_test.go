package ebml_test

import (
	"fmt"

	"github.com/webmend/webmend/ebml"
)

// A document is written, cut in the middle of an element, and read.
func ExampleScanner() {
	header := ebml.AppendUint(nil, ebml.IDEBMLVersion, 1)
	header = ebml.AppendString(header, ebml.IDDocType, "webm")
	document := ebml.AppendBinary(nil, ebml.IDEBML, header)
	document = ebml.AppendBinary(document, ebml.IDVoid, make([]byte, 100))

	var s ebml.Scanner
	for _, chunk := range [][]byte{document[:14], document[14:]} {
		s.Push(chunk)
		for kind := s.Next(); kind != ebml.More; kind = s.Next() {
			h := s.Head()
			switch kind {
			case ebml.Start:
				fmt.Printf("%*s%X at %d has %d bytes\n", 2*s.Depth(), "", h.ID, h.Offset, h.Size)
				switch h.ID {
				case ebml.IDEBML:
					s.Enter()
				case ebml.IDDocType:
					s.Read(100)
				}
			case ebml.Value:
				fmt.Printf("%*s= %q\n", 2*s.Depth(), "", ebml.ParseString(s.Data()))
			case ebml.End:
				fmt.Printf("%*s%X ends at %d\n", 2*s.Depth(), "", h.ID, s.EndOffset())
			}
		}
	}
	s.Finish()
	s.Next()
	if err := s.Err(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1A45DFA3 at 0 has 11 bytes
	//   4286 at 5 has 1 bytes
	//   4286 ends at 9
	//   4282 at 9 has 4 bytes
	//   = "webm"
	//   4282 ends at 16
	// 1A45DFA3 ends at 16
	// EC at 16 has 100 bytes
	// EC ends at 118
}
