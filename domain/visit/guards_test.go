package visit_test

import (
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/visit"
)

func TestGuards(t *testing.T) {
	type sheet func(*visit.Intake, *visit.Inspection)
	for name, c := range map[string]struct {
		change sheet
		want   string
	}{
		"complete":   {nil, ""},
		"no request": {func(in *visit.Intake, _ *visit.Inspection) { in.Requests = nil }, "intake_empty /requests=intake_empty"},
		"a request says nothing": {
			func(in *visit.Intake, _ *visit.Inspection) { in.Requests[0].Words = "" },
			"intake_empty /requests/0/words=intake_empty",
		},
		"not restated": {
			func(in *visit.Intake, _ *visit.Inspection) { in.Requests[0].Restated = nil },
			"request_not_restated /requests/0=request_not_restated",
		},
		"restated falsely": {
			func(in *visit.Intake, _ *visit.Inspection) {
				in.Requests = append(in.Requests, visit.Request{ID: "r2", Words: "x", Restated: new(false)})
			},
			"request_not_restated /requests/1=request_not_restated",
		},
		"no reminder": {
			func(_ *visit.Intake, w *visit.Inspection) { w.ValuablesReminderAt = nil },
			"valuables_reminder_missing /valuables_reminder_at=valuables_reminder_missing",
		},
		"reminder after the covers": {
			func(_ *visit.Intake, w *visit.Inspection) { w.ValuablesReminderAt = new(at(5)) },
			"valuables_reminder_late /valuables_reminder_at=valuables_reminder_late",
		},
		"reminder as the covers":  {func(_ *visit.Intake, w *visit.Inspection) { w.ValuablesReminderAt = new(at(4)) }, ""},
		"no covers":               {func(_ *visit.Intake, w *visit.Inspection) { w.Covers = nil }, "covers_not_fitted /covers=covers_not_fitted"},
		"no seat cover":           {func(_ *visit.Intake, w *visit.Inspection) { w.Covers.Seat = nil }, "covers_not_fitted /covers=covers_not_fitted"},
		"no steering wheel cover": {func(_ *visit.Intake, w *visit.Inspection) { w.Covers.SteeringWheel = new(false) }, "covers_not_fitted /covers=covers_not_fitted"},
		"no floor cover":          {func(_ *visit.Intake, w *visit.Inspection) { w.Covers.Floor = nil }, "covers_not_fitted /covers=covers_not_fitted"},
		"fitted at no time":       {func(_ *visit.Intake, w *visit.Inspection) { w.Covers.FittedAt = nil }, "covers_not_fitted /covers=covers_not_fitted"},
		"customer absent":         {func(_ *visit.Intake, w *visit.Inspection) { w.CustomerPresent = new(false) }, "customer_absent /customer_present=customer_absent"},
		"customer not noted":      {func(_ *visit.Intake, w *visit.Inspection) { w.CustomerPresent = nil }, "customer_absent /customer_present=customer_absent"},
		"item unanswered": {
			func(_ *visit.Intake, w *visit.Inspection) { w.Items[0].Result = "" },
			"checklist_incomplete /items/glass.windshield=checklist_incomplete",
		},
		"item absent": {
			func(_ *visit.Intake, w *visit.Inspection) { w.Items = nil },
			"checklist_incomplete /items/glass.windshield=checklist_incomplete",
		},
		"damage without photo": {
			func(_ *visit.Intake, w *visit.Inspection) { w.Damages = append(w.Damages, visit.Damage{ID: "d2"}) },
			"damage_without_photo /damages/1=damage_without_photo",
		},
		"photo not stored": {
			func(_ *visit.Intake, w *visit.Inspection) { w.PhotoIDs = []string{soundID} },
			"photo_missing /photos/" + soundID + "=photo_missing",
		},
		"recording not stored": {
			func(in *visit.Intake, _ *visit.Inspection) { in.Requests[0].RecordingIDs = []string{soundID} },
			"recording_missing /recordings/" + soundID + "=recording_missing",
		},
		"everything at once, files first": {
			func(in *visit.Intake, w *visit.Inspection) {
				in.Requests[0].Restated = nil
				*w = visit.Inspection{PhotoIDs: []string{listID, soundID}, Damages: []visit.Damage{{ID: "d1"}}}
			},
			"photo_missing /photos/" + soundID + "=photo_missing /photos/" + listID + "=photo_missing /requests/0=request_not_restated " +
				"/valuables_reminder_at=valuables_reminder_missing /covers=covers_not_fitted /customer_present=customer_absent " +
				"/items/glass.windshield=checklist_incomplete /damages/0=damage_without_photo",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := complete(t, c.change)
			before := kinds(&v)
			_, err := v.Sign(signing("s1", &v), storing, at(8))
			want(t, err, c.want)
			if err != nil && (v.State != visit.Arrived || len(v.Signatures) != 0 || kinds(&v) != before) {
				t.Errorf("a refused signature changed the visit: %s", kinds(&v))
			}
			var missing []string
			for _, m := range v.Sections.Inspection.Missing {
				if v.State == visit.Arrived {
					missing = append(missing, m.Pointer+"="+string(m.Code))
				}
			}
			if _, listed, _ := strings.Cut(c.want, " "); strings.Join(missing, " ") != listed {
				t.Errorf("`missing` says %q", missing)
			}
		})
	}
}

