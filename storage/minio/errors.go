package minio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"

	"example.com/walkaround/storage"
)

// failure puts the port's error beside the server's. What the server refuses for reasons that only an operator can
// mend (a key, a right, a clock) is out of reach as much as a server that does not answer.
func failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if context.Cause(ctx) == errSilent { //nolint:errorlint // this very value
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", port(err), err)
}

// port is the port's error for one of the client.
func port(err error) error {
	answer := response(err)
	switch answer.Code {
	case minio.NoSuchKey, "NoSuchVersion":
		return storage.ErrNotFound
	case "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
		return storage.ErrCorrupt
	case "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded":
		return storage.ErrFull
	}
	// MinIO looks at a disk's room once a second; what fills it in between ends as an internal error with the system's words.
	if answer.StatusCode == http.StatusInsufficientStorage || strings.Contains(answer.Message, syscall.ENOSPC.Error()) {
		return storage.ErrFull
	}
	return storage.ErrUnavailable
}

// passing says whether the server may serve later without anybody's doing. It may not where it refuses, or is not the one
// that was named.
func passing(err error) bool {
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isRecord := errors.AsType[tls.RecordHeaderError](err) // it does not speak TLS
	status := response(err).StatusCode
	refused := status != 0 && status < http.StatusInternalServerError && status != http.StatusTooManyRequests || status == http.StatusNotImplemented
	return errors.Is(err, storage.ErrUnavailable) && !isCertificate && !isRecord && !refused
}

// response is what the server said; empty where it said nothing.
func response(err error) minio.ErrorResponse {
	var answer minio.ErrorResponse
	_ = errors.As(err, &answer) // it stays empty
	return answer
}

// localFailure is failure where the local file of an upload is written.
func localFailure(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
}

// refuse is the line that says why the store does not open. The client's own errors would leave the operator to guess.
func (s *Store) refuse(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	where := fmt.Sprintf("storage/minio: bucket %s at %s", s.bucket, s.core.EndpointURL())
	switch response(err).Code {
	case "InvalidAccessKeyId", "XAdminUserNotFound":
		return fmt.Errorf("%s: the server does not know the access key: %w", where, err)
	case "SignatureDoesNotMatch":
		return fmt.Errorf("%s: the secret key is not the access key's: %w", where, err)
	case "RequestTimeTooSkewed":
		return fmt.Errorf("%s: the clocks differ by more than 15 minutes (here it is %s): %w",
			where, s.now().UTC().Format(time.RFC3339), err)
	case minio.AccessDenied:
		return fmt.Errorf("%s: the account lacks a right: %w", where, err)
	default:
		return fmt.Errorf("%s: %w", where, err)
	}
}
