package api

import (
	"context"
	"errors"
	"log/slog"

	"example.com/walkaround/api/background"
)

// sweep deletes the blobs that nothing has named for a day. A damaged document may name anything: then nothing is deleted
// until it is mended, and check names it.
func (s *Server) sweep(ctx context.Context) error {
	swept, err := background.Sweeper{Engine: s.Engine, Blobs: s.Blobs, Now: s.Now}.Sweep(ctx)
	if errors.Is(err, background.ErrUnsure) {
		s.Log.WarnContext(ctx, "no blob is swept", slog.Any("error", err))
		return nil
	}
	if err == nil && swept.Marked+swept.Deleted > 0 {
		s.Log.InfoContext(ctx, "blobs that nothing names", slog.Int64("blobs", swept.Looked), slog.Int64("marked", swept.Marked),
			slog.Int64("deleted", swept.Deleted), slog.Int64("deleted_bytes", swept.Bytes), slog.Int64("retained", swept.Retained))
	}
	return err
}
