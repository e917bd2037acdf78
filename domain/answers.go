package domain

import (
	"slices"
	"time"
)

// What a repeated POST is told.
const (
	CodeKeyReused    Code = "idempotency_key_reused" // the key was sent before with another body
	CodeStillRunning Code = "request_running"        // the first request with this key has not ended
)

// AnswersKept is how long an Idempotency-Key is remembered.
const AnswersKept = 30 * 24 * time.Hour

// What a document remembers at most, so that answers never crowd out what they are about.
const (
	maxAnswers      = 200
	maxAnswersBytes = 512 << 10 // of their responses together
)

// Answer is what a POST was answered, kept in the document that it changed, in the same replace.
type Answer struct {
	Key      string `bson:"key"`  // SHA-256 over account and Idempotency-Key
	Body     string `bson:"body"` // SHA-256 of the request: route and body
	Status   int    `bson:"status"`
	ETag     string `bson:"etag,omitempty"`
	Location string `bson:"location,omitempty"`
	Response []byte `bson:"response"`
	At       Time   `bson:"at"`
}

// Answers are the answers a document remembers, oldest first.
type Answers []Answer

// Recall finds the answer to key; an empty key has none. CodeKeyReused when the key stood for another body.
func (a *Answers) Recall(key, body string) (Answer, bool, error) {
	if key == "" {
		return Answer{}, false, nil
	}
	for _, known := range *a {
		if known.Key != key {
			continue
		}
		if known.Body != body {
			return Answer{}, false, Refuse(CodeKeyReused, "this Idempotency-Key was sent before with another request")
		}
		return known, true, nil
	}
	return Answer{}, false, nil
}

// Keep remembers an answer, unless its key is empty, and forgets those past AnswersKept, then the oldest beyond 200 or
// 512 KiB.
func (a *Answers) Keep(answer Answer) {
	if answer.Key == "" {
		return
	}
	kept := Answers{answer}
	room := maxAnswersBytes - len(answer.Response)
	for _, old := range slices.Backward(*a) {
		room -= len(old.Response)
		if room < 0 || len(kept) == maxAnswers {
			break
		}
		if answer.At.Sub(old.At.Time) < AnswersKept {
			kept = append(kept, old)
		}
	}
	slices.Reverse(kept)
	*a = kept
}
