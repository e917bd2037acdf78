package image

import (
	"bufio"
	"fmt"
)

// jpegEnd walks segments and scan data to the end-of-image marker. What follows it is not looked at: phones append
// videos and maps there. Only a marker counts, not the two bytes inside a segment, as thumbnails have their own.
//
// Where the file itself ends with the marker, that is its end once a scan has begun, for scan data never hold these two
// bytes: most files need not be read a second time. A scan that restarts on the way is read nonetheless, and its restarts
// counted, for a file that was cut may have been given an end; without restarts, only decoding tells.
func jpegEnd(br *bufio.Reader, endsWithMarker bool) error {
	var s jpegScan
	for scanned := false; ; {
		marker, restarts, err := markerBehind(br)
		switch {
		case err != nil:
			return err
		case restarts < s.restarts:
			return fmt.Errorf("image: %d restarts of %d in a scan: %w", restarts, s.restarts, ErrTruncated)
		case marker == markEOI && scanned:
			return nil
		case marker == markEOI:
			return fmt.Errorf("image: no scan before the end: %w", ErrMalformed)
		case standsAlone(marker):
			continue
		}
		if err := s.segment(br, marker); err != nil {
			return err
		}
		scanned = scanned || marker == markSOS
		if scanned && endsWithMarker && s.restarts == 0 {
			return nil
		}
	}
}

// jpegScan is what the segments so far say of the scan data that follow.
type jpegScan struct {
	units      int64 // of an interleaved scan (MCU, T.81, A.2)
	components byte
	interval   int64 // units between restarts; 0: none
	restarts   int64 // that the scan must hold at least
}

// segment reads a segment to its end.
func (s *jpegScan) segment(br *bufio.Reader, marker byte) error {
	s.restarts = 0
	switch {
	case isSOF(marker):
		f, err := parseSOF(br, marker)
		if err != nil {
			return err
		}
		s.units, s.components = f.units, f.components
	case marker == markDRI:
		b, err := br.Peek(4)
		if err != nil {
			return unexpected(err)
		}
		s.interval = int64(b[2])<<8 | int64(b[3])
	case marker == markSOS:
		b, err := br.Peek(3)
		if err != nil {
			return unexpected(err)
		}
		if b[2] == s.components && s.interval > 0 { // scans of some components have units of their own
			s.restarts = (s.units - 1) / s.interval
		}
	}
	return skipSegment(br)
}

// jpegUnits is how many units a scan of all components has; components are three bytes each.
func jpegUnits(width, height int, components []byte) int64 {
	h, v := 1, 1 // one component alone goes block by block
	if len(components) > 3 {
		for i := 0; i+2 < len(components); i += 3 {
			h, v = max(h, int(components[i+1]>>4)), max(v, int(components[i+1]&0xf))
		}
	}
	return int64(ceilDiv(width, 8*h)) * int64(ceilDiv(height, 8*v))
}
