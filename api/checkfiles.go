package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"example.com/walkaround/api/image"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// fileRows walks photos and recordings.
func (k *checker) fileRows(ctx context.Context) error {
	if err := values(ctx, k, k.photos, k.photo); err != nil {
		return err
	}
	return values(ctx, k, k.recordings, k.recording)
}

func (k *checker) photo(ctx context.Context, p visit.Photo) error {
	where := "photos/" + p.StoreID + "/" + p.ID
	k.tasks(where, p.Outbox)
	for _, sum := range []string{p.SHA256, p.Derived.Screen, p.Derived.Thumb} {
		if err := k.file(ctx, p.StoreID, sum, where); err != nil {
			return err
		}
	}
	if err := k.pictured(ctx, where, p); err != nil {
		return err
	}
	return k.owned(ctx, where, p.StoreID, p.VisitID, p.SHA256, func(v visit.Visit) string { return v.Photos[p.ID] })
}

func (k *checker) recording(ctx context.Context, r visit.Recording) error {
	where := "recordings/" + r.StoreID + "/" + r.ID
	if err := k.file(ctx, r.StoreID, r.SHA256, where); err != nil {
		return err
	}
	if err := k.recorded(ctx, where, r); err != nil {
		return err
	}
	return k.owned(ctx, where, r.StoreID, r.VisitID, r.SHA256, func(v visit.Visit) string { return v.Recordings[r.ID] })
}

// pictured holds what a photo's row says of its bytes against the bytes.
func (k *checker) pictured(ctx context.Context, where string, p visit.Photo) error {
	var is visit.Photo
	whole, err := k.opened(ctx, p.StoreID, p.SHA256, func(r io.ReadSeeker, size int64) error {
		info, err := image.Inspect(ctx, r, size)
		is = photoOf(info, size)
		return err
	})
	if err != nil || !whole {
		return err
	}
	var wrong mismatches
	wrong.unless(p.ContentType == is.ContentType, "content_type")
	wrong.unless(p.Bytes == is.Bytes, "bytes")
	wrong.unless(p.Width == is.Width, "width")
	wrong.unless(p.Height == is.Height, "height")
	wrong.unless((p.TakenAt == nil) == (is.TakenAt == nil) && (p.TakenAt == nil || p.TakenAt.Equal(is.TakenAt.Time)), "taken_at")
	wrong.unless(p.Sizes == photoSizes(p.VisitID, p.ID), "sizes")
	if len(wrong) > 0 {
		return k.tell(ctx, where, p.StoreID, p.SHA256, wrong)
	}
	for _, d := range []struct {
		sum  string
		side int64
	}{{p.Derived.Screen, image.ScreenSide}, {p.Derived.Thumb, image.ThumbSide}} {
		if err := k.derived(ctx, where, is, p.StoreID, d.sum, d.side); err != nil {
			return err
		}
	}
	return nil
}

// photoOf is what the bytes of a photo say.
func photoOf(info image.Info, size int64) visit.Photo {
	p := visit.Photo{ContentType: info.ContentType, Width: int64(info.Width), Height: int64(info.Height), Bytes: size}
	if info.TakenAt != nil {
		p.TakenAt = new(domain.At(*info.TakenAt))
	}
	return p
}

// photoSizes is where a photo is read.
func photoSizes(visitID, id string) visit.Sizes {
	at := "/v1/visits/" + visitID + "/photos/" + id + "?size="
	return visit.Sizes{Original: at + "original", Screen: at + "screen", Thumb: at + "thumb"}
}

// derived sees that a derived size could be one of this photo: that it shows the same is not judged, since that takes making it.
func (k *checker) derived(ctx context.Context, where string, of visit.Photo, storeID, sum string, side int64) error {
	if sum == "" {
		return nil
	}
	fits := false
	whole, err := k.opened(ctx, storeID, sum, func(r io.ReadSeeker, size int64) error {
		info, err := image.Inspect(ctx, r, size)
		fits = info.ContentType == image.TypeJPEG && scaled(int64(info.Width), of.Width, of, side) && scaled(int64(info.Height), of.Height, of, side)
		return err
	})
	if err == nil && whole && !fits {
		return k.tell(ctx, where, storeID, sum, mismatches{fmt.Sprintf("the size of %d pixels", side)})
	}
	return err
}

// scaled says whether a side of a derived size is that of the photo brought down to the longest side, within a pixel.
func scaled(is, was int64, of visit.Photo, longest int64) bool {
	longer := max(of.Width, of.Height, 1)
	want := was * min(longest, longer) / longer
	return is >= want-1 && is <= want+1
}

// recorded is pictured of a recording.
func (k *checker) recorded(ctx context.Context, where string, rec visit.Recording) error {
	var wrong mismatches
	whole, err := k.opened(ctx, rec.StoreID, rec.SHA256, func(r io.ReadSeeker, size int64) error {
		head := make([]byte, min(size, sniffed))
		if _, err := io.ReadFull(r, head); err != nil {
			return fmt.Errorf("read recording: %w", err)
		}
		contentType, ok := image.SniffAudio(head)
		wrong.unless(ok && contentType == rec.ContentType, "content_type")
		wrong.unless(size == rec.Bytes, "bytes")
		wrong.unless(rec.URL == "/v1/visits/"+rec.VisitID+"/recordings/"+rec.ID, "url")
		return nil
	})
	if err != nil || !whole || len(wrong) == 0 {
		return err
	}
	return k.tell(ctx, where, rec.StoreID, rec.SHA256, wrong)
}

// opened looks at a blob; false when it is not there, which is reported where it is named. What look finds to be no such file
// leaves its answer empty, which is a mismatch.
func (k *checker) opened(ctx context.Context, storeID, sum string, look func(io.ReadSeeker, int64) error) (whole bool, err error) {
	r, info, err := k.Blobs.Open(ctx, storeID+"/"+sum)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := look(r, info.Bytes); err != nil && !isRefusal(fileProblem(err)) {
		return false, err
	}
	return true, nil
}

// mismatches are the members of a row that do not fit.
type mismatches []string

func (m *mismatches) unless(ok bool, name string) {
	if !ok {
		*m = append(*m, name)
	}
}

// tell reports the members of a row that are not what the bytes say, unless the bytes themselves are damaged: those are reported
// with the blob.
func (k *checker) tell(ctx context.Context, where, storeID, sum string, wrong mismatches) error {
	err := storage.Verify(ctx, k.Blobs, storeID+"/"+sum)
	switch {
	case errors.Is(err, storage.ErrCorrupt) || errors.Is(err, storage.ErrNotFound):
		return nil
	case err == nil:
		k.find("row", where, "not what its bytes say: %s", strings.Join(wrong, ", "))
	}
	return err
}

// owned holds a file's row against the visit that it is of. One that no visit names yet is an upload that broke off.
func (k *checker) owned(ctx context.Context, where, storeID, visitID, sum string, named func(visit.Visit) string) error {
	for _, fresh := range []bool{false, true} {
		v, there, unknown, err := k.visitOf(ctx, storeID, visitID, fresh)
		switch {
		case err != nil || unknown:
			return err
		case !there:
			k.lose("visits", storeID+"/"+visitID, "it is gone; %s names it", where)
			return nil
		case named(v) == "" && !fresh:
			continue
		case named(v) == "":
			k.note("row", where, "visit %s does not name it: its upload was never finished", visitID)
		case named(v) != sum:
			k.find("row", where, "visit %s names another SHA-256", visitID)
		}
		return nil
	}
	return nil
}
