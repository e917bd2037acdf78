package minioserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// The server that is built: the last state of its repository, which is archived since. The sum is what go.sum would say.
const (
	module  = "github.com/minio/minio"
	version = "v0.0.0-20260212201848-7aac2a2c5b7c"
	sum     = "h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA="
)

// Path is where the binary of this version lies, built or not.
func Path() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "walkaround-test", "minio-"+version), nil
}

// Build makes the binary if it is absent, which takes minutes, and returns its path. What it does is told to log.
func Build(ctx context.Context, log io.Writer) (string, error) {
	path, err := Path()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	_, _ = fmt.Fprintf(log, "building %s %s, which takes minutes\n", module, version)
	folder, err := download(ctx)
	if err != nil {
		return "", err
	}
	return path, compile(ctx, folder, path)
}

// download brings the module's source onto this machine and compares it with the sum.
func download(ctx context.Context) (string, error) {
	var got struct {
		Dir   string `json:"Dir"`
		Sum   string `json:"Sum"`
		Error string `json:"Error"`
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir = os.TempDir() // outside of any module
	b, err := cmd.Output()
	if err := errors.Join(json.Unmarshal(b, &got), err); err != nil || got.Error != "" {
		return "", fmt.Errorf("download %s: %s %w", module, got.Error, err)
	}
	if got.Sum != sum {
		return "", fmt.Errorf("download %s: its sum is %s, want %s", module, got.Sum, sum)
	}
	return got.Dir, nil
}

// compile builds in the source's own folder, by its own go.mod and go.sum, and gives the result its name when it is whole.
func compile(ctx context.Context, folder, path string) error {
	partial := fmt.Sprintf("%s.%d", path, os.Getpid())
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", partial, ".") //nolint:gosec // constants
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", module, err, said.Bytes())
	}
	return os.Rename(partial, path)
}
