package evidence_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain/evidence"
)

func wantVerdict(t *testing.T, v evidence.Verdict, result, code string) {
	t.Helper()
	if v.Result != result {
		t.Fatalf("got %s %v, want %s", v.Result, v.Reasons, result)
	}
	if code != "" && !slices.ContainsFunc(v.Reasons, func(r evidence.Reason) bool { return r.Code == code && r.Sentence != "" }) {
		t.Errorf("got %v, want the reason %s", v.Reasons, code)
	}
	if (v.Statement == nil) != (result == evidence.NotGenuine) {
		t.Errorf("%s with the statement %v", result, v.Statement)
	}
}

func TestSheetIsGenuineForAPinnedKeyAlone(t *testing.T) {
	key := keyOf(storeA, 1)
	form := formOf(t, "photo")
	pdf := evidence.SignFile(key, sheetOf(t, form, sealOf(t, key, statementOf(form))))

	v := evidence.VerifyPDF(pinned(key), pdf)
	wantVerdict(t, v, evidence.Genuine, "")
	if v.Digest != evidence.Digest(form) || v.Statement.Number != "20260201-001" || v.KeyID != key.ID || len(v.Reasons) != 0 {
		t.Errorf("%+v", v)
	}
	wantVerdict(t, evidence.VerifyPDF(nil, pdf), evidence.ConsistentKeyUnknown, evidence.ReasonKeyUnknown)
	wantVerdict(t, evidence.VerifyPDF(pinned(keyOf(storeA, 2)), pdf), evidence.ConsistentKeyUnknown, evidence.ReasonKeyUnknown)
}

func TestConflictIsTold(t *testing.T) {
	key := keyOf(storeA, 1)
	form := formOf(t)
	s := statementOf(form)
	s.Conflict = true
	v := evidence.VerifyPDF(pinned(key), evidence.SignFile(key, sheetOf(t, form, sealOf(t, key, s))))
	wantVerdict(t, v, evidence.Genuine, "")
	if len(v.Notes) != 1 || v.Notes[0].Code != evidence.NoteConflict {
		t.Errorf("notes %v", v.Notes)
	}
}

func TestSheetMayBeSignedWithANewerKeyOfTheSameStore(t *testing.T) {
	older, newer := keyOf(storeA, 1), keyOf(storeA, 2)
	form := formOf(t)
	pdf := evidence.SignFile(newer, sheetOf(t, form, sealOf(t, older, statementOf(form))))
	wantVerdict(t, evidence.VerifyPDF(pinned(older, newer), pdf), evidence.Genuine, "")
	wantVerdict(t, evidence.VerifyPDF(pinned(newer), pdf), evidence.ConsistentKeyUnknown, evidence.ReasonKeyUnknown)
	wantVerdict(t, evidence.VerifyPDF(pinned(older), pdf), evidence.NotGenuine, evidence.ReasonFileKeyForeign)
}

func TestForgedSheetsAreNotGenuine(t *testing.T) {
	key, thief := keyOf(storeA, 1), keyOf(storeA, 66)
	form := formOf(t)
	other := bytes.Replace(form, []byte("12345"), []byte("99999"), 1)
	seal := sealOf(t, key, statementOf(form))
	good := evidence.SignFile(key, sheetOf(t, form, seal))
	unsigned := sheetOf(t, form, seal)
	bent := seal
	bent.Statement.Signer.Name = "李四"
	elsewhere := statementOf(form)
	elsewhere.VisitID = "01900000-0000-7000-8000-000000000002"
	spaced := append(bytes.Clone(form), ' ')
	cases := map[string]struct {
		pdf  []byte
		code string
	}{
		"nothing":                            {nil, evidence.ReasonFileUnsigned},
		"not signed":                         {unsigned, evidence.ReasonFileUnsigned},
		"bytes appended":                     {append(bytes.Clone(good), "\n%%EOF\n"...), evidence.ReasonFileUnsigned},
		"an update appended":                 {attach(t, good, file{name: "inspection.json", data: form}, file{name: "seal.json", data: sealFile(t, seal)}), evidence.ReasonFileUnsigned},
		"the page changed":                   {bytes.Replace(good, []byte("/MediaBox"), []byte("/MediaBux"), 1), evidence.ReasonFileChanged},
		"the genuine seal in a thief's file": {evidence.SignFile(thief, unsigned), evidence.ReasonFileKeyForeign},
		"… of another store":                 {evidence.SignFile(keyOf(storeB, 3), unsigned), evidence.ReasonFileKeyForeign},
		"the form replaced":                  {evidence.SignFile(thief, sheetOf(t, other, seal)), evidence.ReasonDigestMismatch},
		"the seal changed":                   {evidence.SignFile(key, sheetOf(t, form, bent)), evidence.ReasonSealForged},
		"a form that is not canonical":       {evidence.SignFile(key, sheetOf(t, spaced, sealOf(t, key, statementOf(spaced)))), evidence.ReasonNotCanonical},
		"a seal of another visit":            {evidence.SignFile(key, sheetOf(t, form, sealOf(t, key, elsewhere))), evidence.ReasonOtherVisit},
		"no attachments":                     {evidence.SignFile(key, blankPDF(t)), evidence.ReasonAttachmentMissing},
		"no form":                            {evidence.SignFile(key, attach(t, blankPDF(t), file{name: "seal.json", data: sealFile(t, seal)})), evidence.ReasonAttachmentMissing},
		"no seal":                            {evidence.SignFile(key, attach(t, blankPDF(t), file{name: "inspection.json", data: form})), evidence.ReasonAttachmentMissing},
		"a seal that is none":                {evidence.SignFile(key, attach(t, blankPDF(t), file{name: "seal.json", data: []byte(`{"a":1}`)})), evidence.ReasonSealUnreadable},
		"no PDF":                             {evidence.SignFile(key, []byte("hello")), evidence.ReasonAttachmentUnreadable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, evidence.VerifyPDF(pinned(key, keyOf(storeB, 3)), c.pdf), evidence.NotGenuine, c.code)
		})
	}
}

