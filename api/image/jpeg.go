package image

import (
	"bufio"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
)

// Markers of JPEG (ITU T.81, table B.1).
const (
	markTEM  = 0x01
	markSOF0 = 0xc0
	markSOF2 = 0xc2 // progressive
	markDHT  = 0xc4
	markJPG  = 0xc8
	markDAC  = 0xcc
	markRST0 = 0xd0
	markRST7 = 0xd7
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markDRI  = 0xdd
)

// jpegFrame reads the frame header: SOF is found by walking the segments, then the decoder itself says whether it
// understands it.
func jpegFrame(src *source) (frame, error) {
	br, err := src.rewound()
	if err != nil {
		return frame{}, err
	}
	f, err := findSOF(br)
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return f, err
	}
	if br, err = src.rewound(); err != nil {
		return frame{}, err
	}
	return f, guarded(func() error {
		_, err := jpeg.DecodeConfig(br)
		return err
	})
}

// findSOF walks to the first frame header.
func findSOF(br *bufio.Reader) (frame, error) {
	for {
		marker, err := nextMarker(br)
		if err != nil {
			return frame{}, err
		}
		switch {
		case marker == markSOS || marker == markEOI:
			return frame{}, fmt.Errorf("image: no frame before the scan: %w", ErrMalformed)
		case isSOF(marker):
			return parseSOF(br, marker)
		case !standsAlone(marker):
			if err := skipSegment(br); err != nil {
				return frame{}, err
			}
		default:
		}
	}
}

// parseSOF reads precision, dimensions and sampling (T.81, B.2.2), and estimates what decoding will hold.
func parseSOF(br *bufio.Reader, marker byte) (frame, error) {
	b, err := br.Peek(8)
	if err != nil {
		return frame{}, unexpected(err)
	}
	count := int(b[7])
	if count < 1 || count > 4 {
		return frame{}, fmt.Errorf("image: %d colour components: %w", count, ErrUnsupported)
	}
	f := frame{height: int(b[3])<<8 | int(b[4]), width: int(b[5])<<8 | int(b[6])}
	if b, err = br.Peek(8 + 3*count); err != nil {
		return frame{}, unexpected(err)
	}
	f.units, f.components = jpegUnits(f.width, f.height, b[8:]), b[7]
	samples := samplesPerPixel(b[8:])
	f.perPixel = samples
	if samples >= 3 {
		f.perPixel += 4 // RGB and CMYK are converted to a second buffer
	}
	if marker == markSOF2 {
		f.perPixel += 4 * samples // all coefficients are held until the last scan
	}
	return f, nil
}

// samplesPerPixel is 3 for 4:4:4, 2 for 4:2:2, 1.5 for 4:2:0, and so on; components are three bytes each.
func samplesPerPixel(components []byte) float64 {
	var sum, most int
	for i := 0; i+2 < len(components); i += 3 {
		h, v := int(components[i+1]>>4), int(components[i+1]&0xf)
		sum += h * v
		most = max(most, h*v)
	}
	if most == 0 {
		return 1 // zero factors: the decoder refuses them next
	}
	return float64(sum) / float64(most)
}

// nextMarker passes over scan data, stuffed zeros, restart markers and fill bytes to the next marker, and returns its
// code.
func nextMarker(br *bufio.Reader) (byte, error) {
	marker, _, err := markerBehind(br)
	return marker, err
}

// markerBehind is nextMarker that counts the restart markers on the way.
func markerBehind(br *bufio.Reader) (marker byte, restarts int64, err error) {
	for {
		if err := skipToFF(br); err != nil {
			return 0, restarts, err
		}
		code := byte(0xff)
		for code == 0xff {
			if code, err = br.ReadByte(); err != nil {
				return 0, restarts, unexpected(err)
			}
		}
		switch {
		case code == 0:
		case code >= markRST0 && code <= markRST7:
			restarts++
		default:
			return code, restarts, nil
		}
	}
}

// skipToFF reads through the next 0xff.
func skipToFF(br *bufio.Reader) error {
	for {
		_, err := br.ReadSlice(0xff)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return unexpected(err)
		}
	}
}

// skipSegment passes over a segment, which begins with its length.
func skipSegment(br *bufio.Reader) error {
	var b [2]byte
	if _, err := io.ReadFull(br, b[:]); err != nil {
		return unexpected(err)
	}
	n := int64(b[0])<<8 | int64(b[1])
	if n < 2 {
		return fmt.Errorf("image: segment of %d bytes: %w", n, ErrMalformed)
	}
	return skip(br, n-2)
}

// standsAlone tells the markers that no segment follows.
func standsAlone(marker byte) bool {
	return marker == markTEM || marker == markSOI || marker == markEOI
}

// isSOF tells the frame headers, of whatever coding.
func isSOF(marker byte) bool {
	return marker >= markSOF0 && marker < markRST0 && marker != markDHT && marker != markJPG && marker != markDAC
}
