package webm

import (
	"math"
	"testing"
)

func TestAFLACFrameSaysHowLongItLasts(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame string
		rate  float64 // Hz, by the track
		want  int64   // ns
	}{
		// RFC 9639, appendix D, with the checksums.
		{"one sample, the size in 8 bits, at 44.1 kHz", "\xFF\xF8\x69\x18\x00\x00\xBF\x03\x58\xFD\x03\x12\x8B\xAA\x9A", 0, 22675},
		{"16 samples, the size in 8 bits", "\xFF\xF8\x69\x98\x00\x0F\x99\x12\x08\x67\x01\x62\x3D\x14\x42", 0, 362811},
		{"three samples, the last frame of a stream", "\xFF\xF8\x69\x18\x01\x02\xA4\x02\xC3\x82\xC4\x0B\xC1\x4A", 0, 68027},
		{"24 samples at 32 kHz", "\xFF\xF8\x68\x02\x00\x17\xE9\x44\x00\x4F\x6F\x31\x3D\x10", 0, 750_000},

		{"192 samples at 48 kHz", "\xFF\xF8\x1A\x18\x00\x00", 0, 4 * ms},
		{"576 samples at 48 kHz", "\xFF\xF8\x2A\x18\x00\x00", 0, 12 * ms},
		{"1152 samples at 96 kHz", "\xFF\xF8\x3B\x18\x00\x00", 0, 12 * ms},
		{"2304 samples at 192 kHz", "\xFF\xF8\x43\x18\x00\x00", 0, 12 * ms},
		{"4608 samples at 16 kHz", "\xFF\xF8\x55\x18\x00\x00", 0, 288 * ms},
		{"256 samples at 8 kHz", "\xFF\xF8\x84\x18\x00\x00", 0, 32 * ms},
		{"4096 samples at 32 kHz", "\xFF\xF8\xC8\x18\x00\x00", 0, 128 * ms},
		{"32768 samples at 32 kHz", "\xFF\xF8\xF8\x18\x00\x00", 0, 1024 * ms},
		{"4096 samples at 88.2 kHz", "\xFF\xF8\xC1\x18\x00\x00", 0, 46_439_909},
		{"4096 samples at 176.4 kHz", "\xFF\xF8\xC2\x18\x00\x00", 0, 23_219_954},
		{"4096 samples at 22.05 kHz", "\xFF\xF8\xC6\x18\x00\x00", 0, 185_759_637},
		{"576 samples at 24 kHz", "\xFF\xF8\x27\x18\x00\x00", 0, 24 * ms},

		{"the size in 16 bits", "\xFF\xF8\x7A\x18\x00\x12\xBF\x00", 0, 100 * ms},
		{"a size of 65535 samples", "\xFF\xF8\x7A\x18\x00\xFF\xFE\x00", 0, 1_365_312_500},
		{"a size of 65536 samples, which is forbidden", "\xFF\xF8\x7A\x18\x00\xFF\xFF\x00", 0, 0},
		{"a size that is reserved", "\xFF\xF8\x0A\x18\x00\x00", 0, 0},

		{"the rate in kHz", "\xFF\xF8\xCC\x18\x00\x10\x00", 0, 256 * ms},
		{"the rate in Hz", "\xFF\xF8\xCD\x18\x00\x10\x00\x00", 0, 1000 * ms},
		{"the rate in tens of Hz", "\xFF\xF8\xCE\x18\x00\x10\x00\x00", 0, 100 * ms},
		{"size and rate behind each other", "\xFF\xF8\x7D\x18\x00\x03\xE7\x03\xE8\x00", 0, 1000 * ms},
		{"a rate that is forbidden", "\xFF\xF8\xCF\x18\x00\x10\x00\x00", 48000, 0},
		{"a rate of 0", "\xFF\xF8\xCC\x18\x00\x00\x00\x00", 48000, 0},

		{"the rate of the track", "\xFF\xF8\xC0\x18\x00\x00", 40960, 100 * ms},
		{"its own rate before that of the track", "\xFF\xF8\xC8\x18\x00\x00", 40960, 128 * ms},
		{"the track has no rate either", "\xFF\xF8\xC0\x18\x00\x00", 0, 0},
		{"the track has a rate that is none", "\xFF\xF8\xC0\x18\x00\x00", math.NaN(), 0},
		{"blocks of variable size, numbered by samples", "\xFF\xF9\xC8\x18\x00\x00", 0, 128 * ms},

		{"a number of two octets before the size", "\xFF\xF8\x6A\x18\xC2\x80\x2F\x00", 0, 1 * ms},
		{"a number of three octets", "\xFF\xF8\x6A\x18\xE0\xA0\x80\x2F\x00", 0, 1 * ms},
		{"a number of four octets", "\xFF\xF8\x6A\x18\xF0\x90\x80\x80\x2F\x00", 0, 1 * ms},
		{"a number of five octets", "\xFF\xF8\x6A\x18\xF8\x88\x80\x80\x80\x2F\x00", 0, 1 * ms},
		{"a number of six octets", "\xFF\xF8\x6A\x18\xFC\x84\x80\x80\x80\x80\x2F\x00", 0, 1 * ms},
		{"a number of seven octets, and all else that there can be: 16 octets", "\xFF\xF9\x7D\x18\xFE\x82\x80\x80\x80\x80\x80\x03\xE7\x03\xE8\x00", 0, 1000 * ms},
		{"a number that begins in its middle", "\xFF\xF8\xC8\x18\x80\x00", 0, 0},
		{"a number of eight octets, which there is not", "\xFF\xF8\xC8\x18\xFF\x80\x80\x80\x80\x80\x80\x80\x00", 0, 0},

		{"nothing", "", 48000, 0},
		{"an Opus packet", "\xFC\xF8\xC8\x18\x00\x00", 48000, 0},
		{"MP3, whose frames begin alike", "\xFF\xFB\x90\x64\x00\x00", 48000, 0},
		{"a reserved bit that is set", "\xFF\xF8\xC8\x19\x00\x00", 48000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := flacDuration([]byte(c.frame), c.rate); got != c.want {
				t.Errorf("%d ns; want %d", got, c.want)
			}
		})
	}
}

func TestOfAFLACFrameThatIsCutShortNothingIsSaid(t *testing.T) {
	const whole = "\xFF\xF9\x7D\x18\xFE\x82\x80\x80\x80\x80\x80\x03\xE7\x03\xE8" // and its checksum
	for n := range len(whole) {
		if got := flacDuration([]byte(whole[:n]), 48000); got != 0 {
			t.Errorf("%d octets: %d ns", n, got)
		}
	}
	if got := flacDuration([]byte(whole), 48000); got != 1000*ms {
		t.Errorf("%d ns", got)
	}
}
