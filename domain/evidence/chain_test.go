package evidence_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain/evidence"
)

func chainOf(n int) []evidence.Event {
	var events []evidence.Event
	for i := range n {
		e := evidence.Event{Type: "inspection.saved", At: noon, By: "staff-1", Data: map[string]string{"revision": string(rune('a' + i)), "note": ""}}
		events = evidence.Append(visitID, events, e)
	}
	return events
}

func TestAppendMakesAChainThatVerifies(t *testing.T) {
	events := chainOf(5)
	if err := evidence.VerifyChain(visitID, events); err != nil {
		t.Fatal(err)
	}
	if events[0].Prev != "" || events[4].Seq != 5 || events[4].Prev != events[3].Hash || evidence.HeadOf(events).Head != events[4].Hash {
		t.Errorf("not chained: %+v", events)
	}
	if err := evidence.VerifyChain(visitID, nil); err != nil {
		t.Errorf("an empty chain: %v", err)
	}
}

func TestAppendLeavesTheChainBeforeUntouched(t *testing.T) {
	events := make([]evidence.Event, 0, 8)
	first := evidence.Append(visitID, events, evidence.Event{Type: "a", At: noon})
	one := evidence.Append(visitID, first, evidence.Event{Type: "b", At: noon})
	other := evidence.Append(visitID, first, evidence.Event{Type: "c", At: noon})
	if one[1].Type != "b" || other[1].Type != "c" {
		t.Error("two continuations share an event")
	}
}

func TestVerifyChainNamesWhatWasDone(t *testing.T) {
	rehashed := func(events []evidence.Event, i int) {
		e := events[i]
		events[i] = evidence.Append(visitID, events[:i], e)[i]
	}
	cases := map[string]struct {
		tamper func([]evidence.Event) []evidence.Event
		seq    int64
		fault  string
	}{
		"a word changed":                {func(e []evidence.Event) []evidence.Event { e[2].Type = "x"; return e }, 3, evidence.ChainChanged},
		"a time changed":                {func(e []evidence.Event) []evidence.Event { e[2].At.Time = e[2].At.Add(1e6); return e }, 3, evidence.ChainChanged},
		"an author changed":             {func(e []evidence.Event) []evidence.Event { e[0].By = "x"; return e }, 1, evidence.ChainChanged},
		"a datum changed":               {func(e []evidence.Event) []evidence.Event { e[1].Data = map[string]string{"revision": "z"}; return e }, 2, evidence.ChainChanged},
		"a datum added":                 {func(e []evidence.Event) []evidence.Event { e[1].Data["more"] = "z"; return e }, 2, evidence.ChainChanged},
		"a hash emptied":                {func(e []evidence.Event) []evidence.Event { e[3].Hash = ""; return e }, 4, evidence.ChainChanged},
		"changed with a hash that fits": {func(e []evidence.Event) []evidence.Event { e[2].Type = "x"; rehashed(e, 2); return e }, 3, evidence.ChainChanged},
		"the first given a predecessor": {func(e []evidence.Event) []evidence.Event { e[0].Prev = e[1].Hash; return e }, 1, evidence.ChainChanged},
		"one removed":                   {func(e []evidence.Event) []evidence.Event { return slices.Delete(e, 1, 2) }, 2, evidence.ChainRemoved},
		"the first removed":             {func(e []evidence.Event) []evidence.Event { return e[1:] }, 1, evidence.ChainRemoved},
		"two exchanged":                 {func(e []evidence.Event) []evidence.Event { e[1], e[2] = e[2], e[1]; return e }, 2, evidence.ChainReordered},
		"two exchanged, numbers repaired": {func(e []evidence.Event) []evidence.Event {
			e[1], e[2] = e[2], e[1]
			e[1].Seq, e[2].Seq = 2, 3
			return e
		}, 2, evidence.ChainChanged},
		"one doubled": {func(e []evidence.Event) []evidence.Event { return slices.Insert(e, 2, e[1]) }, 3, evidence.ChainReordered},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var broken *evidence.ChainError
			err := evidence.VerifyChain(visitID, c.tamper(chainOf(5)))
			if !errors.As(err, &broken) || broken.Seq != c.seq || broken.Fault != c.fault {
				t.Errorf("got %v, want event %d %s", err, c.seq, c.fault)
			}
		})
	}
}

func TestVerifyChainHoldsTheSubject(t *testing.T) {
	if err := evidence.VerifyChain("another visit", chainOf(2)); err == nil {
		t.Error("the chain of one visit passes for another's")
	}
}

func TestVerifyHeadSeesWhatWasCutOff(t *testing.T) {
	events := chainOf(5)
	head := evidence.HeadOf(events[:4])
	if err := evidence.VerifyHead(events, head); err != nil {
		t.Errorf("a chain that went on: %v", err)
	}
	if err := evidence.VerifyHead(nil, evidence.ChainHead{}); err != nil {
		t.Errorf("an empty chain: %v", err)
	}
	var broken *evidence.ChainError
	if err := evidence.VerifyHead(events[:3], head); !errors.As(err, &broken) || broken.Seq != 4 || broken.Fault != evidence.ChainRemoved {
		t.Errorf("cut off: %v", err)
	}
	rewritten := chainOf(3)
	rewritten = evidence.Append(visitID, rewritten, evidence.Event{Type: "x", At: noon})
	if err := evidence.VerifyHead(rewritten, head); !errors.As(err, &broken) || broken.Seq != 4 || broken.Fault != evidence.ChainChanged {
		t.Errorf("rewritten: %v", err)
	}
	if err := evidence.VerifyHead(events, evidence.ChainHead{Seq: -1, Head: "x"}); err == nil {
		t.Error("a head at no event is taken")
	}
}

func TestChainSurvivesBSONAndJSON(t *testing.T) {
	type document struct {
		Events []evidence.Event `bson:"events" json:"events"`
	}
	in := document{Events: chainOf(3)}
	in.Events = evidence.Append(visitID, in.Events, evidence.Event{Type: "no data", At: noon})
	in.Events = evidence.Append(visitID, in.Events, evidence.Event{Type: "not UTF-8 \xff", At: noon, Data: map[string]string{"\xff": "a", "\xfe": "b"}})

	raw, err := bson.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var fromBSON, fromJSON document
	if err := bson.Unmarshal(raw, &fromBSON); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &fromJSON); err != nil {
		t.Fatal(err)
	}
	for name, events := range map[string][]evidence.Event{"bson": fromBSON.Events, "json": fromJSON.Events} {
		if err := evidence.VerifyChain(visitID, events); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
