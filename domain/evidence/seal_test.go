package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

func TestSealVerifiesWithItsStoresKeyAlone(t *testing.T) {
	a, b := keyOf(storeA, 1), keyOf(storeB, 2)
	seal := sealOf(t, a, statementOf(formOf(t)))
	if err := seal.Verify(pinned(a, b)); err != nil {
		t.Fatal(err)
	}
	if err := seal.Verify(pinned(b)); !errors.Is(err, evidence.ErrUnknownKey) {
		t.Errorf("without its key: %v", err)
	}
	claimed := pinned(a)
	k := claimed[a.ID]
	k.StoreID = storeB
	claimed[a.ID] = k
	if err := seal.Verify(claimed); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("by the key of another store: %v", err)
	}
}

func TestSealOfAnotherStoreCannotBeSigned(t *testing.T) {
	if _, err := evidence.Sign(keyOf(storeB, 2), statementOf(formOf(t))); err == nil {
		t.Error("one store seals for another")
	}
	s := statementOf(formOf(t))
	s.Digest = "md5:1"
	if _, err := evidence.Sign(keyOf(storeA, 1), s); err == nil {
		t.Error("a statement without a digest is sealed")
	}
	if _, err := evidence.Sign(evidence.SigningKey{ID: "x", StoreID: storeA}, statementOf(formOf(t))); err == nil {
		t.Error("half a key seals")
	}
}

