package evidence

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// mediaHeadBytes is how much of a photo or recording tells its kind.
const mediaHeadBytes = 64

// isMedia says whether a file that begins with head is of the kind that its extension says. It is no check of the file, whose
// bytes are those that were signed; it keeps a signed photo from being handed out as a page or a program.
func isMedia(extension string, head []byte) bool {
	switch extension {
	case "jpg":
		return bytes.HasPrefix(head, []byte("\xff\xd8\xff"))
	case "png":
		return bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n"))
	case "webp":
		return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
	case "heic":
		return isStill(brandsOf(head))
	case "m4a":
		brands := brandsOf(head)
		return len(brands) > 0 && !isStill(brands)
	case "webm":
		return bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3"))
	default:
		return false
	}
}

// isStill says whether one of the brands is that of a still picture coded by HEVC.
func isStill(brands []string) bool {
	return slices.ContainsFunc(brands, func(b string) bool {
		return slices.Contains([]string{"heic", "heix", "heim", "heis"}, b)
	})
}

// brandsOf lists the brands of an ftyp box (ISO 14496-12, 4.3), as far as head shows them.
func brandsOf(head []byte) []string {
	if len(head) < 12 || string(head[4:8]) != "ftyp" {
		return nil
	}
	brands := []string{string(head[8:12])}
	end := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	for i := int64(16); i+4 <= end; i += 4 { // 12 to 16 is the minor version
		brands = append(brands, string(head[i:i+4]))
	}
	return brands
}
