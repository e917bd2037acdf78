package domain

import (
	"slices"
	"time"
)

// Task is work that must follow a change. It is written in the same replace as the change, so that neither a crash nor
// a lost answer can part the two; the relay finds it by the document's `pending` key and runs it at least once.
type Task struct {
	Type      string `bson:"type"`
	Ref       string `bson:"ref"` // what the task is about; (Type, Ref) is unique in a document
	DueAt     Time   `bson:"due_at"`
	Attempts  int    `bson:"attempts"`
	LastError string `bson:"last_error,omitempty"`
	FailedAt  *Time  `bson:"failed_at,omitempty"` // set when the relay gave up; the task stays in sight

	// Generation counts how often the task was owed anew before it was done: a run that began before must not forget it.
	Generation int64 `bson:"generation,omitempty"`
}

// Outbox is the work a document still owes, oldest first. Tasks of one document run in this order.
type Outbox []Task

// MaxAttempts is how often a task is tried before it is set aside.
const MaxAttempts = 12

// Add owes the task, due at once. Owing it twice is owing it once; but one that was set aside is tried anew, and one that
// runs meanwhile runs again.
func (o *Outbox) Add(kind, ref string, now Time) {
	i := o.index(kind, ref)
	if i < 0 {
		*o = append(*o, Task{Type: kind, Ref: ref, DueAt: now})
		return
	}
	*o = slices.Clone(*o)
	t := &(*o)[i]
	t.Generation++
	if t.FailedAt != nil {
		t.FailedAt, t.Attempts, t.DueAt = nil, 0, now
	}
}

// Next is the oldest task that was not set aside.
func (o *Outbox) Next() (Task, bool) {
	for _, t := range *o {
		if t.FailedAt == nil {
			return t, true
		}
	}
	return Task{}, false
}

// Done forgets the task that was run, unless it was owed anew since.
func (o *Outbox) Done(run Task) {
	if i := o.index(run.Type, run.Ref); i >= 0 && (*o)[i].Generation == run.Generation {
		*o = slices.Delete(slices.Clone(*o), i, i+1)
	}
}

// Fail notes a failed attempt: tried again after 1 s, 2 s, 4 s … up to an hour, set aside after MaxAttempts.
func (o *Outbox) Fail(kind, ref, reason string, now Time) {
	i := o.index(kind, ref)
	if i < 0 {
		return
	}
	t := &(*o)[i]
	t.LastError = reason
	t.DueAt = At(now.Add(min(time.Second<<min(t.Attempts, MaxAttempts), time.Hour)))
	t.Attempts++
	if t.Attempts >= MaxAttempts {
		t.FailedAt = &now
	}
}

// PendingKey is the value of the `pending` key: when the next task is due. None when nothing is owed.
func (o *Outbox) PendingKey() []string {
	if t, ok := o.Next(); ok {
		return []string{t.DueAt.String()}
	}
	return nil
}

// FailedKey is the value of the `failed` key: when the first task was set aside. None when none was.
func (o *Outbox) FailedKey() []string {
	for _, t := range *o {
		if t.FailedAt != nil {
			return []string{t.FailedAt.String()}
		}
	}
	return nil
}

func (o *Outbox) index(kind, ref string) int {
	return slices.IndexFunc(*o, func(t Task) bool { return t.Type == kind && t.Ref == ref })
}
