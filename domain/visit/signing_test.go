package visit_test

import (
	"testing"

	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/visit"
)

func TestSignFreezesAndSeals(t *testing.T) {
	v := complete(t, nil)
	header := v.Revision
	sig, err := v.Sign(signing("s1", &v), storing, at(8))
	must(t, err)
	section := v.Sections.Inspection
	if v.State != visit.Inspected || !section.Frozen || !v.Sections.Intake.Frozen || sig.Revision != section.Revision || v.Revision != header+1 {
		t.Errorf("state %s, section %+v, signature of revision %d", v.State, section, sig.Revision)
	}
	if sig.Digest != section.Digest || sig.Conflict || sig.Superseded || v.Current() != sig || sig.SealedAt != at(8) || sig.SignedAt != at(7) {
		t.Errorf("%+v", sig)
	}
	public := storing.Public(at(0))
	if err := sig.Seal.Verify(evidence.PublicKeys{public.ID: public}); err != nil {
		t.Errorf("the seal does not verify: %v", err)
	}
	statement := sig.Seal.Statement
	if statement.ImageSHA256 != "sha256:"+sum || statement.StrokesSHA256 != "" || statement.Supersedes != "" || statement.Chain != evidence.HeadOf(v.Events) {
		t.Errorf("%+v", statement)
	}
	if err := evidence.VerifyChain(v.ID, v.Events); err != nil {
		t.Errorf("chain: %v", err)
	}
	if task, ok := v.Outbox.Next(); !ok || task.Type != visit.TaskSeal || task.Ref != "s1" {
		t.Errorf("owed: %+v", v.Outbox)
	}
	for name, change := range map[string]error{
		"intake":     v.SaveIntake(intake(), "", tablet, at(9)),
		"inspection": v.SaveInspection(walkaround(), standard(), "", tablet, at(9)),
		"arrival":    v.Correct(visit.Arrival{Plate: "B"}, visit.Found{}, mei, at(9)),
	} {
		t.Run(name+" is frozen", func(t *testing.T) { want(t, change, "section_frozen") })
	}
	before := v.Sections.Inspection.Digest
	_, err = v.AddPhoto(visit.StoredFile{ID: soundID, SHA256: other}, mei, at(9))
	must(t, err)
	if v.Sections.Inspection.Digest != before {
		t.Error("a late photo moved a signed digest")
	}
}

func TestSignedAgain(t *testing.T) {
	v := signed(t)
	_, err := v.Sign(signing("s2", &v), storing, at(9))
	want(t, err, "section_frozen")
	s := signing("s2", &v)
	s.Digest = "sha256:" + other
	_, err = v.Sign(s, storing, at(9))
	want(t, err, "section_frozen")
}

func TestReopen(t *testing.T) {
	v := complete(t, nil)
	want(t, v.Reopen("why", mei, at(8)), "not_signed")
	_, err := v.Sign(signing("s1", &v), storing, at(8))
	must(t, err)
	want(t, v.Reopen(" ", mei, at(9)), "reason_missing")
	first := v.Sections.Inspection.Revision
	must(t, v.Reopen("another bag", mei, at(9)))
	if s := v.Sections.Inspection; s.Frozen || s.Revision != first+1 || s.Reason != "another bag" || s.Sent != "" || v.Sections.Intake.Frozen || v.Sections.Intake.Sent != "" {
		t.Errorf("%+v", s)
	}
	if v.Current().ID != "s1" || v.State != visit.Inspected {
		t.Error("the old seal is current until the new revision is signed")
	}
	walk := walkaround()
	walk.Note = "another bag"
	must(t, v.SaveInspection(walk, standard(), "", tablet, at(10)))
	sig, err := v.Sign(signing("s2", &v), storing, at(11))
	must(t, err)
	if sig.Revision != first+2 || sig.Seal.Statement.Supersedes != v.Signatures[0].Digest || !v.Signatures[0].Superseded || v.Current().ID != "s2" {
		t.Errorf("%+v after %+v", sig, v.Signatures[0])
	}
	v.State = visit.Cancelled
	want(t, v.Reopen("why", mei, at(12)), "wrong_state")
}

