package main

// maxGap is how many zeros are written rather than begin another data segment.
// Compressed, a few zeros are less than a segment's head, whose address is never
// the same twice; what was measured best is 64.
const maxGap = 64

// appendData writes memory as a data section of active segments.
func appendData(memory []byte) []byte {
	var segments []byte
	count := uint32(0)
	for start, end := range runs(memory) {
		segments = append(segments, 0, opI32)
		segments = append(appendS64(segments, int64(int32(start))), opEnd)
		segments = appendU32(segments, uint32(end-start))
		segments = append(segments, memory[start:end]...)
		count++
	}
	return append(appendU32(nil, count), segments...)
}

// runs yields where the parts of memory begin and end that more than maxGap zeros
// divide. Each begins and ends with a byte that is not zero.
func runs(memory []byte) func(yield func(start, end int) bool) {
	return func(yield func(start, end int) bool) {
		start, end := 0, 0
		for i, c := range memory {
			if c == 0 {
				continue
			}
			if i-end > maxGap && end > 0 {
				if !yield(start, end) {
					return
				}
				end = 0
			}
			if end == 0 {
				start = i
			}
			end = i + 1
		}
		if end > 0 {
			yield(start, end)
		}
	}
}
