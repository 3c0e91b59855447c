// Package uploads takes recordings while they are made, over HTTP, and keeps them in a folder
// or in an S3-compatible bucket. What it has acknowledged survives the end of its process and
// of the machine's power, and a client may repeat any request whose answer it did not get.
//
//	store, err := uploads.OpenFolder("data")
//	server, err := uploads.New(ctx, store, uploads.Options{Owner: whoIs})
//	mux.Handle("/uploads", server)
//	mux.Handle("/uploads/", server)
//
// # Protocol
//
//	POST   /uploads                         begins one: {"kind": "parts" or "segments", "type": …}
//	GET    /uploads                         lists all, finished or not, the newest first
//	GET    /uploads/{id}                    says what has arrived of one
//	POST   /uploads/{id}/parts/{number}     says where to put a part of a {"size": …}
//	PUT    /uploads/{id}/parts/{number}     takes a part, 1 for the first, in any order and as often as it comes
//	POST   /uploads/{id}/opening            says where to put the opening
//	PUT    /uploads/{id}/opening            takes it: as many bytes of the beginning as a part has, as recorded
//	PUT    /uploads/{id}/segments/{number}  takes the next segment, 0 for the header, with its Segment-Offset and Segment-CRC32
//	POST   /uploads/{id}/complete           makes the recording of all {"count": …} of them
//	POST   /uploads/{id}/repair             makes one in which players can seek of what has arrived
//	GET    /uploads/{id}/file               the recording
//	DELETE /uploads/{id}
//
// What is begun has an id of the server's, or the client's own: {"id": …}, a UUID. A client
// whose answer was lost begins again with the same id, and finds the upload that it has begun.
//
// Of an upload of parts all but the last have as many bytes as partSize in the answer says, or
// as the client has asked for with {"partSize": …}. A client that fills in the first part at the
// end sends the opening, which a repair takes in its place. A part may be put again, and
// replaces the one with its number, unless it is shorter: what was acknowledged never becomes
// less. A segment that comes again is ignored, and refused if it is another.
//
// A recording that is still arriving is not repaired: for [Limits.Quiet] after its last piece
// that is refused with 409, unless the client says {"ended": true}, as one may that has begun
// it and knows that nothing sends any more. A repair changes nothing until it has succeeded.
//
// What is refused is answered with a status from 400 on and {"error": …}, which says why, and
// {"missing": […]} if it is for want of these pieces. Pages of other origins are refused.
//
// # What is kept
//
// A store has objects by name: uploads/ID.json is what is known of an upload, pieces/ID/00000001
// a part or segment, openings/ID an opening, and recordings/ID.webm a recording, or .mkv if it
// is Matroska. All of it is there: the server can be started again at any time. One server has
// a store to itself.
//
// New removes what a server that was killed had been told to delete or had not removed yet, and
// uploads of which nothing had arrived a day after they were begun. In a bucket it aborts what
// it had begun to put together more than a day ago; a lifecycle rule with
// AbortIncompleteMultipartUpload does the same where no server is started for long.
package uploads
