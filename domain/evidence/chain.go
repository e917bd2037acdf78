package evidence

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/walkaround/domain"
)

// Event is something that happened, chained to what happened before. Append fills Seq, Prev and Hash.
type Event struct {
	Seq  int64             `bson:"seq" json:"seq"` // 1, 2, 3 …
	Type string            `bson:"type" json:"type" example:"signed"`
	At   domain.Time       `bson:"at" json:"at"`
	By   string            `bson:"by" json:"by"`                                     // the id of who did it
	Data map[string]string `bson:"data,omitempty" json:"data,omitempty"`             // strings alone survive BSON, JSON and time alike
	Prev string            `bson:"prev" json:"prev"`                                 // the hash before; empty for the first
	Hash string            `bson:"hash" json:"hash" pattern:"^sha256:[0-9a-f]{64}$"` // SHA-256 of the canonical form of subject and all above
}

// ChainHead is where a chain stood: the number and the hash of its last event. The zero value is an empty chain.
type ChainHead struct {
	Seq  int64  `bson:"seq" json:"seq"`
	Head string `bson:"head" json:"head"`
}

// ChainError names the first event with which a chain stops being what was written.
type ChainError struct {
	Seq   int64
	Fault string // ChainChanged, ChainRemoved or ChainReordered
}

// What was done to a chain.
const (
	ChainChanged   = "changed"
	ChainRemoved   = "removed"
	ChainReordered = "reordered"
)

// Error says which event and what was done.
func (e *ChainError) Error() string {
	return fmt.Sprintf("evidence: event %d was %s", e.Seq, e.Fault)
}

// hashed is what the hash of an event covers.
type hashed struct {
	Subject string            `json:"subject"`
	Seq     int64             `json:"seq"`
	Type    string            `json:"type"`
	At      domain.Time       `json:"at"`
	By      string            `json:"by"`
	Data    map[string]string `json:"data"`
	Prev    string            `json:"prev"`
}

// Append adds e to the chain of a subject (the id of a visit) and gives the longer chain. What isn't UTF-8 in it is replaced
// first, since neither BSON nor JSON could keep it; nothing else of e is changed but Seq, Prev and Hash.
func Append(subject string, events []Event, e Event) []Event {
	head := HeadOf(events)
	e.Seq, e.Prev = head.Seq+1, head.Head
	e.Type, e.By, e.Data = clean(e.Type), clean(e.By), cleanData(e.Data)
	e.At = domain.At(e.At.Time)
	e.Hash = e.digest(subject)
	return append(slices.Clip(events), e)
}

// HeadOf gives where a chain stands.
func HeadOf(events []Event) ChainHead {
	if len(events) == 0 {
		return ChainHead{}
	}
	last := events[len(events)-1]
	return ChainHead{Seq: last.Seq, Head: last.Hash}
}

// VerifyChain recomputes the chain of a subject. The error is a *ChainError that names the first event that was changed,
// removed or reordered. Events cut off at the end show only against a ChainHead kept elsewhere: see VerifyHead.
func VerifyChain(subject string, events []Event) error {
	prev := ""
	for i, e := range events {
		want := int64(i) + 1
		switch {
		case e.Seq != want:
			return &ChainError{Seq: want, Fault: misplaced(events[i:], want)}
		case e.Hash == "" || e.Hash != e.digest(subject):
			return &ChainError{Seq: want, Fault: ChainChanged}
		case e.Prev != prev && i == 0:
			return &ChainError{Seq: want, Fault: ChainChanged}
		case e.Prev != prev: // the one before was rewritten with a hash that fits it
			return &ChainError{Seq: want - 1, Fault: ChainChanged}
		}
		prev = e.Hash
	}
	return nil
}

// VerifyHead says whether a chain still holds what a head, kept in a seal, saw: an ErrForged or a *ChainError otherwise.
func VerifyHead(events []Event, head ChainHead) error {
	switch {
	case head == ChainHead{}:
		return nil
	case head.Seq < 1 || head.Seq > int64(len(events)):
		return &ChainError{Seq: int64(len(events)) + 1, Fault: ChainRemoved}
	case events[head.Seq-1].Hash != head.Head:
		return &ChainError{Seq: head.Seq, Fault: ChainChanged}
	}
	return nil
}

// misplaced tells a missing event from one that stands later.
func misplaced(rest []Event, want int64) string {
	for _, e := range rest {
		if e.Seq == want {
			return ChainReordered
		}
	}
	return ChainRemoved
}

// digest is the hash of an event; it is empty, and so never equal to one, if the event can't be written as JSON.
func (e Event) digest(subject string) string {
	form, err := canonicalOf(hashed{subject, e.Seq, e.Type, e.At, e.By, e.Data, e.Prev})
	if err != nil {
		return ""
	}
	return Digest(form)
}

func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func cleanData(data map[string]string) map[string]string {
	if len(data) == 0 {
		return nil
	}
	out := maps.Clone(data)
	for k, v := range data {
		delete(out, k)
		out[clean(k)] = clean(v)
	}
	return out
}
