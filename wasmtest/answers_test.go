package wasmtest

// What the module must answer, by package webm: the same JSON, written a second
// time and apart from wasm/json.go, which encoding/json would have made too large.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/webmend/webmend/webm"
)

// A value is JSON as encoding/json decodes it.
type (
	value  = any
	object = map[string]value
	array  = []value
)

// A job is a stream for a build to take apart, in chunks of these sizes.
type job struct {
	Path  string `json:"path"`
	Sizes []int  `json:"sizes"`
	data  []byte
}

// expectedTranscript is all that there is to see of a stream while it is split:
// what came out after which byte, the error that stopped it, and the report.
func expectedTranscript(j job) value {
	s := webm.NewSplitter(webm.Options{})
	steps := array{}
	var failed value
	pushed := 0
	take := func() {
		headers, clusters := array{}, array{}
		for h, ok := s.TakeHeader(); ok; h, ok = s.TakeHeader() {
			headers = append(headers, headerAnswer(h))
		}
		for c := range s.TakeClusters() {
			clusters = append(clusters, clusterAnswer(c, s.Report().Recordings[c.Recording].Header))
		}
		if len(headers)+len(clusters) > 0 {
			steps = append(steps, object{"pushed": float64(pushed), "headers": headers, "clusters": clusters})
		}
	}
	rest := j.data
	for _, n := range j.Sizes {
		err := s.Push(rest[:n])
		rest = rest[n:]
		pushed += n
		if err != nil && failed == nil {
			failed = object{"pushed": float64(pushed), "error": errorAnswer(asError(err))}
		}
		take()
	}
	report, err := s.Finish()
	take()
	return object{"steps": steps, "failed": failed, "report": reportAnswer(report, asError(err))}
}

// expectedElements is what a stream of kind 1 says of the bytes.
func expectedElements(data []byte) (elements array, problem value) {
	elements = array{}
	w := webm.NewWalker(0, func(e webm.Element) {
		elements = append(elements, object{
			"name": e.Name, "type": e.Type.String(), "id": float64(e.ID), "level": float64(e.Level),
			"offset": float64(e.Offset), "headLength": float64(e.Len), "size": float64(e.Size), "data": hex.EncodeToString(e.Data),
		})
	})
	if err := w.Push(data); err != nil {
		return elements, errorAnswer(asError(err))
	}
	return elements, errorAnswer(asError(w.Finish()))
}

// planAnswer is what takePlan says of a plan, and literals what takeLiterals gives.
func planAnswer(p *webm.Plan) (answer object, literals []byte) {
	pieces := array{}
	for piece := range p.Pieces() {
		if piece.Data != nil {
			literals = append(literals, piece.Data...)
			pieces = append(pieces, array{float64(len(piece.Data))})
		} else {
			pieces = append(pieces, array{float64(piece.Source), float64(piece.Start), float64(piece.End), piece.Edit != nil})
		}
	}
	return object{
		"mimeType": p.MimeType, "size": float64(p.Size), "start": seconds(p.Start), "end": seconds(p.End), "next": 0.0, "pieces": pieces,
	}, literals
}

func asError(err error) *webm.Error {
	var e *webm.Error
	errors.As(err, &e)
	return e
}

func errorAnswer(e *webm.Error) value {
	if e == nil {
		return nil
	}
	return object{"code": string(e.Code), "offset": float64(e.Offset), "path": e.Path, "message": e.Error()}
}

func rangeAnswer(r webm.Range) object {
	return object{"start": float64(r.Start), "end": float64(r.End)}
}

func headerAnswer(h webm.Header) value {
	o := factsAnswer(h)
	maps.Copy(o, rangeAnswer(h.Range))
	o["recordingIndex"] = float64(h.Recording)
	return o
}

func factsAnswer(h webm.Header) object {
	tracks := array{}
	for _, t := range h.Tracks {
		o := object{
			"number": float64(t.Number), "type": t.Type.String(), "codecId": t.CodecID, "codec": t.Codec,
			"name": t.Name, "language": t.Language,
			"codecDelay": seconds(int64(t.CodecDelay)), "seekPreRoll": seconds(int64(t.SeekPreRoll)),
			"defaultDuration": seconds(int64(t.DefaultDuration)),
		}
		switch t.Type {
		case webm.Video:
			o["width"], o["height"], o["alpha"] = float64(t.Width), float64(t.Height), t.AlphaMode
		case webm.Audio:
			o["sampleRate"], o["channels"], o["bitDepth"] = t.SampleRate, float64(t.Channels), float64(t.BitDepth)
		}
		tracks = append(tracks, o)
	}
	return object{
		"mimeType": h.MimeType(), "docType": h.DocType, "muxingApp": h.MuxingApp, "writingApp": h.WritingApp,
		"timestampScale": float64(h.TimestampScale), "tracks": tracks,
	}
}