// conflicting is a visit whose sheet was shown, then changed, and the signature on what was shown.
func conflicting(t *testing.T) (visit.Visit, visit.Signing) {
	t.Helper()
	v := complete(t, nil)
	shown, err := v.Sheet().Canonical()
	must(t, err)
	s := signing("s1", &v)
	s.Canonical, s.Required = shown, []string{"glass.windshield"}
	walk := walkaround()
	walk.Note = "changed on another tablet"
	must(t, v.SaveInspection(walk, standard(), "", visit.Saver{Person: wang, Device: "tablet-2"}, at(7)))
	return v, s
}

func TestConflictIsSealedForItsOwnRevision(t *testing.T) {
	v, s := conflicting(t)
	without := s
	without.Canonical = nil
	_, err := v.Sign(without, storing, at(8))
	want(t, err, "document_changed")

	revision, seen := v.Sections.Inspection.Revision, v.Revision
	sig, err := v.Sign(s, storing, at(8))
	must(t, err)
	if v.Revision != seen+1 {
		t.Errorf("the visit shows one signature more under revision %d", v.Revision)
	}
	if !sig.Conflict || sig.Revision != revision+1 || v.State != visit.Arrived || v.Sections.Inspection.Frozen || v.Sections.Inspection.Revision != revision {
		t.Errorf("%+v, section %+v", sig, v.Sections.Inspection)
	}
	if v.Current() != nil || v.SignatureOf(s.Digest) != sig {
		t.Error("a conflict is current")
	}
	must(t, v.SaveInspection(walkaround(), standard(), "", tablet, at(9)))
	if v.Sections.Inspection.Revision != revision+2 {
		t.Errorf("the revision of a conflict is given out again: %d", v.Sections.Inspection.Revision)
	}
}

