package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/store"
	"example.com/walkaround/domain/vehicle"
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
	stray := strings.Repeat("ab", 32)
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
		{"a blob of a store that no document is of", func(d damage) {
			folder := filepath.Join(d.folder, "blobs", "elsewhere", "ab")
			if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, stray), []byte("x"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}, []string{"blob blobs/elsewhere/" + stray + ": its bytes"}},
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
				"row " + first + ": copy 1 that was given",
			},
		},
		{
			"the last events cut off", event(s.first, func(e []evidence.Event) []evidence.Event { return e[:len(e)-2] }),
			[]string{
				"event " + first + ": the chain is not the one", "section " + first + ": the walk-around is frozen or open",
				"row " + first + ": its state is inspected, and its events tell arrived", "row " + first + ": copy 1 that was given", "seal " + first + ": no event tells of signature " + s.signature,
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
			"a state of its own", visiting(s.open, func(v *visit.Visit) { v.State = visit.Delivered }),
			[]string{"row visits/main/" + s.open + ": its state is delivered, and its events tell arrived"},
		},
		{"who took it", visiting(s.first, func(v *visit.Visit) { v.Advisor.Name = "Nobody" }), []string{"row " + first + ": its advisor is not"}},
		{"when it was taken", visiting(s.first, func(v *visit.Visit) { v.TakenAt = &v.ArrivedAt }), []string{"row " + first + ": it was not taken at the time"}},
		{"who greeted", visiting(s.first, func(v *visit.Visit) { v.GreetedBy.Name = "Nobody" }), []string{"row " + first + ": who greeted is not"}},
		{"the number", visiting(s.open, func(v *visit.Visit) { v.Number += "9" }), []string{
			"row visits/main/" + s.open + ": its number is not", "row reservations/main/number/",
		}},
		{"a cancellation that nobody made", visiting(s.open, func(v *visit.Visit) {
			v.State, v.Cancelled = visit.Cancelled, &visit.Cancellation{At: v.ArrivedAt, By: *v.Advisor, Reason: "none"}
		}), []string{"row visits/main/" + s.open + ": its state is cancelled", "row visits/main/" + s.open + ": it is cancelled or not"}},
		{
			"why it was cancelled", visiting(s.cancelled, func(v *visit.Visit) { v.Cancelled.Reason = "the customer was rude" }),
			[]string{"row visits/main/" + s.cancelled + ": why it was cancelled"},
		},
		{
			"who cancelled", visiting(s.cancelled, func(v *visit.Visit) { v.Cancelled.By.Name = "Nobody" }),
			[]string{"row visits/main/" + s.cancelled + ": who cancelled it"},
		},
		{"covers that were fitted when it was cancelled", visiting(s.cancelled, func(v *visit.Visit) {
			v.Inspection.Covers = nil
			redigested(t, v)
		}), []string{
			"section visits/main/" + s.cancelled + ": whether covers were fitted", "section visits/main/" + s.cancelled + ": the sheet is not the one that was there",
		}},
		{"a plate of a sheet that is not signed", visiting(s.open, func(v *visit.Visit) {
			v.Plate = "粵A·99999"
			redigested(t, v)
		}), []string{"row visits/main/" + s.open + ": what was typed at its arrival"}},
		{
			"what the files held", visiting(s.first, func(v *visit.Visit) { v.Known.Visits = 7 }),
			[]string{"row " + first + ": what the files held of its car"},
		},
		{
			"a copy that nobody gave", visiting(s.first, func(v *visit.Visit) {
				v.Copies = append(v.Copies, visit.Copy{At: v.ArrivedAt, By: *v.Advisor, Digest: s.digest, Kind: visit.CopyPaper})
			}),
			[]string{"row " + first + ": copy 2 that was given"},
		},
		{"a copy denied", visiting(s.first, func(v *visit.Visit) { v.Copies = nil }), []string{"row " + first + ": copy 1 that was given"}},
		{
			"a signature called superseded", signature(s.first, func(g *visit.Signature) { g.Superseded = true }),
			[]string{"seal " + first + ": signature " + s.signature + " is superseded, and its events tell otherwise"},
		},
		{"a superseded signature called current", visiting(s.twice, func(v *visit.Visit) {
			v.Signatures[0].Superseded, v.Signatures[1].Superseded = false, true
		}), []string{
			"seal visits/main/" + s.twice + ": signature ", "seal visits/main/" + s.twice + ": signature ",
		}},
		{
			"a signature called a conflict", signature(s.first, func(g *visit.Signature) { g.Conflict = true }),
			[]string{"seal " + first + ": signature " + s.signature + " is a conflict or not", "seal " + first + ": signature " + s.signature + " is not what its seal says"},
		},
		{
			"an adoption that nobody made", signature(s.first, func(g *visit.Signature) { g.AdoptedAt = &g.SealedAt }),
			[]string{"seal " + first + ": signature " + s.signature + " was not adopted when"},
		},
		{
			"a signature for another vehicle", signature(s.first, func(g *visit.Signature) { g.VehicleID = s.photo }),
			[]string{"seal " + first + ": signature " + s.signature + " does not speak for the vehicle"},
		},
		{
			"where the seal is verified", signature(s.first, func(g *visit.Signature) { g.VerifyURL = "https://elsewhere.example/" }),
			[]string{"seal " + first + ": signature " + s.signature + " is not what its seal says"},
		},
		{"signatures in another order", visiting(s.twice, func(v *visit.Visit) {
			v.Signatures[0], v.Signatures[1] = v.Signatures[1], v.Signatures[0]
		}), []string{"seal visits/main/" + s.twice + ": signature "}},
		{
			"the revision that was signed", visiting(s.first, func(v *visit.Visit) { v.Sections.Inspection.Revision = 9 }),
			[]string{"section " + first + ": its revision is not the one that was signed"},
		},
		{
			"why a revision was opened", visiting(s.twice, func(v *visit.Visit) { v.Sections.Inspection.Reason = "a dent was forgotten" }),
			[]string{"section visits/main/" + s.twice + ": why its revision was opened"},
		},
		{
			"the items that are demanded", visiting(s.open, func(v *visit.Visit) { v.Required = v.Required[1:] }),
			[]string{"section visits/main/" + s.open + ": the items that it demands"},
		},

		{"a mark taken from the ledger", ledger(s, func(l *vehicle.Ledger) { l.Visits[0].Marks = nil }), []string{
			"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.first + ".d1 is missing; signature " + s.signature,
		}},
		{"a walk-around taken from the ledger", ledger(s, func(l *vehicle.Ledger) { l.Visits = nil }), []string{
			"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.first + ".d1 is missing",
		}},
		{"the ledger removed", func(d damage) { d.remove("damage_ledgers", "main/"+s.vehicle) }, []string{
			"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.first + ".d1 is missing",
		}},
		{"a mark changed in the ledger", ledger(s, func(l *vehicle.Ledger) { l.Visits[0].Marks[0].Severity = "severe" }), []string{
			"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.first + ".d1 was changed",
		}},
		{"a mark added to the ledger", ledger(s, func(l *vehicle.Ledger) {
			l.Visits[0].Marks = append(l.Visits[0].Marks, vehicle.Sighting{DamageID: "d2", Kind: "dent"})
		}), []string{"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.first + ".d2 was added"}},
		{"a walk-around of another car in the ledger", ledger(s, func(l *vehicle.Ledger) {
			other := l.Visits[0]
			other.VisitID = s.second
			l.Visits = append(l.Visits, other)
		}), []string{"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.second + ".d1 was added"}},
		{"a mark excused by a task that never comes", func(d damage) {
			ledger(s, func(l *vehicle.Ledger) { l.Visits[0].Marks = nil })(d)
			visiting(s.first, func(v *visit.Visit) {
				v.Outbox.Add(visit.TaskSeal, s.signature, domain.At(time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)))
			})(d)
		}, []string{"task " + first + ": seal of " + s.signature + " is put off until 2199-01-01"}},
		{"a walk-around at another time", ledger(s, func(l *vehicle.Ledger) { l.Visits[0].ArrivedAt = l.Visits[0].SignedAt }), []string{
			"mark damage_ledgers/main/" + s.vehicle + ": the walk-around of visit " + s.first + " was changed",
		}},
		{"a mark folded away", ledger(s, func(l *vehicle.Ledger) {
			l.FoldedTo, l.Folded, l.Base, l.Visits = &l.Visits[0].ArrivedAt, 1, l.Marks(), nil
			l.Base[0].Severity = "severe"
		}), []string{
			"mark damage_ledgers/main/" + s.vehicle + ": mark " + s.first + ".d1 was added to what was folded",
			"mark damage_ledgers/main/" + s.vehicle + ": 1 walk-arounds are folded, and 0 should be",
		}},

		{"the words of the checklist that was answered", func(d damage) {
			edit(d, "checklists", s.checklist, func(c *store.Checklist) { c.Items[0].Labels = nil; c.Items[0].Label = "something else" })
			edit(d, "checklist_versions", s.checklist+"/1", func(c *store.Checklist) { c.Items[0].Labels = nil; c.Items[0].Label = "something else" })
		}, []string{"row checklist_versions/" + s.checklist + "/1: it is not the template that signature "}},
		{"the words of the checklist that stands", func(d damage) {
			edit(d, "checklists", s.checklist, func(c *store.Checklist) { c.Items[0].Label = "something else" })
		}, []string{
			"row checklists/" + s.checklist + ": it is not what its version 1 says",
			"row checklist_versions/" + s.checklist + "/1: it is not the template",
		}},

		{"what a photo is", photographed(s, func(p *visit.Photo) { p.ContentType = "image/jpeg" }), []string{"row " + photo + ": not what its bytes say: content_type"}},
		{
			"how large a photo is", photographed(s, func(p *visit.Photo) { p.Bytes, p.Width, p.Height = 1, 2, 3 }),
			[]string{"row " + photo + ": not what its bytes say: bytes, width, height"},
		},
		{"when a photo was taken", photographed(s, func(p *visit.Photo) { p.TakenAt = &p.StoredAt }), []string{"row " + photo + ": not what its bytes say: taken_at"}},
		{"where a photo is read", photographed(s, func(p *visit.Photo) { p.Sizes.Thumb = "/v1/other" }), []string{"row " + photo + ": not what its bytes say: sizes"}},
		{
			"another picture as a photo's size", photographed(s, func(p *visit.Photo) { p.Derived.Screen = p.SHA256 }),
			[]string{"row " + photo + ": not what its bytes say: the size of 1280 pixels"},
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
