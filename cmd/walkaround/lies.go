package main

import (
	"context"
	"log/slog"
	"time"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/storage"
	"example.com/walkaround/storage/minio"
	"example.com/walkaround/storage/mongo"
	"example.com/walkaround/storage/open"
)

// lies says where documents and blobs lie. What is out of reach is waited for, with a line in log at each try.
func lies(cfg config.Config, log *slog.Logger) open.Config {
	b := cfg.Bucket
	return open.Config{
		Folder: cfg.Data, Now: time.Now,
		Mongo: mongo.Config{URI: cfg.MongoDB, Log: log},
		MinIO: minio.Config{
			Endpoint: b.Endpoint, Bucket: b.Name, AccessKey: b.AccessKey, SecretKey: b.SecretKey,
			Region: b.Region, Lock: minio.Lock(b.Lock), SSE: b.Encrypt, CA: b.CA, Log: log,
		},
	}
}

// openPatience is how long a command that only looks, or moves a store, waits for a cluster that is out of reach. serve waits on.
const openPatience = 30 * time.Second

// opened opens what lies there for a command.
func opened(
	ctx context.Context, where open.Config, how func(context.Context, open.Config) (storage.Engine, storage.Blobs, error),
) (storage.Engine, storage.Blobs, error) {
	if where.Mongo.URI != "" || where.MinIO.Endpoint != "" {
		limited, cancel := context.WithTimeout(ctx, openPatience)
		defer cancel()
		ctx = limited
	}
	return how(ctx, where)
}
