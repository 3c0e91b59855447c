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
// # When something fails
//
// Whatever has no answer, or one of 408, 425, 429 or 5xx, is asked again, later. 404 to a request
// for an upload that was begun means that the server has lost it, as when it was emptied: begin
// again with the same id, and send all of it. Any other status from 400 on is final. A DELETE that
// is repeated is answered with 404. Completing takes as long as copying the recording once.
//
// An [http.Server] needs no WriteTimeout, which would cut off completions, repairs and downloads.
// The read deadlines of requests are set here, so what wraps the handler must let
// [http.ResponseController] through, by a method Unwrap. ReadHeaderTimeout and IdleTimeout are the
// server's to set.
//
// # What is kept
//
// A store has objects by name: uploads/ID.json is what is known of an upload, pieces/ID/00000001
// a part or segment, openings/ID an opening, and recordings/ID.webm a recording, or .mkv if it
// is Matroska. All of it is there: the server can be started again at any time. One server has
// a store to itself.
//
// Limits may be others at each start: an upload keeps the size of parts with which it was begun.
// In a folder, what is acknowledged is on the disk where the system lets a program ask for that:
// on Windows, the names of files are not. NFS is only as good as its server.
//
// # In a bucket
//
// The credentials must allow to get, put, list and delete objects, and to abort multipart uploads;
// without the right to list, S3 answers 403 and not 404 for what is not there. Pages put parts
// straight into the bucket if its CORS rules allow their origin to PUT. Such parts are counted for
// [Limits.Total] when the page is told where to put them, and measured once an hour. An address
// is good for 15 minutes: what comes under one after its upload was completed is removed when the
// server is started again, but what comes after its upload was deleted stays, and belongs to nobody.
//
// # Tidying up
//
// New removes what a server that was killed had been told to delete or had not removed yet, and
// uploads of which nothing had arrived a day after they were begun. In a bucket it aborts what
// it had begun to put together more than a day ago; a lifecycle rule with
// AbortIncompleteMultipartUpload does the same where no server is started for long.
package uploads
