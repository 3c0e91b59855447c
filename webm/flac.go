package webm

// How long a FLAC frame lasts, which its own header tells: the last frame of a stream
// is usually shorter than the others.

import "math/bits"

// flacRates are the sample rates that a frame can name by their code, in Hz (RFC 9639
// §9.1.2). Code 0 is that of the whole stream; above these come those that are spelled
// out.
var flacRates = [12]float64{0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000}

// flacDuration is the length in nanoseconds of the FLAC frame that begins with these
// bytes, of which 16 are always enough: 0 if it is not one, or if they do not tell
// (RFC 9639 §9.1). sampleRate, in Hz, is that of the stream, for frames that do not name
// their own. Checksums are not looked at.
func flacDuration(frame []byte, sampleRate float64) int64 {
	// 15 bits of sync code, and at the end a bit that is reserved.
	if len(frame) < 5 || frame[0] != 0xFF || frame[1]&0xFE != 0xF8 || frame[3]&1 != 0 {
		return 0
	}
	sizeCode, rateCode := frame[2]>>4, frame[2]&0xF

	// The coded number: that of the frame or of its first sample, written as UTF-8
	// writes characters, in up to seven octets.
	n := 4 + max(1, bits.LeadingZeros8(^frame[4]))
	if frame[4]&0xC0 == 0x80 || n > 4+7 || len(frame) < n {
		return 0
	}
	rest := frame[n:]

	var size int64
	switch {
	case sizeCode == 1:
		size = 192
	case sizeCode >= 2 && sizeCode <= 5:
		size = 144 << sizeCode
	case sizeCode == 6 && len(rest) >= 1:
		size, rest = int64(rest[0])+1, rest[1:]
	case sizeCode == 7 && len(rest) >= 2:
		size, rest = int64(rest[0])<<8+int64(rest[1])+1, rest[2:]
	case sizeCode >= 8:
		size = 1 << sizeCode
	}

	rate := sampleRate
	switch {
	case rateCode > 0 && int(rateCode) < len(flacRates):
		rate = flacRates[rateCode]
	case rateCode == 12 && len(rest) >= 1:
		rate = float64(rest[0]) * 1000
	case rateCode == 13 && len(rest) >= 2:
		rate = float64(int(rest[0])<<8 + int(rest[1]))
	case rateCode == 14 && len(rest) >= 2:
		rate = float64(int(rest[0])<<8+int(rest[1])) * 10
	case rateCode > 0:
		return 0
	}
	if size > 65535 || !(rate >= 1) {
		return 0
	}
	return int64(float64(size) * 1e9 / rate)
}
