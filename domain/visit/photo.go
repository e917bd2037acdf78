package visit

import "example.com/walkaround/domain"

// MaxPhotos is how many photos a visit takes, MaxRecordings how many recordings.
const (
	MaxPhotos     = 400
	MaxRecordings = 50
)

// TaskSizes is owed after a photo: its derived sizes.
const TaskSizes = "sizes"

// Photo is one picture of a visit: write-once, kept byte for byte, a small document of its own.
type Photo struct {
	ID          string        `bson:"id" json:"id"`
	StoreID     string        `bson:"store_id" json:"-"`
	VisitID     string        `bson:"visit_id" json:"visit_id"`
	SHA256      string        `bson:"sha256" json:"sha256" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`
	Bytes       int64         `bson:"bytes" json:"bytes"`
	Width       int64         `bson:"width" json:"width"`   // pixels, as it is looked at
	Height      int64         `bson:"height" json:"height"` // pixels, as it is looked at
	ContentType string        `bson:"content_type" json:"content_type" example:"image/jpeg"`
	TakenAt     *domain.Time  `bson:"taken_at,omitempty" json:"taken_at,omitempty"` // by the camera, where it says so with its zone
	StoredAt    domain.Time   `bson:"stored_at" json:"stored_at"`
	StoredBy    string        `bson:"stored_by" json:"stored_by"`
	Sizes       Sizes         `bson:"sizes" json:"sizes"`
	Derived     Derived       `bson:"derived" json:"-"`
	Outbox      domain.Outbox `bson:"outbox" json:"-"`
}

// Sizes are where a photo is read: as it came, 1280 px and 320 px at its longer side.
type Sizes struct {
	Original string `bson:"original" json:"original"`
	Screen   string `bson:"screen" json:"screen"`
	Thumb    string `bson:"thumb" json:"thumb"`
}

// Derived are the blobs of the derived sizes, by the hex digits of their SHA-256, once they are made.
type Derived struct {
	Screen string `bson:"screen,omitempty"`
	Thumb  string `bson:"thumb,omitempty"`
}

// Recording is one sound of a visit: the customer's words or the engine (R3, R8). Write-once.
type Recording struct {
	ID          string      `bson:"id" json:"id"`
	StoreID     string      `bson:"store_id" json:"-"`
	VisitID     string      `bson:"visit_id" json:"visit_id"`
	SHA256      string      `bson:"sha256" json:"sha256"`
	Bytes       int64       `bson:"bytes" json:"bytes"`
	ContentType string      `bson:"content_type" json:"content_type" example:"audio/mp4"`
	StoredAt    domain.Time `bson:"stored_at" json:"stored_at"`
	StoredBy    string      `bson:"stored_by" json:"stored_by"`
	URL         string      `bson:"url" json:"url"`
}

// AddPhoto names a stored photo in the visit: it moves the sheet's digest, never a revision. Photos are taken until the
// visit is cancelled, for a tablet may bring them after the signature. CodeTooManyPhotos, CodeWrongState.
func (v *Visit) AddPhoto(id, sha256 string, by string, now domain.Time) error {
	if v.State == Cancelled {
		return domain.Refuse(CodeWrongState, "the visit is cancelled")
	}
	if len(v.Photos) >= MaxPhotos {
		return domain.Refuse(CodeTooManyPhotos, "a visit takes at most %d photos", MaxPhotos)
	}
	if v.Photos == nil {
		v.Photos = map[string]string{}
	}
	v.Photos[id] = sha256
	v.record("photo_stored", by, map[string]string{"photo_id": id, "sha256": sha256}, now)
	v.filesChanged()
	return nil
}

// AddRecording names a stored recording in the visit, as AddPhoto does a photo.
func (v *Visit) AddRecording(id, sha256 string, by string, now domain.Time) error {
	if v.State == Cancelled {
		return domain.Refuse(CodeWrongState, "the visit is cancelled")
	}
	if len(v.Recordings) >= MaxRecordings {
		return domain.Refuse(CodeTooManyPhotos, "a visit takes at most %d recordings", MaxRecordings)
	}
	if v.Recordings == nil {
		v.Recordings = map[string]string{}
	}
	v.Recordings[id] = sha256
	v.record("recording_stored", by, map[string]string{"recording_id": id, "sha256": sha256}, now)
	v.filesChanged()
	return nil
}

// filesChanged brings the digest up to date; what is signed named its files already.
func (v *Visit) filesChanged() {
	if !v.Sections.Inspection.Frozen {
		v.recompute()
	}
}
