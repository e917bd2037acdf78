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
	ID          string        `bson:"id" json:"id" format:"uuid"`
	StoreID     string        `bson:"store_id" json:"-"`
	VisitID     string        `bson:"visit_id" json:"visit_id" format:"uuid"`
	SHA256      string        `bson:"sha256" json:"sha256" example:"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" pattern:"^[0-9a-f]{64}$"`
	Bytes       int64         `bson:"bytes" json:"bytes"`
	Width       int64         `bson:"width" json:"width"`   // pixels, as it is looked at
	Height      int64         `bson:"height" json:"height"` // pixels, as it is looked at
	ContentType string        `bson:"content_type" json:"content_type" example:"image/jpeg" enums:"image/jpeg,image/png,image/webp,image/heic"`
	TakenAt     *domain.Time  `bson:"taken_at,omitempty" json:"taken_at,omitempty"` // by the camera, where it says so with its zone
	StoredAt    domain.Time   `bson:"stored_at" json:"stored_at"`
	StoredBy    string        `bson:"stored_by" json:"stored_by" format:"uuid"`
	Sizes       Sizes         `bson:"sizes" json:"sizes"`
	Derived     Derived       `bson:"derived" json:"-"`
	Outbox      domain.Outbox `bson:"outbox" json:"-"`
}

// Sizes are where a photo is read: as it came, 1280 px and 320 px at its longer side.
type Sizes struct {
	Original string `bson:"original" json:"original" format:"uri-reference"`
	Screen   string `bson:"screen" json:"screen" format:"uri-reference"`
	Thumb    string `bson:"thumb" json:"thumb" format:"uri-reference"`
}

// Derived are the blobs of the derived sizes, by the hex digits of their SHA-256, once they are made.
type Derived struct {
	Screen string `bson:"screen,omitempty"`
	Thumb  string `bson:"thumb,omitempty"`
}

// Recording is one sound of a visit: the customer's words or the engine (R3, R8). Write-once.
type Recording struct {
	ID          string      `bson:"id" json:"id" format:"uuid"`
	StoreID     string      `bson:"store_id" json:"-"`
	VisitID     string      `bson:"visit_id" json:"visit_id" format:"uuid"`
	SHA256      string      `bson:"sha256" json:"sha256" pattern:"^[0-9a-f]{64}$"`
	Bytes       int64       `bson:"bytes" json:"bytes"`
	ContentType string      `bson:"content_type" json:"content_type" example:"audio/mp4" enums:"audio/mp4,audio/webm"`
	StoredAt    domain.Time `bson:"stored_at" json:"stored_at"`
	StoredBy    string      `bson:"stored_by" json:"stored_by" format:"uuid"`
	URL         string      `bson:"url" json:"url" format:"uri-reference"`
}

// StoredFile is a photo or a recording that is stored: the id that its maker gave it, and the SHA-256 of its bytes in hex.
type StoredFile struct {
	ID     string
	SHA256 string
}

// AddPhoto names a stored photo in the visit: it moves the sheet's digest, never a revision. Photos are taken until the
// visit is cancelled, for a tablet may bring them after the signature. It says whether the photo is new to the visit.
// CodeTooManyPhotos, CodeWrongState.
func (v *Visit) AddPhoto(f StoredFile, by Person, now domain.Time) (added bool, err error) {
	if added, err = v.addFile(&v.Photos, f, MaxPhotos, CodeTooManyPhotos); added {
		v.record("photo_stored", by.ID, map[string]string{"photo_id": f.ID, "sha256": f.SHA256}, now)
	}
	return added, err
}

// AddRecording names a stored recording in the visit, as AddPhoto does a photo. CodeTooManyRecordings, CodeWrongState.
func (v *Visit) AddRecording(f StoredFile, by Person, now domain.Time) (added bool, err error) {
	if added, err = v.addFile(&v.Recordings, f, MaxRecordings, CodeTooManyRecordings); added {
		v.record("recording_stored", by.ID, map[string]string{"recording_id": f.ID, "sha256": f.SHA256}, now)
	}
	return added, err
}

func (v *Visit) addFile(files *map[string]string, f StoredFile, limit int, tooMany domain.Code) (added bool, err error) {
	switch {
	case (*files)[f.ID] == f.SHA256:
		return false, nil
	case v.State == Cancelled:
		return false, domain.Refuse(CodeWrongState, "the visit is cancelled")
	case len(*files) >= limit:
		return false, domain.Refuse(tooMany, "a visit takes at most %d of these files", limit)
	}
	if *files == nil {
		*files = map[string]string{}
	}
	(*files)[f.ID] = f.SHA256
	if !v.Sections.Inspection.Frozen { // what is signed named its files already
		v.recomputeSheet()
	}
	return true, nil
}