func TestSectionsNeverSavedAreMissing(t *testing.T) {
	v := arrived()
	_, err := v.Sign(signing("s1", &v), storing, at(8))
	want(t, err, "intake_empty /requests=intake_empty /valuables_reminder_at=valuables_reminder_missing /covers=covers_not_fitted "+
		"/customer_present=customer_absent")
}

func TestLowerOdometerNeedsAReason(t *testing.T) {
	for name, c := range map[string]struct {
		read, last *int64
		reason     string
		want       string
	}{
		"lower":            {new(int64(9)), new(int64(10)), "", "reason_missing /odometer_reason=reason_missing"},
		"lower, explained": {new(int64(9)), new(int64(10)), "replaced", ""},
		"equal":            {new(int64(10)), new(int64(10)), "", ""},
		"not read":         {nil, new(int64(10)), "", ""},
		"never read":       {new(int64(9)), nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := complete(t, nil)
			a := visit.Arrival{Plate: "粵A·12345", OdometerKM: c.read, OdometerReason: c.reason}
			must(t, v.Correct(a, visit.Found{Known: visit.Known{OdometerKM: c.last}}, mei, at(7)))
			_, err := v.Sign(signing("s1", &v), storing, at(8))
			want(t, err, c.want)
		})
	}
}

func TestRefusalsComeInTheirOrder(t *testing.T) {
	// Each step mends what the one before was refused for.
	v := complete(t, func(_ *visit.Intake, w *visit.Inspection) { w.PhotoIDs = []string{soundID}; w.CustomerPresent = nil })
	s := signing("s1", &v)
	s.Digest, s.Signer.Name = "sha256:"+other, " \t"
	v.State = visit.Cancelled
	step := func(code string) {
		t.Helper()
		_, err := v.Sign(s, storing, at(8))
		want(t, err, code)
	}
	step("wrong_state")
	v.State = visit.Arrived
	full := v
	full.Signatures = make([]visit.Signature, 50)
	_, err := full.Sign(s, storing, at(8))
	want(t, err, "too_many_signatures")
	step("signer_missing")
	s.Signer.Name = "陳大文"
	step("photo_missing /photos/" + soundID + "=photo_missing") // before the digest: a tablet may still be sending
	_, err = v.AddPhoto(visit.StoredFile{ID: soundID, SHA256: other}, mei, at(8))
	must(t, err)
	step("document_changed")
	s.Digest = v.Sections.Inspection.Digest
	step("customer_absent /customer_present=customer_absent")
	walk := walkaround()
	must(t, v.SaveInspection(walk, standard(), "sent-3", tablet, at(9)))
	s.Digest = v.Sections.Inspection.Digest
	step("")
	step("section_frozen")
}