func TestEveryByteOfASheetCounts(t *testing.T) {
	key := keyOf(storeA, 1)
	form := formOf(t)
	good := evidence.SignFile(key, sheetOf(t, form, sealOf(t, key, statementOf(form))))
	for i := 0; i < len(good); i += 7 {
		changed := bytes.Clone(good)
		changed[i] ^= 0x20
		for _, keys := range []evidence.PublicKeys{nil, pinned(key)} {
			if v := evidence.VerifyPDF(keys, changed); v.Result != evidence.NotGenuine {
				t.Fatalf("byte %d of %d: %s", i, len(good), v.Result)
			}
		}
	}
}

func TestAttachmentsThatTwoReadersCouldReadDifferentlyAreRefused(t *testing.T) {
	key := keyOf(storeA, 1)
	form := formOf(t)
	seal := sealOf(t, key, statementOf(form))
	good := string(sheetOf(t, form, seal))
	same := func(s, from, to string) string { // without moving an offset
		if len(from) != len(to) || !strings.Contains(s, from) {
			t.Fatalf("%q for %q", to, from)
		}
		at := strings.LastIndex(s, from)
		return s[:at] + to + s[at+len(from):]
	}
	trailer := strings.LastIndex(good, "/Prev ") // no object stands behind it
	var start int
	if _, err := fmt.Sscanf(good[strings.LastIndex(good, "startxref"):], "startxref\n%d", &start); err != nil {
		t.Fatal(err)
	}
	bomb := attach(t, blankPDF(t), file{name: "seal.json", data: bytes.Repeat([]byte(" "), 9<<20), deflated: true})
	cases := map[string]string{
		"a name listed twice":       string(attach(t, blankPDF(t), file{name: "seal.json", data: form}, file{name: "seal.json", data: form})),
		"two names for one file":    same(good, "/F (seal.json) /UF", "/F (feal.json) /UF"),
		"an unknown filter":         same(good, "/FlateDecode", "/ASCIIHexDec"),
		"a broken filter":           same(good, "\nstream\nx", "\nstream\ny"),
		"a table before the file":   good[:trailer] + "/Prev 0 >>\nstartxref\n" + fmt.Sprint(start) + "\n%%EOF\n",
		"a longer stream":           same(good, fmt.Sprintf("/Length %d >>", len(form)), fmt.Sprintf("/Length %d >>", len(form)-1)),
		"no table":                  same(good, "\nxref\n1 1", "\nXref\n1 1"),
		"a table that is a stream":  good[:trailer] + "/XRefStm 9 " + good[trailer:],
		"tables in a circle":        good[:trailer] + fmt.Sprintf("/Prev %d >>\nstartxref\n%d\n%%%%EOF\n", start, start),
		"an object elsewhere":       same(good, "\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /V", "\n7 0 obj\n<< /Type /Catalog /Pages 2 0 R /V"),
		"not of the type":           same(good, "/Type /Filespec", "/Type /Filesbec"),
		"a stream not of the type":  same(good, "/EmbeddedFile /Subtype", "/EmbeddedFild /Subtype"),
		"a stream that inflates on": string(bomb),
		"cut off":                   good[:len(good)-200],
	}
	for name, pdf := range cases {
		t.Run(name, func(t *testing.T) {
			wantVerdict(t, evidence.VerifyPDF(pinned(key), evidence.SignFile(key, []byte(pdf))), evidence.NotGenuine, "")
		})
	}
}

func TestTheNewestOfTwoAttachmentsIsWhatAViewerShows(t *testing.T) {
	key := keyOf(storeA, 1)
	older, form := formOf(t, "older"), formOf(t, "newer")
	pdf := sheetOf(t, older, sealOf(t, key, statementOf(older)))
	seal := sealOf(t, key, statementOf(form))
	pdf = attach(t, pdf, file{name: "inspection.json", data: form}, file{name: "seal.json", data: sealFile(t, seal)})
	v := evidence.VerifyPDF(pinned(key), evidence.SignFile(key, pdf))
	wantVerdict(t, v, evidence.Genuine, "")
	if v.Digest != evidence.Digest(form) {
		t.Error("read an attachment that no viewer shows")
	}
}

func FuzzVerifyPDF(f *testing.F) {
	key := keyOf(storeA, 1)
	form := formOf(f)
	sheet := sheetOf(f, form, sealOf(f, key, statementOf(form)))
	f.Add(sheet)
	f.Add(sheet[bytes.LastIndex(sheet, []byte("xref\n1 1")):])
	f.Add([]byte("%PDF-1.7\nstartxref\n9\n%%EOF\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v := evidence.VerifyPDF(pinned(key), evidence.SignFile(key, b))
		if v.Result == evidence.Genuine && v.Digest != evidence.Digest(form) {
			t.Fatal("the seal vouches for another form")
		}
		if v := evidence.VerifyPDF(pinned(key), b); v.Result == evidence.Genuine {
			t.Fatal("a signature was found by guessing")
		}
	})
}
