package api

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	"example.com/walkaround/api/image"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
)

// consumeSizes makes the derived sizes of a photo.
func (s *Server) consumeSizes(ctx context.Context, p visit.Photo, _ domain.Task) (func(*visit.Photo), error) {
	if p.Derived.Screen != "" && p.Derived.Thumb != "" {
		return nil, nil //nolint:nilnil // made on demand before
	}
	made, err := s.makeSizes(ctx, p)
	if err != nil && isRefusal(fileProblem(err)) {
		s.Log.WarnContext(ctx, "photo can't be shown", slog.String("photo_id", p.ID), slog.Any("error", err))
		return nil, nil //nolint:nilnil // trying again would not mend the file; the original stays
	}
	if err != nil {
		return nil, err
	}
	return func(p *visit.Photo) { p.Derived = made }, nil
}

// makeSizes decodes a photo once and stores both sizes. The blobs are named by their content, so that doing it twice at
// once is doing it once.
func (s *Server) makeSizes(ctx context.Context, p visit.Photo) (visit.Derived, error) {
	r, info, err := s.openBlob(ctx, p.StoreID, p.SHA256)
	if err != nil {
		return visit.Derived{}, err
	}
	defer r.Close()                //nolint:errcheck // read only
	var screen, thumb bytes.Buffer // derived JPEGs are small, and must be whole before they are named
	targets := []image.Target{{Side: image.ScreenSide, W: &screen}, {Side: image.ThumbSide, W: &thumb}}
	if err := s.deriver.DeriveAll(ctx, r, info.Bytes, targets); err != nil {
		return visit.Derived{}, fmt.Errorf("sizes of photo %s: %w", p.ID, err)
	}
	var d visit.Derived
	if d.Screen, err = s.putBlob(ctx, p.StoreID, screen.Bytes()); err != nil {
		return d, err
	}
	d.Thumb, err = s.putBlob(ctx, p.StoreID, thumb.Bytes())
	return d, err
}
