package faults

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/api"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// TestCheckNamesEachCorruption spoils one thing at a time in a folder that was clean. What a forger could do has right
// checksums; findings are compared from their beginning, and there are no others.
func TestCheckNamesEachCorruption(t *testing.T) {
	s := seed(t)
	faults, notes := checked(t, s.folder)
	expect(t, faults, nil)
	expect(t, notes, nil)
	first, second := "visits/main/"+s.first, "visits/main/"+s.second
	photo, checkpoint := "photos/main/"+s.photo, "checkpoints/main/00000000000"
	for _, c := range []struct {
		name  string
		spoil func(damage)
		want  []string
	}{
		{"a row's document", func(d damage) {
			d.sql("UPDATE c_visits SET doc = CAST(replace(doc, 'arrived', 'arrivee') AS BLOB) WHERE id = 'main/" + s.first + "'")
		}, []string{"row " + first + ": its stored bytes are damaged"}},
		{"a row's version", func(d damage) {
			d.sql("UPDATE c_photos SET version = 77 WHERE id = 'main/" + s.photo + "'")
		}, []string{"row " + photo + ": its stored bytes are damaged"}},
		{"a key's entry", func(d damage) {
			d.sql("DELETE FROM k_visits WHERE name = 'plate' AND id = 'main/" + s.open + "'")
		}, []string{"row visits/main/" + s.open + ": it is not found by its key plate"}},
		{"a row of another collection", func(d damage) {
			d.sql("UPDATE c_staff SET doc = CAST(replace(doc, 'admin', 'admim') AS BLOB)")
		}, []string{"row staff/main/"}},
		{"a row taken out", func(d damage) {
			d.sql("DELETE FROM c_visits WHERE id = 'main/" + s.open + "'")
		}, []string{"row visits/main/" + s.open + ": it is gone"}},
		{
			"a row removed with its keys", func(d damage) { d.remove("visits", "main/"+s.open) },
			[]string{"row visits/main/" + s.open + ": it is gone"},
		},
		{
			"a photo's row removed", func(d damage) { d.remove("photos", "main/"+s.photo) },
			[]string{"row " + photo + ": it is gone; " + first},
		},
		{"a number's row removed", func(d damage) {
			d.as(func(ctx context.Context, e storage.Engine) {
				var number string
				err := e.Walk(ctx, "reservations", func(r storage.Record, _ error) error {
					if strings.Contains(r.ID, "/number/") {
						number = r.ID
					}
					return nil
				})
				if err != nil || number == "" {
					t.Fatal(err)
				}
				r := row(d.t, ctx, e, "reservations", number)
				if err := e.Delete(ctx, "reservations", number, r.Version); err != nil {
					t.Fatal(err)
				}
			})
		}, []string{"row reservations/main/number/"}},
		{"a document under another id", func(d damage) {
			edit(d, "visits", "main/"+s.open, func(v *visit.Visit) { v.ID = s.photo })
		}, []string{"row visits/main/" + s.open + ": its document is that of main/" + s.photo}},
		{"a state that the keys do not know", func(d damage) {
			edit(d, "visits", "main/"+s.open, func(v *visit.Visit) { v.State = visit.Delivered })
		}, []string{"row visits/main/" + s.open + ": its keys are not those of its document"}},

		{"a photo's bytes", func(d damage) {
			d.rewrite(d.blob(s.photoSum), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, []string{"blob blobs/main/" + s.photoSum + ": its bytes"}},
		{"a photo cut short", func(d damage) {
			d.rewrite(d.blob(s.photoSum), func(b []byte) []byte { return b[:len(b)-1] })
		}, []string{"blob blobs/main/" + s.photoSum + ": its bytes"}},
		{"a photo's file gone", func(d damage) {
			if err := os.Remove(d.blob(s.photoSum)); err != nil {
				t.Fatal(err)
			}
		}, []string{"blob blobs/main/" + s.photoSum + ": it is gone; " + photo}},
		{"the signed form's bytes", func(d damage) {
			d.rewrite(d.blob(strings.TrimPrefix(s.digest, "sha256:")), func(b []byte) []byte { b[20] ^= 1; return b })
		}, []string{"blob blobs/main/" + strings.TrimPrefix(s.digest, "sha256:") + ": its bytes"}},
		{"the signed form gone", func(d damage) {
			if err := os.Remove(d.blob(strings.TrimPrefix(s.digest, "sha256:"))); err != nil {
				t.Fatal(err)
			}
		}, []string{"blob blobs/main/" + strings.TrimPrefix(s.digest, "sha256:") + ": it is gone; " + first}},

		{
			"an event changed", event(s.first, func(e []evidence.Event) []evidence.Event { e[1].By = "somebody"; return e }),
			[]string{"event " + first + ": event 2 was changed"},
		},
		{
			"an event removed", event(s.first, func(e []evidence.Event) []evidence.Event { return slices.Delete(e, 1, 2) }),
			[]string{"event " + first + ": event 2 was removed"},
		},
		{
			"events reordered", event(s.first, func(e []evidence.Event) []evidence.Event { e[1], e[2] = e[2], e[1]; return e }),
			[]string{"event " + first + ": event 2 was reordered"},
		},
		{
			"a chain made anew", event(s.first, func(e []evidence.Event) []evidence.Event { return rechained(s.first, e) }),
			[]string{
				"event " + first + ": the chain is not the one that the seal of signature " + s.signature,
				"row " + first + ": its advisor is not the one", "row " + first + ": who greeted is not the one",
			},
		},
		{
			"the last events cut off", event(s.first, func(e []evidence.Event) []evidence.Event { return e[:len(e)-1] }),
			[]string{
				"event " + first + ": the chain is not the one", "section " + first + ": the walk-around is frozen or open",
				"row " + first + ": its state is inspected, and its events tell arrived", "seal " + first + ": no event tells of signature " + s.signature,
			},
		},

		{"a damage taken from the signed sheet", func(d damage) {
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Inspection.Damages = nil })
		}, []string{"section " + first + ": changed behind the seal of signature " + s.signature + ": inspection, photos"}},
		{"words put into the customer's mouth", func(d damage) {
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Intake.Requests[0].Words = "nothing" })
		}, []string{
			"section " + first + ": changed behind the seal of signature " + s.signature + ": intake",
			"section " + first + ": the intake is not what its digest says",
		}},
		{"the digest beside it", func(d damage) {
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Sections.Inspection.Digest = s.digest2 })
		}, []string{"section " + first + ": changed behind the seal of signature " + s.signature + ": its digest"}},
		{"a sheet thawed and changed", func(d damage) {
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Sections.Inspection.Frozen = false })
		}, []string{"section " + first + ": the walk-around is frozen or open"}},
		{"a sheet that is not signed", func(d damage) {
			edit(d, "visits", "main/"+s.open, func(v *visit.Visit) { v.Inspection.Damages = nil })
		}, []string{"section visits/main/" + s.open + ": intake or walk-around are not what their digest says"}},
		{"a photo exchanged for another", func(d damage) {
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Photos[s.photo] = strings.Repeat("0", 64) })
		}, []string{
			"section " + first + ": changed behind the seal of signature " + s.signature + ": photos",
			"section " + first + ": photo " + s.photo + " is not what its event tells",
			"row " + photo + ": visit " + s.first + " names another SHA-256",
		}},

		{
			"the signer's name in the seal", signature(s.first, func(g *visit.Signature) { g.Seal.Statement.Signer.Name = "Nobody" }),
			[]string{"seal " + first + ": the seal of signature " + s.signature + " does not fit"},
		},
		{
			"the signer's name beside the seal", signature(s.first, func(g *visit.Signature) { g.Signer.Name = "Nobody" }),
			[]string{"seal " + first + ": signature " + s.signature + " is not what its seal says"},
		},
		{"a signature removed", func(d damage) {
			edit(d, "visits", "main/"+s.first, func(v *visit.Visit) { v.Signatures = nil })
		}, []string{
			"seal " + first + ": signature " + s.signature + ", which its events tell of, is gone", "proof proofs/" + s.digest + ": visit " + s.first + " has no signature",
		}},
		{
			"the PDF unnamed", signature(s.first, func(g *visit.Signature) { g.Files.PDF = "" }),
			[]string{"seal " + first + ": signature " + s.signature + " has no PDF, and none is owed"},
		},
		{
			"the key in the seal", signature(s.first, func(g *visit.Signature) { g.Seal.Public[0] ^= 1 }),
			[]string{"seal " + first + ": the seal of signature " + s.signature + " is not the one that was filed"},
		},
		{
			"a seal by another key", signature(s.first, foreignSeal(t)),
			[]string{"key signing_keys/" + foreignKey().ID + ": store main has no such key", "seal " + first + ": the seal of signature " + s.signature + " is not the one that was filed"},
		},

		{"a key's public half", func(d damage) {
			edit(d, "signing_keys", "store/main/00000001", func(v *bson.M) { (*v)["public"] = make([]byte, 32) })
		}, []string{
			"key signing_keys/store/main/00000001: the public half is not that of key", "key signing_keys/",
		}},
		{
			"a key's row", func(d damage) { d.sql("UPDATE c_signing_keys SET version = 9 WHERE id = 'store/main/00000001'") },
			[]string{"row signing_keys/store/main/00000001: its stored bytes", "key signing_keys/"},
		},

		{
			"a checkpoint's leaf", checkpointed(1, func(c *evidence.Checkpoint) { c.Leaves[0] = s.digest }),
			[]string{"checkpoint " + checkpoint + "1: checkpoint 1 does not have the root of its leaves"},
		},
		{
			"a checkpoint's leaves", checkpointed(1, func(c *evidence.Checkpoint) { c.Leaves = nil }),
			[]string{"checkpoint " + checkpoint + "1: its leaves are gone"},
		},
		{
			"a checkpoint's root", checkpointed(1, func(c *evidence.Checkpoint) { c.Root = s.digest }),
			[]string{"checkpoint " + checkpoint + "1: the signature by key"},
		},
		{
			"a checkpoint's link", checkpointed(2, func(c *evidence.Checkpoint) { c.Previous = s.digest }),
			[]string{"checkpoint " + checkpoint + "2: the signature by key"},
		},
		{
			"a checkpoint without its timestamp", checkpointed(2, func(c *evidence.Checkpoint) { c.TimestampState = evidence.TimestampVerified }),
			[]string{"checkpoint " + checkpoint + "2: its timestamp is gone"},
		},
		{
			"the first checkpoint gone", func(d damage) { d.remove("checkpoints", "main/000000000001") },
			[]string{"row " + checkpoint + "1: it is gone"},
		},
		{
			"the last checkpoint gone", func(d damage) { d.remove("checkpoints", "main/000000000002") },
			[]string{"row " + checkpoint + "2: it is gone"},
		},

		{
			"a proof gone", func(d damage) { d.remove("proofs", s.digest2) },
			[]string{"proof proofs/" + s.digest2 + ": it is gone; signature "},
		},
		{"a proof of another visit", func(d damage) {
			edit(d, "proofs", s.digest2, func(v *bson.M) { (*v)["visit_id"] = s.first })
		}, []string{"proof proofs/" + s.digest2 + ": visit " + s.first + " has no signature"}},
		{"a proof's leaf", func(d damage) {
			edit(d, "proofs", s.digest2, func(v *bson.M) { (*v)["leaf"] = s.digest })
		}, []string{"proof proofs/" + s.digest2 + ": it is not what the seal"}},
		{"a proof in another checkpoint", func(d damage) {
			edit(d, "proofs", s.digest2, func(v *bson.M) { (*v)["checkpoint"] = int64(1) })
		}, []string{"proof proofs/" + s.digest2 + ": checkpoint 1 does not hold it", "checkpoint " + checkpoint + "2: 1 of its seals"}},
		{"a proof in no checkpoint", func(d damage) {
			edit(d, "proofs", s.digest2, func(v *bson.M) { (*v)["checkpoint"] = int64(9) })
		}, []string{"row " + checkpoint + "9: it is gone", "checkpoint " + checkpoint + "2: 1 of its seals"}},
		{"a visit gone with its proof", func(d damage) {
			d.remove("visits", "main/"+s.second)
			d.remove("proofs", s.digest2)
		}, []string{"row " + second + ": it is gone", "checkpoint " + checkpoint + "2: 1 of its seals"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := s.copied(t)
			c.spoil(d)
			faults, _ := checked(t, d.folder)
			expect(t, faults, c.want)
		})
	}
}

