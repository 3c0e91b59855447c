// Package ebml reads and writes EBML, the Extensible Binary Meta Language of
// RFC 8794, and knows nothing of Matroska or WebM.
//
// An EBML document is a tree of elements. An element is a head followed by
// data: the head is an Element ID and an Element Data Size, both VINTs
// (variable-size integers, RFC 8794 §4). The data of a Master Element is more
// elements; that of any other is an integer, a float, a string or bytes.
// Which IDs are masters, and what they mean, is for the document type to say.
//
// [Scanner] is the heart of the package: bytes cut anywhere go in through
// Push, and tokens for the start, the value and the end of each element come
// out of Next. It looks only at heads and at the values it is asked for, keeps
// at most those bytes between pushes, and steps over everything else.
//
// All offsets are bytes from the start of the stream.
package ebml
