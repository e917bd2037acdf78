package domain

import "time"

// What a repeated POST is told.
const (
	CodeKeyReused    Code = "idempotency_key_reused" // the key was sent before with another body
	CodeStillRunning Code = "request_running"        // the first request with this key has not ended
	CodeSecretShown  Code = "secret_shown"           // the first answer showed a secret and was not kept
)

// AnswersKept is how long an Idempotency-Key is remembered.
const AnswersKept = 30 * 24 * time.Hour

const maxAnswers = 200

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

// Recall finds the answer to key. CodeKeyReused when the key stood for another body.
func (a Answers) Recall(key, body string) (Answer, bool, error) {
	for _, known := range a {
		if known.Key != key || key == "" {
			continue
		}
		if known.Body != body {
			return Answer{}, false, Refuse(CodeKeyReused, "this Idempotency-Key was sent before with another request")
		}
		return known, true, nil
	}
	return Answer{}, false, nil
}

// Keep remembers an answer and forgets those past AnswersKept, and the oldest beyond 200.
func (a *Answers) Keep(answer Answer) {
	if answer.Key == "" {
		return
	}
	kept := make(Answers, 0, len(*a)+1)
	for _, old := range *a {
		if answer.At.Sub(old.At.Time) < AnswersKept {
			kept = append(kept, old)
		}
	}
	kept = append(kept, answer)
	*a = kept[max(0, len(kept)-maxAnswers):]
}
