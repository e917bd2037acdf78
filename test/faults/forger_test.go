package faults

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"testing"
	"time"

	"example.com/walkaround/api"
	"example.com/walkaround/api/background/timestamp"
	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
	"example.com/walkaround/domain/vehicle"
	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
	"example.com/walkaround/test/authority"
)

// What is no token of this checkpoint is found by anyone; that it is the authority's own takes the roots.
func TestCheckVerifiesTimestamps(t *testing.T) {
	clean, honest, own := seed(t), authority.New(t, authority.Proper()), authority.New(t, authority.Proper())
	forged := "checkpoint checkpoints/main/000000000002: its timestamp does not verify"
	for name, c := range map[string]struct {
		stamp func(*evidence.Checkpoint) evidence.TimestampToken
		roots *x509.CertPool
		want  []string
	}{
		"right":                 {func(c *evidence.Checkpoint) evidence.TimestampToken { return stamped(t, honest, c.Imprint()) }, honest.Roots(), nil},
		"right, nobody trusted": {func(c *evidence.Checkpoint) evidence.TimestampToken { return stamped(t, honest, c.Imprint()) }, nil, nil},
		"of another authority":  {func(c *evidence.Checkpoint) evidence.TimestampToken { return stamped(t, own, c.Imprint()) }, honest.Roots(), []string{forged}},
		"of something else":     {func(*evidence.Checkpoint) evidence.TimestampToken { return stamped(t, honest, make([]byte, 32)) }, nil, []string{forged}},
		"none": {func(*evidence.Checkpoint) evidence.TimestampToken {
			return evidence.TimestampToken{Token: []byte("no token")}
		}, nil, []string{forged}},
		"right, told another day": {func(c *evidence.Checkpoint) evidence.TimestampToken {
			token := stamped(t, honest, c.Imprint())
			token.At = domain.At(token.At.Add(-time.Hour))
			return token
		}, nil, []string{forged}},
	} {
		t.Run(name, func(t *testing.T) {
			s := clean.copied(t)
			edit(s, "checkpoints", "main/000000000002", func(p *evidence.Checkpoint) {
				token := c.stamp(p)
				p.TimestampState, p.Timestamp = evidence.TimestampVerified, &token
			})
			faults, _ := checked(t, s.folder, func(config *api.CheckConfig) { config.TimestampRoots = c.roots })
			expect(t, faults, c.want)
		})
	}
}

// stamped asks an authority for the time.
func stamped(t *testing.T, a *authority.Authority, imprint []byte) evidence.TimestampToken {
	t.Helper()
	client, err := timestamp.New(authority.Serve(t, a.Honest(t)).URL, a.Roots(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.Stamp(t.Context(), imprint)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// event changes the events of a visit.
func event(id string, change func([]evidence.Event) []evidence.Event) func(damage) {
	return func(d damage) {
		edit(d, "visits", "main/"+id, func(v *visit.Visit) { v.Events = change(v.Events) })
	}
}

// visiting changes a visit as the program would, with keys and summary that fit.
func visiting(id string, change func(*visit.Visit)) func(damage) {
	return func(d damage) {
		d.as(func(ctx context.Context, e storage.Engine) {
			visits := visitsOf(e)
			if err := e.Declare(ctx, []storage.Declaration{visits.Declaration()}); err != nil {
				d.t.Fatal(err)
			}
			if _, err := visits.Update(ctx, "main/"+id, func(v *visit.Visit) error { change(v); return nil }); err != nil {
				d.t.Fatal(err)
			}
		})
	}
}

// signature changes the signature of a visit.
func signature(id string, change func(*visit.Signature)) func(damage) {
	return func(d damage) {
		edit(d, "visits", "main/"+id, func(v *visit.Visit) { change(&v.Signatures[0]) })
	}
}

// ledger changes the damage ledger of the first visit's car.
func ledger(s signedOnce, change func(*vehicle.Ledger)) func(damage) {
	return func(d damage) { edit(d, "damage_ledgers", "main/"+s.vehicle, change) }
}

// photographed changes the row of the first visit's photo.
func photographed(s signedOnce, change func(*visit.Photo)) func(damage) {
	return func(d damage) { edit(d, "photos", "main/"+s.photo, change) }
}

// redigested gives a sheet that is not signed the digest of what it says now.
func redigested(t *testing.T, v *visit.Visit) {
	t.Helper()
	form, err := v.Sheet().Canonical()
	if err != nil {
		t.Fatal(err)
	}
	v.Sections.Inspection.Digest = evidence.Digest(form)
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