func TestConflictIsHeldToTheSameGuards(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*visit.Visit, *visit.Signing)
		want   string
	}{
		"of other bytes":   {func(_ *visit.Visit, s *visit.Signing) { s.Canonical = append(s.Canonical, ' ') }, "invalid /canonical=malformed"},
		"no sheet":         {func(_ *visit.Visit, s *visit.Signing) { shows(s, []byte(`{"a":1}`)) }, "invalid /canonical=malformed"},
		"of another visit": {func(_ *visit.Visit, s *visit.Signing) { edit(t, s, func(x *visit.Sheet) { x.VisitID = photoID }) }, "invalid /canonical=malformed"},
		"wrong values": {func(_ *visit.Visit, s *visit.Signing) {
			edit(t, s, func(x *visit.Sheet) { x.Intake.FuelPercent = new(int64(101)) })
		}, "invalid /fuel_percent=out_of_range"},
		"wrong arrival": {func(_ *visit.Visit, s *visit.Signing) {
			edit(t, s, func(x *visit.Sheet) { x.OdometerKM = new(int64(-1)) })
		}, "invalid /odometer_km=out_of_range"},
		"wrong item": {func(_ *visit.Visit, s *visit.Signing) {
			edit(t, s, func(x *visit.Sheet) { x.Inspection.Items[0].Result = "fine" })
		}, "invalid /items/0/result=unknown"},
		"a guard": {func(_ *visit.Visit, s *visit.Signing) {
			edit(t, s, func(x *visit.Sheet) { x.Inspection.CustomerPresent = nil })
		}, "customer_absent /customer_present=customer_absent"},
		"its own checklist": {
			func(_ *visit.Visit, s *visit.Signing) { s.Required = []string{"glass.windshield", "glass.rear"} },
			"checklist_incomplete /items/glass.rear=checklist_incomplete",
		},
		"a photo of other bytes": {
			func(_ *visit.Visit, s *visit.Signing) {
				edit(t, s, func(x *visit.Sheet) { x.Photos[photoID] = &other })
			},
			"photo_missing /photos/" + photoID + "=photo_missing",
		},
		"a photo that nothing names": {
			func(v *visit.Visit, s *visit.Signing) {
				v.Photos[soundID] = other
				edit(t, s, func(x *visit.Sheet) { x.Photos[soundID] = &other })
			},
			"invalid /canonical=malformed",
		},
		"a recording that nothing names": {
			func(v *visit.Visit, s *visit.Signing) {
				v.Recordings = map[string]string{soundID: other}
				edit(t, s, func(x *visit.Sheet) { x.Recordings = map[string]*string{soundID: &other} })
			},
			"invalid /canonical=malformed",
		},
		"a photo left out of its list": {
			func(_ *visit.Visit, s *visit.Signing) { edit(t, s, func(x *visit.Sheet) { x.Photos = nil }) },
			"photo_missing /photos/" + photoID + "=photo_missing",
		},
		"a recording left out of its list": {
			func(_ *visit.Visit, s *visit.Signing) {
				edit(t, s, func(x *visit.Sheet) { x.Intake.RecordingIDs = []string{soundID} })
			},
			"recording_missing /recordings/" + soundID + "=recording_missing",
		},
		"a recording that is not there": {
			func(_ *visit.Visit, s *visit.Signing) {
				edit(t, s, func(x *visit.Sheet) {
					x.Intake.RecordingIDs, x.Recordings = []string{soundID}, map[string]*string{soundID: &sum}
				})
			},
			"recording_missing /recordings/" + soundID + "=recording_missing",
		},
		"a photo not stored": {
			func(_ *visit.Visit, s *visit.Signing) { edit(t, s, func(x *visit.Sheet) { x.Photos[photoID] = nil }) },
			"photo_missing /photos/" + photoID + "=photo_missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v, s := conflicting(t)
			c.change(&v, &s)
			_, err := v.Sign(s, storing, at(8))
			want(t, err, c.want)
			if len(v.Signatures) != 0 {
				t.Error("sealed all the same")
			}
		})
	}
}

func shows(s *visit.Signing, canonical []byte) {
	s.Canonical, s.Digest = canonical, evidence.Digest(canonical)
}

// edit makes the customer see another sheet.
func edit(t *testing.T, s *visit.Signing, change func(*visit.Sheet)) {
	t.Helper()
	sheet, err := visit.ParseSheet(s.Canonical)
	must(t, err)
	change(&sheet)
	canonical, err := sheet.Canonical()
	must(t, err)
	shows(s, canonical)
}

func TestAdopt(t *testing.T) {
	v, s := conflicting(t)
	edit(t, &s, func(x *visit.Sheet) { x.Plate, x.Intake.Note = "粵B·99999", "offline" })
	sig, err := v.Sign(s, storing, at(8))
	must(t, err)
	sheet, err := visit.ParseSheet(s.Canonical)
	must(t, err)
	own, digest, intakeRevision := sig.Revision, sig.Digest, v.Sections.Intake.Revision

	want(t, v.Adopt("nobody", sheet, visit.Found{}, s.Required, mei, at(9)), "not_found")
	must(t, v.Adopt("s1", sheet, visit.Found{}, s.Required, mei, at(9)))
	section := v.Sections.Inspection
	if v.State != visit.Inspected || !section.Frozen || section.Revision != own || section.Digest != digest || v.Sections.Intake.Revision != intakeRevision+1 {
		t.Errorf("state %s, %+v", v.State, section)
	}
	if v.Plate != "粵B·99999" || v.Intake.Note != "offline" || v.Current().ID != "s1" || v.Current().AdoptedAt == nil {
		t.Errorf("%+v", v)
	}
	if form, err := v.Sheet().Canonical(); err != nil || evidence.Digest(form) != digest {
		t.Errorf("the visit says something else than what was signed: %s, %v", form, err)
	}
	events := len(v.Events)
	must(t, v.Adopt("s1", sheet, visit.Found{}, s.Required, mei, at(10)))
	if len(v.Events) != events {
		t.Error("adopted twice")
	}
	must(t, v.Reopen("again", mei, at(11)))
	if v.Sections.Inspection.Revision != own+1 {
		t.Errorf("revision %d after %d", v.Sections.Inspection.Revision, own)
	}
	_, err = v.Sign(signing("s2", &v), storing, at(12))
	want(t, err, "section_frozen") // a digest names one seal: the same sheet is not sealed twice
	walk := walkaround()
	walk.Note = "again"
	must(t, v.SaveInspection(walk, standard(), "", tablet, at(12)))
	_, err = v.Sign(signing("s2", &v), storing, at(13))
	must(t, err)
	if !v.Signatures[0].Superseded || v.Current().ID != "s2" {
		t.Error("an adopted signature is superseded like any other")
	}
	want(t, v.Adopt("s2", sheet, visit.Found{}, nil, mei, at(14)), "wrong_state")
	v.State = visit.Delivered
	want(t, v.Adopt("s1", sheet, visit.Found{}, nil, mei, at(14)), "wrong_state")
}

