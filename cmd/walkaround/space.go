//go:build linux || darwin

package main

import (
	"fmt"
	"syscall"

	"example.com/walkaround/cmd/walkaround/config"
)

// spaceOf tells how many bytes are free for the embedded engines; nil where documents and blobs lie elsewhere.
func spaceOf(cfg config.Config) func() (uint64, error) {
	if cfg.MongoDB != "" && cfg.Bucket.Endpoint != "" {
		return nil
	}
	return func() (uint64, error) {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(cfg.Data, &disk); err != nil {
			return 0, fmt.Errorf("free space: %w", err)
		}
		return disk.Bavail * uint64(disk.Bsize), nil //nolint:gosec // a block has no negative size
	}
}