// Whether a token is checked at all depends on the roots that are given.
func TestCheckVerifiesTimestampsByTheRootsGiven(t *testing.T) {
	s := seed(t).copied(t)
	edit(s, "checkpoints", "main/000000000002", func(c *evidence.Checkpoint) {
		c.TimestampState, c.Timestamp = evidence.TimestampVerified, &evidence.TimestampToken{Token: []byte("no token"), Authority: "CN=nobody"}
	})
	faults, _ := checked(t, s.folder)
	expect(t, faults, nil)
	faults, _ = checked(t, s.folder, func(c *api.CheckConfig) { c.TimestampRoots = x509.NewCertPool() })
	expect(t, faults, []string{"checkpoint checkpoints/main/000000000002: its timestamp does not verify"})
}

// event changes the events of a visit.
func event(id string, change func([]evidence.Event) []evidence.Event) func(damage) {
	return func(d damage) {
		edit(d, "visits", "main/"+id, func(v *visit.Visit) { v.Events = change(v.Events) })
	}
}

// signature changes the signature of a visit.
func signature(id string, change func(*visit.Signature)) func(damage) {
	return func(d damage) {
		edit(d, "visits", "main/"+id, func(v *visit.Visit) { change(&v.Signatures[0]) })
	}
}

// checkpointed changes a checkpoint of the store.
func checkpointed(sequence int, change func(*evidence.Checkpoint)) func(damage) {
	return func(d damage) {
		edit(d, "checkpoints", "main/00000000000"+string(rune('0'+sequence)), change)
	}
}

// rechained tells the same but for who did it, with hashes that fit.
func rechained(subject string, events []evidence.Event) []evidence.Event {
	var made []evidence.Event
	for _, e := range events {
		e.By = "somebody"
		made = evidence.Append(subject, made, e)
	}
	return made
}

// foreignKey is a key that the store never had.
func foreignKey() evidence.SigningKey {
	return evidence.NewSigningKey("main", [ed25519.SeedSize]byte{1})
}

// foreignSeal seals again what was sealed.
func foreignSeal(t *testing.T) func(*visit.Signature) {
	t.Helper()
	return func(g *visit.Signature) {
		seal, err := evidence.Sign(foreignKey(), g.Seal.Statement)
		if err != nil {
			t.Fatal(err)
		}
		g.Seal = seal
	}
}
