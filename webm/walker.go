package webm

import "github.com/webmend/webmend/ebml"

// How much of an element's data a Walker gives. Of what is binary, which blocks are
// for the most part, one wants to see how it begins.
const (
	maxWalkData   = 256
	maxWalkBinary = 32
)

// An Element is one element of a stream as a Walker comes to it.
type Element struct {
	ebml.Head
	Level int    // 0 at the root
	Name  string // the specification's, or the ID as "0x1A2B" if it has none
	Type  Type   // 0 if the specification does not have the element
	Data  []byte // the first 256 bytes of its data, 32 if it is Binary, none of a master's; valid during the call only
}

// A Walker goes through every element of a stream, in the order of the stream,
// in the way of mkvinfo. Masters come before their children. One goroutine at a time may use
// it. The zero value is of no use: see [NewWalker].
type Walker struct {
	scan  ebml.Scanner
	begin beginning
	visit func(Element)
	err   *Error
}

// NewWalker returns a walker that calls visit for each element once its head,
// and what there is of Data, has been pushed. It stops where elements are nested
// deeper than maxDepth, which is [ebml.DefaultMaxDepth] if it is 0.
func NewWalker(maxDepth int, visit func(Element)) *Walker {
	w := &Walker{visit: visit}
	w.scan.MaxDepth = maxDepth
	w.scan.Ends = endsUnknown
	return w
}

// Push takes the next bytes of the stream, cut anywhere. Its error is an
// [*Error] and final.
func (w *Walker) Push(chunk []byte) error {
	if w.err != nil {
		return w.err
	}
	var held []byte
	held, w.err = w.begin.push(chunk)
	if w.begin.short {
		w.begin.short = false
		w.scan.Reset(-1) // as Splitter.readShort does
		w.scan.Push([]byte(ebmlMagic[:1]))
		w.run()
	}
	for _, bytes := range [...][]byte{held, chunk} {
		if w.err == nil && w.begin.known {
			w.scan.Push(bytes)
			w.run()
		}
	}
	return errorOrNil(w.err)
}

// Finish ends the stream. Its error is an [*Error] if that cuts an element short.
func (w *Walker) Finish() error {
	if w.err == nil {
		if w.err = w.begin.finish(); w.err == nil {
			w.scan.Finish()
			w.run()
		}
	}
	return errorOrNil(w.err)
}

// run takes the scanner's tokens as far as the bytes go.
func (w *Walker) run() {
	for {
		switch w.scan.Next() {
		case ebml.Start:
			switch _, typ, _ := Lookup(w.scan.Head().ID); typ {
			case Master:
				w.tell(typ, nil)
				w.scan.Enter()
			case Binary:
				w.scan.Read(maxWalkBinary)
			default:
				w.scan.Read(maxWalkData)
			}
		case ebml.Value:
			_, typ, _ := Lookup(w.scan.Head().ID)
			w.tell(typ, w.scan.Data())
		case ebml.More:
			if w.scan.Err() != nil {
				w.err = scanError(&w.scan)
			}
			return
		}
	}
}

func (w *Walker) tell(typ Type, data []byte) {
	h := w.scan.Head()
	h.Offset = max(0, h.Offset)
	w.visit(Element{Head: h, Level: w.scan.Depth(), Name: elementName(h.ID), Type: typ, Data: data})
}
