package visit

import (
	"slices"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/evidence"
)

// Story is what the events of a visit tell of it. They are chained, and each seal holds the head of the chain, so what they
// tell can't be changed as a member of the document can. Retell makes it, Contradictions compares it.
//
// Events that an older version wrote tell less: what they leave out is not known, and contradicts nothing.
type Story struct {
	Number      string
	ArrivedAt   domain.Time
	State       State
	Frozen      bool
	Signatures  []Told // in the order in which they were made
	announced   *deed
	greeted     *deed
	taken       *deed // the first time
	advisor     *deed
	cancelled   *deed
	copies      []deed
	files       fact[filing]
	reason      fact[string] // digest of why the section's revision was opened
	photos      map[string]string
	recordings  map[string]string
	gateUnknown bool
}

// Told is what the events tell of a signature.
type Told struct {
	ID         string
	Digest     string
	Conflict   bool
	AdoptedAt  *domain.Time // the last time
	Superseded bool
	Template   string // digest of the checklist's version that was answered; empty when it is not known
	vehicleID  fact[string]
	reason     fact[string]
}

// Counts says whether it is, or was, the current one.
func (t Told) Counts() bool { return !t.Conflict || t.AdoptedAt != nil }

// VehicleID is the car that it speaks for; empty for none, and where it is not known.
func (t Told) VehicleID() string { return t.vehicleID.value }

// deed is what somebody did.
type deed struct {
	by   string
	name fact[string]
	when domain.Time
	data map[string]string
}

func (d *deed) is(p *Person) bool {
	if d == nil || p == nil {
		return d == nil && p == nil
	}
	return d.by == p.ID && d.name.allows(p.Name)
}

// fact is what may not be known.
type fact[T comparable] struct {
	value T
	known bool
}

func (f fact[T]) allows(v T) bool { return !f.known || f.value == v }

func factOf(data map[string]string, name string) fact[string] {
	value, known := data[name]
	return fact[string]{value, known}
}

// filing is whom a visit is of, as its events record it.
type filing struct{ vehicleID, customerID, typed, known string }

// filed adds to what an event records whom the visit is of: ids, and digests of what was typed and of what the files held. A
// chain is kept for as long as the visit, and names no customer.
func (v *Visit) filed(data map[string]string) map[string]string {
	f := v.filing()
	data["vehicle_id"], data["customer_id"], data["typed_digest"], data["known_digest"] = f.vehicleID, f.customerID, f.typed, f.known
	return data
}

func (v *Visit) filing() filing {
	typed := Sheet{VisitID: v.ID, Plate: v.Plate, VIN: v.VIN, OdometerKM: v.OdometerKM, Reason: v.OdometerReason, Customer: v.Customer}
	known := struct {
		Known    Known     `json:"known"`
		Warnings []Warning `json:"warnings"`
	}{v.Known, v.Warnings}
	return filing{v.VehicleID, v.CustomerID, digestOf(typed), digestOf(known)}
}

// Retell goes through the events from the first to the last. Whether they are the right ones, evidence.VerifyChain says.
func Retell(events []evidence.Event) Story {
	s := Story{photos: map[string]string{}, recordings: map[string]string{}, reason: fact[string]{noReason(), true}}
	for _, e := range events {
		s.tell(e)
	}
	return s
}

// noReason is the digest of none.
func noReason() string { return evidence.Digest(nil) }

func (s *Story) tell(e evidence.Event) {
	did := &deed{e.By, factOf(e.Data, "name"), e.At, e.Data}
	switch e.Type {
	case "arrived":
		s.arrived(did)
	case "taken":
		s.take(did)
	case "corrected":
		s.file(e.Data)
	case "photo_stored":
		s.photos[e.Data["photo_id"]] = e.Data["sha256"]
	case "recording_stored":
		s.recordings[e.Data["recording_id"]] = e.Data["sha256"]
	case "signed":
		s.sign(e.Data)
	case "reopened":
		s.Frozen, s.reason = false, factOf(e.Data, "reason_digest")
	case "adopted":
		s.adopt(did)
	case "copy_given":
		s.copies = append(s.copies, *did)
	case "cancelled":
		s.State, s.cancelled = Cancelled, did
	}
}