func clusterAnswer(c webm.Cluster, h webm.Header) value {
	o := rangeAnswer(c.Range)
	o["recordingIndex"] = float64(c.Recording)
	o["timestamp"], o["time"] = float64(c.Timestamp), seconds(c.Timestamp*h.TimestampScale)
	o["duration"] = seconds(c.Duration)
	o["sizeKnown"], o["cut"], o["fragment"], o["beginsWithKeyFrame"] = c.Known, c.Cut, c.Fragment, c.BeginsWithKeyFrame()
	o["form"], o["fromZero"] = formAnswer(c.Form()), formAnswer(c.FormAt(0))
	o["blocks"], o["keyframes"] = float64(c.Blocks), float64(c.Entries(h.Tracks))
	tracks := array{}
	for _, t := range c.Tracks {
		tracks = append(tracks, object{"number": float64(t.Number), "blocks": float64(t.Blocks), "keyframes": float64(t.KeyFrames)})
	}
	o["tracks"] = tracks
	return o
}

func formAnswer(head []byte, data webm.Range, edit *webm.Edit) value {
	o := rangeAnswer(data)
	o["head"], o["edit"] = hex.EncodeToString(head), edit != nil
	return o
}

func reportAnswer(r webm.Report, err *webm.Error) value {
	recordings, other, dropped := array{}, array{}, array{}
	for _, rec := range r.Recordings {
		o := factsAnswer(rec.Header)
		o["header"], o["duration"] = rangeAnswer(rec.Header.Range), seconds(rec.Duration)
		o["clusters"], o["repeated"] = float64(rec.NumClusters), float64(rec.Repeated)
		recordings = append(recordings, o)
	}
	for _, r := range r.Other {
		other = append(other, rangeAnswer(r))
	}
	for _, d := range r.Dropped {
		o := rangeAnswer(d.Range)
		o["reason"], o["before"], o["after"] = errorAnswer(d.Reason), seconds(d.Before), nil
		if d.After >= 0 {
			o["after"] = seconds(d.After)
		}
		dropped = append(dropped, o)
	}
	gaps := array{}
	for _, g := range r.Gaps {
		tracks := array{}
		for _, number := range g.Tracks {
			tracks = append(tracks, float64(number))
		}
		gaps = append(gaps, object{"recordingIndex": float64(g.Recording), "tracks": tracks,
			"start": seconds(g.Start), "end": seconds(g.End), "offset": float64(g.Offset), "boundary": g.Boundary})
	}
	undecodable := array{}
	for _, u := range r.Undecodable {
		undecodable = append(undecodable, object{"reason": string(u.Reason), "recordingIndex": float64(u.Recording), "track": float64(u.Track), "frames": float64(u.Frames),
			"start": float64(u.Start) / 1e9, "end": float64(u.End) / 1e9, "offset": float64(u.Offset)})
	}
	return object{"bytes": float64(r.Bytes), "recordings": recordings, "other": other, "dropped": dropped, "gaps": gaps, "undecodable": undecodable,
		"unlisted": float64(r.Unlisted), "error": errorAnswer(err)}
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// compare tells where an answer differs from what it must be.
func compare(t testing.TB, got, want value) {
	t.Helper()
	all := differences("", got, want)
	for _, d := range all[:min(len(all), 10)] {
		t.Error(d)
	}
	if len(all) > 10 {
		t.Errorf("and %d more differences", len(all)-10)
	}
}

func differences(path string, got, want value) (all []string) {
	switch want := want.(type) {
	case object:
		if got, ok := got.(object); ok {
			for _, key := range slices.Sorted(maps.Keys(want)) {
				if _, ok := got[key]; !ok {
					all = append(all, fmt.Sprintf("%s.%s is missing", path, key))
					continue
				}
				all = append(all, differences(path+"."+key, got[key], want[key])...)
			}
			for _, key := range slices.Sorted(maps.Keys(got)) {
				if _, ok := want[key]; !ok {
					all = append(all, fmt.Sprintf("%s.%s is too much", path, key))
				}
			}
			return all
		}
	case array:
		if got, ok := got.(array); ok {
			if len(got) != len(want) {
				all = append(all, fmt.Sprintf("%s has %d members; want %d", path, len(got), len(want)))
			}
			for i := range min(len(got), len(want)) {
				all = append(all, differences(fmt.Sprintf("%s[%d]", path, i), got[i], want[i])...)
			}
			return all
		}
	}
	if !reflect.DeepEqual(got, want) {
		all = append(all, fmt.Sprintf("%s is %v; want %v", path, got, want))
	}
	return all
}
