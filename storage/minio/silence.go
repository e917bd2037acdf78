package minio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"example.com/walkaround/storage"
)

// answerTime is how long the server may take to answer what it was sent: a server under load answers a PUT late.
const answerTime = 20 * time.Second

// errSilent ends a call to a server that took a request, or not even the connection, and says nothing.
var errSilent = fmt.Errorf("%w: storage/minio: the server is silent", storage.ErrUnavailable)

type silenceKey struct{}

// attentive is ctx until the server is silent to a request under it: the client would try again, and wait as long each time,
// while someone stands before a tablet. The caller calls done.
func attentive(ctx context.Context) (watched context.Context, done func()) {
	ctx, end := context.WithCancelCause(ctx)
	return context.WithValue(ctx, silenceKey{}, end), func() { end(nil) }
}

// attention is the transport that notices silence.
type attention struct{ *http.Transport }

// RoundTrip sends a request. Where it waited in vain, it ends the call.
func (a attention) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.Transport.RoundTrip(r)
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		if end, ok := r.Context().Value(silenceKey{}).(context.CancelCauseFunc); ok {
			end(errSilent) // nothing happens where the caller's own time was over before
		}
	}
	return answer, err
}
