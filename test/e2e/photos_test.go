package e2e_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/harness"
	"example.com/walkaround/test/samples"
)

// TestPhotosAreKeptByteForByte stores each kind of picture and reads it back in each size.
func TestPhotosAreKeptByteForByte(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	for name, tc := range map[string]struct {
		file          []byte
		sent, kept    string
		width, height float64
	}{
		"JPEG":                    {samples.CarJPEG(1, "front", "A12345", samples.Defect{}), "image/jpeg", "image/jpeg", 1280, 960},
		"progressive JPEG":        {samples.ProgressiveJPEG(), "image/jpeg", "image/jpeg", 320, 240},
		"PNG":                     {harness.SmallPhoto(1), "image/png", "image/png", 64, 48},
		"WebP":                    {samples.WebP(), "image/webp", "image/webp", 320, 240},
		"HEIC":                    {samples.HEIC(), "image/heic", "image/heic", 320, 240},
		"PNG that is called JPEG": {harness.SmallPhoto(2), "image/jpeg", "image/png", 64, 48},
		"JPEG of no type":         {samples.CMYKJPEG(), "application/octet-stream", "image/jpeg", 64, 48},
		"web page inside a JPEG":  {samples.Polyglot(), "image/jpeg", "image/jpeg", 64, 48},
	} {
		t.Run(name, func(t *testing.T) {
			v := v.By(v.In(t))
			stored := v.UploadPhoto(tc.file, tc.sent).Want(http.StatusCreated)
			if stored.Text("content_type") != tc.kept || stored.Number("width") != tc.width || stored.Number("height") != tc.height ||
				stored.Number("bytes") != float64(len(tc.file)) {
				t.Errorf("stored: %s", stored.Body)
			}
			original := v.Get(stored.Text("sizes.original")).Want(http.StatusOK)
			if !bytes.Equal(original.Body, tc.file) || original.Header.Get("Content-Type") != tc.kept || original.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("original: %d bytes, %v", len(original.Body), original.Header)
			}
			for size, side := range map[string]int{"screen": 1280, "thumb": 320} {
				small := v.Get(stored.Text("sizes." + size)).Want(http.StatusOK)
				decoded, err := jpeg.Decode(bytes.NewReader(small.Body))
				if err != nil || small.Header.Get("Content-Type") != "image/jpeg" {
					t.Fatalf("%s: %v %v", size, err, small.Header)
				}
				if b := decoded.Bounds(); max(b.Dx(), b.Dy()) != min(side, int(max(tc.width, tc.height))) {
					t.Errorf("%s: %v", size, b)
				}
			}
		})
	}
	if listed := v.Get(v.At("/photos")).List("items"); len(listed) != 8 {
		t.Errorf("%d photos listed", len(listed))
	}
}

