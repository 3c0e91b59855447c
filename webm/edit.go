package webm

import "github.com/webmend/webmend/ebml"

// An Edit changes a few bytes in the children of a cluster, none of them in
// size. The zero value changes nothing.
type Edit struct {
	Keys   []uint64    // tracks whose SimpleBlocks all get the key flag
	Void   bool        // Position, PrevSize and CRC-32 become Void
	Tracks [][2]uint64 // track numbers from and to
	Shift  int64       // ticks that are added to the timestamps of blocks; they must stay within 16 bits
}

//go:noinline
func (e *Edit) empty() bool {
	return len(e.Keys)+len(e.Tracks) == 0 && !e.Void && e.Shift == 0
}

// isLike tells whether another edit, or none, differs in nothing but Shift.
//
//go:noinline
func (e *Edit) isLike(other *Edit) bool {
	if e == nil || other == nil {
		return e == other
	}
	same := e.Void == other.Void && len(e.Keys) == len(other.Keys) && len(e.Tracks) == len(other.Tracks)
	for i := 0; same && i < len(e.Keys); i++ {
		same = e.Keys[i] == other.Keys[i]
	}
	for i := 0; same && i < len(e.Tracks); i++ {
		same = e.Tracks[i] == other.Tracks[i]
	}
	return same
}

// shifted is the edit with another Shift.
//
//go:noinline
func (e *Edit) shifted(shift int64) *Edit {
	if e.Shift == shift {
		return e
	}
	other := *e
	other.Shift = shift
	return &other
}

// A Patch is a byte to be changed.
type Patch struct {
	Offset int64
	Value  byte
}

// An Editor finds the bytes that an Edit changes. One goroutine at a time may use it.
type Editor struct {
	edit    *Edit
	scan    ebml.Scanner
	offset  int64
	patches []Patch
}

// editLen is how much of a block is looked at: its track, timestamp and flags.
const editLen = ebml.MaxVINTLen + 3

// patchDelay is how far behind the bytes that were pushed a patch can be, at
// most: the head of an element and of a block.
const patchDelay = ebml.MaxHeadLen + blockHeadLen

// Editor returns an editor of whole children of a cluster, of which the first
// begins at offset.
//
//go:noinline
func (e *Edit) Editor(offset int64) *Editor { return &Editor{edit: e, offset: offset} }

// reset makes the editor begin anew, with what it has allocated.
func (d *Editor) reset(edit *Edit, offset int64) {
	d.edit, d.offset = edit, offset
	d.scan.Reset(0)
}

// Push takes the next bytes, cut anywhere, and returns the patches that they tell
// of, in order; a patch can be of bytes pushed before. The slice is valid until
// the next call.
func (d *Editor) Push(chunk []byte) ([]Patch, error) {
	d.patches = d.patches[:0]
	d.scan.Push(chunk)
	for {
		if d.scan.Depth() == 0 && d.scan.ReadNext(IDSimpleBlock, editLen, 1<<62) {
			d.block(d.scan.Head(), d.scan.Data())
		}
		switch d.scan.Next() {
		case ebml.Start:
			h := d.scan.Head()
			if d.scan.Depth() > 0 { // in a BlockGroup
				if h.ID == IDBlock {
					d.scan.Read(editLen)
				}
				continue
			}
			switch h.ID {
			case IDBlockGroup:
				d.scan.Enter()
			case IDSimpleBlock:
				d.scan.Read(editLen)
			case IDPosition, IDPrevSize, ebml.IDCRC32:
				if d.edit.Void {
					d.patch(h.Offset, byte(ebml.IDVoid)) // their IDs are one octet too
				}
			}
		case ebml.Value:
			d.block(d.scan.Head(), d.scan.Data())
		case ebml.More:
			if d.scan.Err() != nil {
				return d.patches, scanError(&d.scan)
			}
			return d.patches, nil
		}
	}
}

// block patches the head of a SimpleBlock or Block.
func (d *Editor) block(h ebml.Head, data []byte) {
	b, n, ok := parseBlockHead(data)
	if !ok {
		return
	}
	at := h.DataOffset()
	width := n - 3
	for _, t := range d.edit.Tracks {
		if t[0] == b.track && t[0] != t[1] {
			for i, c := range ebml.AppendVINT(nil, t[1], width) {
				d.patch(at+int64(i), c)
			}
		}
	}
	at += int64(width)
	if d.edit.Shift != 0 {
		timestamp := int64(b.timestamp) + d.edit.Shift
		d.patch(at, byte(timestamp>>8))
		d.patch(at+1, byte(timestamp))
	}
	if h.ID == IDSimpleBlock && b.flags&flagKey == 0 {
		for _, t := range d.edit.Keys {
			if t == b.track {
				d.patch(at+2, data[n-1]|flagKey)
			}
		}
	}
}

//go:noinline
func (d *Editor) patch(at int64, value byte) {
	d.patches = append(d.patches, Patch{d.offset + at, value})
}