func (s *Story) arrived(did *deed) {
	s.Number, s.ArrivedAt, s.State = did.data["number"], did.when, Arrived
	switch did.data["gate"] {
	case "true":
		s.announced = did
	case "false":
		s.greeted = did
	default:
		s.gateUnknown = true
	}
	s.file(did.data)
}

func (s *Story) take(did *deed) {
	s.advisor = did
	if s.taken == nil {
		s.taken = did
	}
	if s.greeted == nil && !s.gateUnknown {
		s.greeted = did
	}
}

// file notes whom the visit is of from now on; an older event may name the vehicle alone, or nothing.
func (s *Story) file(data map[string]string) {
	_, known := data["typed_digest"]
	s.files = fact[filing]{filing{data["vehicle_id"], data["customer_id"], data["typed_digest"], data["known_digest"]}, known}
}

// vehicle is that of the visit at this point.
func (s *Story) vehicle() fact[string] { return fact[string]{s.files.value.vehicleID, s.files.known} }

func (s *Story) sign(data map[string]string) {
	s.Signatures = append(s.Signatures, Told{
		ID: data["signature_id"], Digest: data["digest"], Conflict: data["conflict"] == "true", Template: data["template_digest"],
		vehicleID: fact[string]{"", true},
	})
	if t := &s.Signatures[len(s.Signatures)-1]; !t.Conflict {
		t.reason = s.reason
		s.count(t)
	}
}

func (s *Story) adopt(did *deed) {
	s.file(did.data)
	t := s.Signature(did.data["signature_id"])
	if t == nil {
		return
	}
	switch {
	case t.Conflict && t.AdoptedAt == nil && s.reason.known:
		t.reason = fact[string]{noReason(), true}
	case !s.reason.known:
		t.reason = fact[string]{}
	}
	s.reason = t.reason
	if t.Conflict {
		t.AdoptedAt = &did.when
	}
	s.count(t)
}

// count makes a signature the current one, as Visit.makeCurrent does.
func (s *Story) count(t *Told) {
	for i := range s.Signatures {
		other := &s.Signatures[i]
		other.vehicleID = other.vehicleID.besides(s.vehicle())
		if other.ID != t.ID && other.Counts() {
			other.Superseded = true
		}
	}
	t.vehicleID = s.vehicle()
	s.Frozen = true
	if s.State == Arrived {
		s.State = Inspected
	}
}

// besides is the vehicle that a signature still speaks for after another one was told of this vehicle.
func (f fact[T]) besides(now fact[T]) fact[T] {
	var none T
	switch {
	case !f.known || f.value == none || now == f:
		return f
	case !now.known:
		return fact[T]{}
	}
	return fact[T]{none, true}
}

// Signature finds what is told of a signature, or gives nil.
func (s *Story) Signature(id string) *Told {
	for i := range s.Signatures {
		if s.Signatures[i].ID == id {
			return &s.Signatures[i]
		}
	}
	return nil
}

// Current is the signature that counts, or nil.
func (s *Story) Current() *Told {
	for i := range slices.Backward(s.Signatures) {
		if t := &s.Signatures[i]; !t.Superseded && t.Counts() {
			return t
		}
	}
	return nil
}

// PassedOver says whether a sheet that was signed in conflict was left aside, and another revision signed since.
func (s *Story) PassedOver(id string) bool {
	at := slices.IndexFunc(s.Signatures, func(t Told) bool { return t.ID == id })
	if at < 0 || s.Signatures[at].Counts() {
		return false
	}
	return slices.ContainsFunc(s.Signatures[at:], func(t Told) bool { return t.Counts() && !t.Superseded })
}