func TestPhotosThatAreRefused(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	standing := snapshot(v)
	good := harness.SmallPhoto(5)
	for name, tc := range map[string]struct {
		file   []byte
		digest string
		status int
		code   string
	}{
		"half a JPEG":                {samples.Truncated(samples.CarJPEG(1, "front", "A", samples.Defect{})), "", 422, "file_damaged"},
		"half a PNG":                 {samples.Truncated(good), "", 422, "file_damaged"},
		"half a WebP":                {samples.Truncated(samples.WebP()), "", 422, "file_damaged"},
		"half a HEIC":                {samples.Truncated(samples.HEIC()), "", 422, "file_damaged"},
		"a JPEG of three gigapixels": {samples.GigapixelJPEG(), "", 422, "too_many_pixels"},
		"a PNG of three gigapixels":  {samples.GigapixelPNG(), "", 422, "too_many_pixels"},
		"another digest":             {good, harness.ContentDigest([]byte("x")), 422, "digest_mismatch"},
		"a digest that is none":      {good, "sha-256=:abc:", 400, "bad_header"},
		"sound":                      {samples.M4A(), "", 415, "unsupported_media_type"},
		"a GIF":                      {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "", 415, "unsupported_media_type"},
		"an SVG":                     {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`), "", 415, "unsupported_media_type"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := []string{"Content-Type", "image/jpeg"}
			if tc.digest != "" {
				headers = append(headers, "Content-Digest", tc.digest)
			}
			path := v.At("/photos/" + domain.NewID())
			v.In(t).Do(http.MethodPut, path, tc.file, headers...).WantProblem(tc.status, tc.code)
			v.In(t).Get(path).WantProblem(http.StatusNotFound, "not_found")
		})
	}
	if snapshot(v) != standing {
		t.Error("something changed")
	}
}

func TestPhotosAreWriteOnce(t *testing.T) {
	h := harness.Start(t)
	v, other := h.As("advisor").Arrive(object{"plate": "粵A·12345"}), h.As("advisor").Arrive(object{"plate": "粵A·54321"})
	id, file := domain.NewID(), harness.SmallPhoto(1)
	answers := atOnce(16, func(int) harness.Answer { return v.UploadPhoto(file, "image/png", id) })
	if n := count(answers); n["201"] != 1 || n["200"] != 15 {
		t.Errorf("%v", n)
	}
	v.UploadPhoto(harness.SmallPhoto(2), "image/png", id).WantProblem(http.StatusConflict, "id_taken")
	other.UploadPhoto(file, "image/png", id).WantProblem(http.StatusConflict, "id_taken")
	other.UploadPhoto(file, "image/png").Want(http.StatusCreated)
	v.Get(other.At("/photos/"+id)).WantProblem(http.StatusNotFound, "not_found")
	stored := 0
	for _, e := range v.Get(v.At("/events")).List("items") {
		if event, _ := e.(object); event["type"] == "photo_stored" {
			stored++
		}
	}
	if stored != 1 {
		t.Errorf("%d events of one photo", stored)
	}
}

func TestPhotosAreShownUprightWithoutTheirMetadata(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	for _, orientation := range []int{1, 3, 6, 8} {
		var file bytes.Buffer
		if err := samples.JPEGWithEXIF(&file, samples.Stored(samples.Quadrants(640, 480), orientation), orientation, true); err != nil {
			t.Fatal(err)
		}
		stored := v.UploadPhoto(file.Bytes(), "image/jpeg").Want(http.StatusCreated)
		if stored.Number("width") != 640 || stored.Number("height") != 480 || stored.Text("taken_at") != "2026-03-14T01:26:53.000Z" {
			t.Errorf("orientation %d: %s", orientation, stored.Body)
		}
		for _, size := range []string{"screen", "thumb"} {
			small := v.Get(stored.Text("sizes." + size)).Want(http.StatusOK).Body
			m, err := jpeg.Decode(bytes.NewReader(small))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(small, []byte("Exif")) || bytes.Contains(small, []byte("GPS")) || bytes.Contains(small, []byte{0xff, 0xe1}) {
				t.Errorf("orientation %d, %s: metadata", orientation, size)
			}
			if seen := corners(m); seen != "red green blue white" {
				t.Errorf("orientation %d, %s: %s", orientation, size, seen)
			}
		}
	}
}

// corners names the colours of a picture: top left, top right, bottom left, bottom right.
func corners(m image.Image) string {
	b := m.Bounds()
	var names []string
	for _, y := range []int{b.Min.Y + b.Dy()/4, b.Min.Y + 3*b.Dy()/4} {
		for _, x := range []int{b.Min.X + b.Dx()/4, b.Min.X + 3*b.Dx()/4} {
			r, g, b, _ := m.At(x, y).RGBA()
			name := "none"
			switch bright := func(c uint32) bool { return c > 0x8000 }; {
			case bright(r) && bright(g) && bright(b):
				name = "white"
			case bright(r):
				name = "red"
			case bright(g):
				name = "green"
			case bright(b):
				name = "blue"
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func TestPartsAndCopiesOfPhotos(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	file := harness.SmallPhoto(3)
	at := v.UploadPhoto(file, "image/png").Want(http.StatusCreated).Text("sizes.original")
	whole := v.Get(at).Want(http.StatusOK)
	part := v.Get(at, "Range", "bytes=10-19").Want(http.StatusPartialContent)
	if !bytes.Equal(part.Body, file[10:20]) || !strings.HasPrefix(part.Header.Get("Content-Range"), "bytes 10-19/") {
		t.Errorf("part: %v %v", part.Body, part.Header)
	}
	if stale := v.Get(at, "Range", "bytes=10-19", "If-Range", `"other"`); stale.Status != http.StatusOK || len(stale.Body) != len(file) {
		t.Errorf("If-Range: %d", stale.Status)
	}
	v.Get(at, "If-None-Match", whole.ETag()).Want(http.StatusNotModified)
	if beyond := v.Raw(http.MethodGet, at, nil, "Range", "bytes=999999-"); beyond.Status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: %d", beyond.Status)
	}
}

// TestSizesBeforeTheWorker reads sizes of a house whose worker sleeps, and after a restart lets it wake.
func TestSizesBeforeTheWorker(t *testing.T) {
	folder := t.TempDir()
	var first string
	t.Run("asked before", func(t *testing.T) {
		h := harness.Start(t, harness.Folder(folder), harness.Idle())
		v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
		stored := v.UploadPhoto(samples.CarJPEG(1, "front", "A", samples.Defect{}), "image/jpeg").Want(http.StatusCreated)
		one, two := v.Get(stored.Text("sizes.thumb")).Want(http.StatusOK), v.Get(stored.Text("sizes.thumb")).Want(http.StatusOK)
		if !bytes.Equal(one.Body, two.Body) || one.ETag() != two.ETag() {
			t.Error("the same thumb twice is not the same")
		}
		first = stored.Text("sizes.thumb") + " " + one.ETag()
		if owed(t, h, "photos") != 1 {
			t.Error("the worker slept, but nothing is owed")
		}
	})
	h := harness.Start(t, harness.Folder(folder))
	harness.Eventually(t, "the sizes are made after a restart", func() bool { return owed(t, h, "photos") == 0 })
	at, tag, _ := strings.Cut(first, " ")
	if again := h.As("admin").Get(at).Want(http.StatusOK); again.ETag() != tag {
		t.Errorf("the worker made %s, on demand it was %s", again.ETag(), tag)
	}
}

// owed counts the documents of a collection whose tasks are not done.
func owed(t *testing.T, h *harness.House, collection string) int {
	t.Helper()
	found, err := h.Engine.Find(t.Context(), collection, storage.Query{Key: "pending", Limit: storage.MaxFind})
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func TestRecordings(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(object{"plate": "粵A·12345"})
	ids := []string{}
	for kind, file := range map[string][]byte{"audio/mp4": samples.M4A(), "audio/webm": samples.WebM()} {
		id := domain.NewID()
		ids = append(ids, id)
		put := func(body []byte, sent string) harness.Answer {
			return v.Do(http.MethodPut, v.At("/recordings/"+id), body, "Content-Type", sent, "Content-Digest", harness.ContentDigest(body))
		}
		stored := put(file, kind).Want(http.StatusCreated)
		put(file, kind).Want(http.StatusOK)
		put(samples.M4A()[:len(samples.M4A())-1], kind).Want(statusOfShorter(kind))
		back := v.Get(stored.Text("url")).Want(http.StatusOK)
		if !bytes.Equal(back.Body, file) || back.Header.Get("Content-Type") != kind || back.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", kind, back.Header)
		}
		v.Get(stored.Text("url"), "Range", "bytes=0-3").Want(http.StatusPartialContent)
	}
	at := v.At("/recordings/" + domain.NewID())
	v.Do(http.MethodPut, at, []byte("ID3\x04 no sound that is taken"), "Content-Type", "audio/mpeg").WantProblem(http.StatusUnsupportedMediaType, "unsupported_media_type")
	v.Do(http.MethodPut, at, harness.SmallPhoto(1), "Content-Type", "audio/mp4").WantProblem(http.StatusUnsupportedMediaType, "unsupported_media_type")
	v.Do(http.MethodPut, at, make([]byte, 10<<20+1), "Content-Type", "audio/mp4").WantProblem(http.StatusRequestEntityTooLarge, "body_too_large")
	slices.Sort(ids)
	intake := harness.Intake()
	intake["recording_ids"] = ids
	v.PutIntake(intake).Want(http.StatusOK)
	for _, m := range missing(v.Get(v.At("/inspection"))) {
		if strings.HasPrefix(m, "recording_missing") {
			t.Error(m)
		}
	}
}

// statusOfShorter is what a cut M4A is answered under the id of a recording: it is damaged, whatever was there before.
func statusOfShorter(string) int { return http.StatusUnprocessableEntity }