func TestLimitsOfEveryField(t *testing.T) {
	long := func(n int) string { return strings.Repeat("煞", n+1) }
	ids := func(n int) []string {
		list := make([]string, n+1)
		for i := range list {
			list[i] = domain.DerivedID(visitID, string(rune('a'+i)))
		}
		return list
	}
	for name, c := range map[string]struct {
		err  func() error
		want string
	}{
		"intake: a full one": {func() error { in := intake(); return in.Check() }, ""},
		"intake: requests": {func() error {
			in := visit.Intake{Requests: make([]visit.Request, 101)}
			for i := range in.Requests {
				in.Requests[i].ID = string(rune('一' + i))
			}
			return in.Check()
		}, "/requests=too_many"},
		"request: twice":   {func() error { in := visit.Intake{Requests: []visit.Request{{ID: "r"}, {ID: "r"}}}; return in.Check() }, "/requests/1=duplicate"},
		"request: id":      {func() error { in := visit.Intake{Requests: []visit.Request{{}}}; return in.Check() }, "/requests/0/id=required"},
		"request: long id": {func() error { in := visit.Intake{Requests: []visit.Request{{ID: long(64)}}}; return in.Check() }, "/requests/0/id=too_long"},
		"request: words": {func() error {
			in := visit.Intake{Requests: []visit.Request{{ID: "r", Words: long(4_000)}}}
			return in.Check()
		}, "/requests/0/words=too_long"},
		"request: sounds": {func() error {
			in := visit.Intake{Requests: []visit.Request{{ID: "r", RecordingIDs: ids(10)}}}
			return in.Check()
		}, "/requests/0/recording_ids=too_many"},
		"intake: fuel":     {func() error { in := visit.Intake{FuelPercent: new(int64(101))}; return in.Check() }, "/fuel_percent=out_of_range"},
		"intake: language": {func() error { in := visit.Intake{Language: "fr"}; return in.Check() }, "/language=unknown"},
		"intake: note":     {func() error { in := visit.Intake{Note: long(4_000)}; return in.Check() }, "/note=too_long"},
		"intake: sounds":   {func() error { in := visit.Intake{RecordingIDs: ids(10)}; return in.Check() }, "/recording_ids=too_many"},
		"attributes: list": {func() error { in := visit.Intake{Attributes: []byte(`[1]`)}; return in.Check() }, "/attributes=malformed"},
		"attributes: null": {func() error { in := visit.Intake{Attributes: []byte(`null`)}; return in.Check() }, ""},
		"attributes: size": {func() error {
			in := visit.Intake{Attributes: []byte(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`)}
			return in.Check()
		}, "/attributes=too_long"},
		"attributes: as deep as a sheet takes": {func() error { in := visit.Intake{Attributes: nested(62)}; return in.Check() }, ""},
		"attributes: too deep for a sheet":     {func() error { in := visit.Intake{Attributes: nested(63)}; return in.Check() }, "/attributes=malformed"},
		"walk-around: a full one":              {func() error { in := walkaround(); return in.Check() }, ""},
		"checklist: id": {func() error {
			in := visit.Inspection{Checklist: &visit.ChecklistRef{ID: "x", Version: 1}}
			return in.Check()
		}, "/checklist/id=malformed"},
		"checklist: version": {func() error { in := visit.Inspection{Checklist: &visit.ChecklistRef{ID: listID}}; return in.Check() }, "/checklist/version=out_of_range"},
		"consent: empty":     {func() error { in := visit.Inspection{Consent: &visit.Consent{}}; return in.Check() }, "/consent/text=required /consent/language=required"},
		"consent: text": {func() error {
			in := visit.Inspection{Consent: &visit.Consent{Language: "en", Text: long(2_000)}}
			return in.Check()
		}, "/consent/text=too_long"},
		"consent: language": {func() error {
			in := visit.Inspection{Consent: &visit.Consent{Language: "fr", Text: "x"}}
			return in.Check()
		}, "/consent/language=unknown"},
		"covers: by": {func() error { in := visit.Inspection{Covers: &visit.Covers{FittedBy: long(80)}}; return in.Check() }, "/covers/fitted_by=too_long"},
		"items": {func() error {
			in := visit.Inspection{Items: make([]visit.Item, 501)}
			for i := range in.Items {
				in.Items[i].Code = string(rune('一' + i))
			}
			return in.Check()
		}, "/items=too_many"},
		"item: twice": {func() error { in := visit.Inspection{Items: []visit.Item{{Code: "a"}, {Code: "a"}}}; return in.Check() }, "/items/1=duplicate"},
		"item: everything": {
			func() error {
				in := visit.Inspection{Items: []visit.Item{{Result: "fine", Note: long(1_000), PhotoIDs: ids(20)}}}
				return in.Check()
			},
			"/items/0/code=required /items/0/result=unknown /items/0/note=too_long /items/0/photo_ids=too_many",
		},
		"item: code": {func() error { in := visit.Inspection{Items: []visit.Item{{Code: long(80)}}}; return in.Check() }, "/items/0/code=too_long"},
		"damages": {func() error {
			in := visit.Inspection{Damages: make([]visit.Damage, 201)}
			for i := range in.Damages {
				in.Damages[i].ID = string(rune('一' + i))
			}
			return in.Check()
		}, "/damages=too_many"},
		"damage: twice": {func() error { in := visit.Inspection{Damages: []visit.Damage{{ID: "a"}, {ID: "a"}}}; return in.Check() }, "/damages/1=duplicate"},
		"damage: everything": {
			func() error {
				in := visit.Inspection{Damages: []visit.Damage{{
					View: "under", X: new(1.01), Y: new(-0.01), Kind: "bite", Severity: "bad", LengthMM: new(int64(20_001)), PhotoIDs: ids(20),
					Note: long(1_000), KnownID: long(160), Change: "better",
				}}}
				return in.Check()
			},
			"/damages/0/id=required /damages/0/view=unknown /damages/0/x=out_of_range /damages/0/y=out_of_range /damages/0/kind=unknown " +
				"/damages/0/severity=unknown /damages/0/length_mm=out_of_range /damages/0/photo_ids=too_many /damages/0/note=too_long " +
				"/damages/0/known_id=too_long /damages/0/change=unknown",
		},
		"belongings": {func() error {
			in := visit.Inspection{Belongings: make([]visit.Belonging, 201)}
			for i := range in.Belongings {
				in.Belongings[i].Description = "x"
			}
			return in.Check()
		}, "/belongings=too_many"},
		"belonging: everything": {
			func() error {
				in := visit.Inspection{Belongings: []visit.Belonging{{Quantity: new(int64(-1)), Kept: "lost", PhotoIDs: ids(20), Note: long(1_000)}}}
				return in.Check()
			},
			"/belongings/0/description=required /belongings/0/quantity=out_of_range /belongings/0/kept=unknown " +
				"/belongings/0/photo_ids=too_many /belongings/0/note=too_long",
		},
		"belonging: description": {func() error {
			in := visit.Inspection{Belongings: []visit.Belonging{{Description: long(200)}}}
			return in.Check()
		}, "/belongings/0/description=too_long"},
		"engine": {
			func() error {
				in := visit.Inspection{Engine: &visit.Engine{Note: long(2_000), RecordingIDs: ids(10)}}
				return in.Check()
			},
			"/engine/note=too_long /engine/recording_ids=too_many",
		},
		"walk-around: rest": {
			func() error {
				in := visit.Inspection{PhotoIDs: ids(100), Note: long(4_000), Attributes: []byte(`1`)}
				return in.Check()
			},
			"/photo_ids=too_many /note=too_long /attributes=malformed",
		},
		"arrival: plate alone":     {func() error { return visit.Arrival{}.Check("A1", "") }, ""},
		"arrival: VIN alone":       {func() error { return visit.Arrival{}.Check("", "L1") }, ""},
		"arrival: separators only": {func() error { return visit.Arrival{Plate: "· -", VIN: " "}.Check("", "") }, "/plate=required"},
		"arrival: everything": {
			func() error {
				return visit.Arrival{
					ID: "x", Plate: long(20), VIN: long(32), OdometerKM: new(int64(10_000_000)), OdometerReason: long(500),
					Customer: &visit.Customer{Name: long(80), Salutation: long(20), Phone: long(40)},
				}.Check("A1", "")
			},
			"/id=malformed /plate=too_long /vin=too_long /odometer_reason=too_long /odometer_km=out_of_range /customer/name=too_long " +
				"/customer/salutation=too_long /customer/phone=too_long",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := c.want
			if wanted != "" {
				wanted = "invalid " + wanted
			}
			want(t, c.err(), wanted)
		})
	}
}

func nested(depth int) []byte {
	return []byte(strings.Repeat(`{"a":`, depth-1) + `{}` + strings.Repeat(`}`, depth-1))
}