func TestARevisionOpenedInVainGoesBackToItsSeal(t *testing.T) {
	v := signed(t)
	first, digest := v.Sections.Inspection.Revision, v.Sections.Inspection.Digest
	canonical, err := v.Sheet().Canonical()
	must(t, err)
	sheet, err := visit.ParseSheet(canonical)
	must(t, err)
	must(t, v.Reopen("by mistake", mei, at(9)))
	walk := walkaround()
	walk.Note = "half a thought"
	must(t, v.SaveInspection(walk, standard(), "", tablet, at(10)))
	open := v.Sections.Inspection.Revision

	must(t, v.Adopt("s1", sheet, visit.Found{}, standard().Required, mei, at(11)))
	if s := v.Sections.Inspection; !s.Frozen || s.Digest != digest || s.Revision != first || v.Current().ID != "s1" || v.Current().AdoptedAt != nil {
		t.Errorf("%+v", s)
	}
	must(t, v.Reopen("in earnest", mei, at(12)))
	if got := v.Sections.Inspection.Revision; got <= open {
		t.Errorf("revision %d was given out before", got)
	}
}

func TestAdoptingSupersedesTheCurrentSignature(t *testing.T) {
	v, s := conflicting(t)
	_, err := v.Sign(s, storing, at(8))
	must(t, err)
	_, err = v.Sign(signing("s2", &v), storing, at(9))
	must(t, err)
	if v.Signatures[0].Superseded || v.Current().ID != "s2" {
		t.Error("a conflict that nobody adopted is superseded by none")
	}
	sheet, err := visit.ParseSheet(s.Canonical)
	must(t, err)
	must(t, v.Adopt("s1", sheet, visit.Found{}, s.Required, mei, at(10)))
	if !v.Signatures[1].Superseded || v.Current().ID != "s1" {
		t.Errorf("%+v", v.Signatures)
	}
}

func TestSealedKeepsTheFirstPDF(t *testing.T) {
	v := signed(t)
	v.Sealed("s1", sum)
	v.Sealed("s1", other)
	v.Sealed("nobody", other)
	if v.Signature("s1").Files.PDF != sum || v.Signature("nobody") != nil {
		t.Errorf("%+v", v.Signatures)
	}
}

func TestGiveCopy(t *testing.T) {
	v := signed(t)
	seen := v.Revision
	want(t, v.GiveCopy("sha256:"+other, visit.CopyPaper, mei, at(9)), "not_signed")
	must(t, v.GiveCopy(v.Signatures[0].Digest, visit.CopyLink, mei, at(9)))
	if len(v.Copies) != 1 || v.Revision != seen+1 || v.Copies[0].Kind != visit.CopyLink || v.Events[len(v.Events)-1].Type != "copy_given" {
		t.Errorf("%+v", v.Copies)
	}
}