func TestSealNoticesEveryChange(t *testing.T) {
	key := keyOf(storeA, 1)
	changes := map[string]func(*evidence.Seal){
		"format":     func(s *evidence.Seal) { s.Statement.Format = "walkaround-seal/2" },
		"visit":      func(s *evidence.Seal) { s.Statement.VisitID = "x" },
		"number":     func(s *evidence.Seal) { s.Statement.Number = "x" },
		"document":   func(s *evidence.Seal) { s.Statement.Document = "estimate" },
		"revision":   func(s *evidence.Seal) { s.Statement.Revision++ },
		"digest":     func(s *evidence.Seal) { s.Statement.Digest = evidence.Digest(nil) },
		"signature":  func(s *evidence.Seal) { s.Statement.SignatureID = "x" },
		"signer":     func(s *evidence.Seal) { s.Statement.Signer.Name = "x" },
		"relation":   func(s *evidence.Seal) { s.Statement.Signer.Relation = "x" },
		"witness":    func(s *evidence.Seal) { s.Statement.Witness.StaffID = "x" },
		"device":     func(s *evidence.Seal) { s.Statement.Device.ClockOffsetMS = 0 },
		"offline":    func(s *evidence.Seal) { s.Statement.Device.OfflineSeconds = 0 },
		"signed at":  func(s *evidence.Seal) { s.Statement.SignedAt.Time = noon.Add(time.Millisecond) },
		"sealed at":  func(s *evidence.Seal) { s.Statement.SealedAt.Time = noon.Add(time.Hour) },
		"conflict":   func(s *evidence.Seal) { s.Statement.Conflict = true },
		"supersedes": func(s *evidence.Seal) { s.Statement.Supersedes = evidence.Digest(nil) },
		"image":      func(s *evidence.Seal) { s.Statement.ImageSHA256 = evidence.Digest(nil) },
		"strokes":    func(s *evidence.Seal) { s.Statement.StrokesSHA256 = "" },
		"chain":      func(s *evidence.Seal) { s.Statement.Chain.Seq++ },
		"bytes":      func(s *evidence.Seal) { s.Signature = bytes.Clone(s.Signature); s.Signature[5] ^= 1 },
		"short":      func(s *evidence.Seal) { s.Signature = s.Signature[:63] },
		"none":       func(s *evidence.Seal) { s.Signature = nil },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			seal := sealOf(t, key, statementOf(formOf(t)))
			change(&seal)
			if err := seal.Verify(pinned(key)); !errors.Is(err, evidence.ErrForged) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSealMustLieWithinTheKeysTime(t *testing.T) {
	key := keyOf(storeA, 1)
	seal := sealOf(t, key, statementOf(formOf(t)))
	day := 24 * time.Hour
	cases := map[string]struct {
		from, until time.Duration // from noon; the seal is made 40 s after
		good        bool
	}{
		"in use":                    {-day, day, true},
		"the clock stepped back":    {day / 2, 2 * day, true},
		"made before the key":       {2 * day, 3 * day, false},
		"made after its retirement": {-3 * day, -2 * day, false},
	}
	for name, c := range cases {
		k := key.Public(domain.At(noon.Add(c.from)))
		end := domain.At(noon.Add(c.until))
		k.NotAfter = &end
		err := seal.Verify(evidence.PublicKeys{k.ID: k})
		if c.good && err != nil || !c.good && !errors.Is(err, evidence.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyIDCannotBeClaimed(t *testing.T) {
	mine, victim := keyOf(storeA, 66), keyOf(storeA, 1)
	forged := sealOf(t, mine, statementOf(formOf(t)))
	forged.KeyID = victim.ID
	if err := forged.Verify(pinned(victim)); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("another's id on one's own seal: %v", err)
	}
	k := mine.Public(noon)
	k.ID = victim.ID
	if err := forged.Verify(evidence.PublicKeys{victim.ID: k}); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("a key under another's id: %v", err)
	}
	if _, err := evidence.MarshalKeys(evidence.PublicKeys{k.ID: k}); err != nil {
		t.Fatal(err)
	}
}

func TestKeysDocumentGoesBothWays(t *testing.T) {
	keys := pinned(keyOf(storeA, 1), keyOf(storeA, 2), keyOf(storeB, 3))
	end := domain.At(noon.Add(time.Hour))
	k := keys[keyOf(storeA, 1).ID]
	k.NotAfter = &end
	keys[k.ID] = k
	doc, err := evidence.MarshalKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	again, err := evidence.ParseKeys(doc)
	if err != nil || len(again) != 3 || again[k.ID].NotAfter.String() != end.String() {
		t.Fatalf("%v, %v", again, err)
	}
	if none, err := evidence.ParseKeys([]byte(`{"keys":[]}`)); err != nil || len(none) != 0 {
		t.Errorf("no keys: %v, %v", none, err)
	}
}

func TestParseKeysRefusesWhatIsNotWhole(t *testing.T) {
	doc, err := evidence.MarshalKeys(pinned(keyOf(storeA, 1)))
	if err != nil {
		t.Fatal(err)
	}
	good, id := string(doc), keyOf(storeA, 1).ID
	one := good[strings.Index(good, "[")+1 : strings.LastIndex(good, "]")]
	cases := map[string]string{
		"not JSON":          "keys",
		"an unknown field":  strings.Replace(good, `"id"`, `"private":"x","id"`, 1),
		"a name in capital": strings.Replace(good, `"id"`, `"ID"`, 1),
		"a claimed id":      strings.Replace(good, id, strings.Repeat("0", 32), 1),
		"another algorithm": strings.Replace(good, "Ed25519", "RS256", 1),
		"no store":          strings.Replace(good, storeA, "", 1),
		"a short key":       strings.Replace(good, `"public": "`, `"public": "AA`, 1),
		"padded base64":     strings.Replace(good, `"public": "`, `"public": "=`, 1),
		"the same twice":    strings.Replace(good, one, one+","+one, 1),
		"more behind it":    good + good,
	}
	for name, doc := range cases {
		if keys, err := evidence.ParseKeys([]byte(doc)); err == nil {
			t.Errorf("%s: taken as %v", name, keys)
		}
	}
}

func TestParseSealTakesWhatMarshalWritesAndNoMore(t *testing.T) {
	seal := sealOf(t, keyOf(storeA, 1), statementOf(formOf(t)))
	good := string(sealFile(t, seal))
	again, err := evidence.ParseSeal([]byte(good))
	if err != nil || again.Leaf() != seal.Leaf() || again.Verify(pinned(keyOf(storeA, 1))) != nil {
		t.Fatalf("%+v, %v", again, err)
	}
	cases := map[string]string{
		"unknown":    strings.Replace(good, `"conflict"`, `"paid":true,"conflict"`, 1),
		"twice":      strings.Replace(good, `"conflict":false`, `"conflict":true,"conflict":false`, 1),
		"capitals":   strings.Replace(good, `"number"`, `"NUMBER"`, 1),
		"other time": strings.Replace(good, `04:00:00.000Z`, `12:00:00.000+08:00`, 1),
		"trailing":   good + "{}",
		"long":       `"` + strings.Repeat("a", 1<<21) + `"`,
		"array":      "[]",
	}
	for name, text := range cases {
		if _, err := evidence.ParseSeal([]byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestSealSurvivesBSONAndJSON(t *testing.T) {
	key := keyOf(storeA, 1)
	s := statementOf(formOf(t))
	s.Conflict, s.Supersedes = true, evidence.Digest([]byte("before"))
	seal := sealOf(t, key, s)
	raw, err := bson.Marshal(seal)
	if err != nil {
		t.Fatal(err)
	}
	var back evidence.Seal
	if err := bson.Unmarshal(raw, &back); err != nil || back.Verify(pinned(key)) != nil || back.Leaf() != seal.Leaf() {
		t.Errorf("BSON: %v", err)
	}
	text, err := json.Marshal(seal)
	if err != nil {
		t.Fatal(err)
	}
	var again evidence.Seal
	if err := json.Unmarshal(text, &again); err != nil || again.Verify(pinned(key)) != nil || again.Leaf() != seal.Leaf() {
		t.Errorf("JSON: %v", err)
	}
}

func TestSignedFileCoversEveryByte(t *testing.T) {
	key := keyOf(storeA, 1)
	signed := evidence.SignFile(key, []byte("%PDF-1.7\nsheet"))
	body, id, err := evidence.VerifyFile(pinned(key), signed)
	if err != nil || id != key.ID || string(body) != "%PDF-1.7\nsheet\n" {
		t.Fatalf("%q by %s: %v", body, id, err)
	}
	if body, id, err := evidence.VerifyFile(nil, signed); !errors.Is(err, evidence.ErrUnknownKey) || id != key.ID || body == nil {
		t.Errorf("an unknown key: %v", err)
	}
	for i := range signed {
		changed := bytes.Clone(signed)
		changed[i] ^= 1
		if _, _, err := evidence.VerifyFile(pinned(key), changed); err == nil {
			t.Errorf("byte %d changed unnoticed", i)
		}
	}
	for name, b := range map[string][]byte{
		"appended":       append(bytes.Clone(signed), "more"...),
		"a line break":   append(bytes.Clone(signed), '\n'),
		"cut":            signed[:len(signed)-1],
		"signed twice":   append(bytes.Clone(signed), signed[len(body):]...),
		"no body":        signed[len(body):],
		"nothing":        nil,
		"another key of": evidence.SignFile(keyOf(storeA, 9), body),
	} {
		if _, _, err := evidence.VerifyFile(pinned(key), b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if evidence.SignFile(evidence.SigningKey{}, body) != nil {
		t.Error("signed without a key")
	}
}

func TestSignaturesOfOneKindAreNoneOfAnother(t *testing.T) {
	key := keyOf(storeA, 1)
	seal := sealOf(t, key, statementOf(formOf(t)))
	point, err := evidence.NewCheckpoint(key, nil, []string{seal.Leaf()}, noon)
	if err != nil {
		t.Fatal(err)
	}
	seal.Signature = point.Signature
	if err := seal.Verify(pinned(key)); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("got %v", err)
	}
}
