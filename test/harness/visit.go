package harness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"strconv"
	"time"

	"example.com/walkaround/domain"
	"example.com/walkaround/test/samples"
)

// Map is a JSON object.
type Map = map[string]any

// Visit is a visit as one client works on it.
type Visit struct {
	*Client
	ID        string
	Arrival   Answer
	VehicleID string
}

// Phone is the number of the customer of CarArrival.
const Phone = "+8613800138000"

// CarArrival is an arrival with everything.
func CarArrival(plate string) Map {
	return Map{"plate": plate, "odometer_km": 45_210, "customer": Map{"name": "陳大文先生的車", "salutation": "先生", "phone": Phone}}
}

// Arrive opens a visit.
func (c *Client) Arrive(body any, headers ...string) Visit {
	c.tb.Helper()
	c.House.secrets.keep("a phone number", Phone, "13800138000")
	c.House.secrets.keep("a name", "陳大文")
	got := c.Do(http.MethodPost, "/v1/visits", body, headers...).Want(http.StatusCreated)
	return Visit{Client: c, ID: got.Text("id"), Arrival: got, VehicleID: got.Text("vehicle_id")}
}

// By is the visit as another client works on it.
func (v Visit) By(c *Client) Visit {
	v.Client = c
	return v
}

// At is the path of the visit, or of something below it.
func (v Visit) At(below string) string { return "/v1/visits/" + v.ID + below }

// Read reads the visit.
func (v Visit) Read() Answer {
	v.tb.Helper()
	return v.Get(v.At("")).Want(http.StatusOK)
}

// Put saves a section over whatever stands there now.
func (v Visit) Put(section string, body any) Answer {
	v.tb.Helper()
	seen := v.Get(v.At("/" + section)).Want(http.StatusOK)
	return v.Do(http.MethodPut, v.At("/"+section), body, "If-Match", seen.ETag())
}

// PutIntake saves the intake.
func (v Visit) PutIntake(body any) Answer {
	v.tb.Helper()
	return v.Put("intake", body)
}

// PutInspection saves the walk-around.
func (v Visit) PutInspection(body any) Answer {
	v.tb.Helper()
	return v.Put("inspection", body)
}

// UploadPhoto stores a photo under a new id, or under one that is given.
func (v Visit) UploadPhoto(file []byte, contentType string, id ...string) Answer {
	v.tb.Helper()
	photo := domain.NewID()
	if len(id) > 0 {
		photo = id[0]
	}
	return v.Do(http.MethodPut, v.At("/photos/"+photo), file, "Content-Type", contentType, "Content-Digest", ContentDigest(file))
}

// ContentDigest is the header of RFC 9530.
func ContentDigest(file []byte) string {
	sum := sha256.Sum256(file)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// SmallPhoto is a picture that costs little to store and to shrink.
func SmallPhoto(seed int) []byte {
	var b bytes.Buffer
	m := samples.Quadrants(64, 48)
	for i := range 8 {
		m.Set(i, 0, color.RGBA{R: byte(seed), G: byte(seed >> 8), B: byte(seed * i), A: 255}) //nolint:gosec // any colour will do
	}
	_ = samples.PNG(&b, m) // a buffer takes everything
	return b.Bytes()
}

// Intake is a complete intake.
func Intake() Map {
	return Map{
		"requests":     []Map{{"id": "r1", "words": "煞車有異響,尤其早上", "restated": true, "restated_at": "2026-11-23T01:00:00.000Z"}},
		"fuel_percent": 40, "language": "zh-Hant",
	}
}

// Inspection is a complete walk-around by the store's current checklist, with one damage on the photo.
func (c *Client) Inspection(photoID string) Map {
	c.tb.Helper()
	lists := c.Get("/v1/checklists").Want(http.StatusOK)
	items := []Map{}
	for i := range lists.List("items.0.items") {
		at := "items.0.items." + strconv.Itoa(i)
		if required, _ := lists.At(at + ".required").(bool); required {
			items = append(items, Map{"code": lists.Text(at + ".code"), "result": "ok"})
		}
	}
	now := c.House.Clock.Now()
	return Map{
		"customer_present": true, "valuables_reminder_at": stamp(now.Add(-5 * time.Minute)),
		"covers": Map{"seat": true, "steering_wheel": true, "floor": true, "fitted_at": stamp(now.Add(-4 * time.Minute))},
		"items":  items,
		"damages": []Map{{
			"id": "d1", "view": "left", "x": 0.42, "y": 0.55, "kind": "scratch", "severity": "minor", "length_mm": 80, "photo_ids": []string{photoID},
		}},
		"belongings": []Map{{"description": "太陽眼鏡", "quantity": 1, "valuable": false, "kept": "left_in_car"}},
		"engine":     Map{"checked": true, "abnormal_noise": false},
	}
}

func stamp(t time.Time) string { return domain.At(t).String() }

// ReadyVisit opens a visit that can be signed: taken, intake, walk-around and photo.
func (c *Client) ReadyVisit(plate string) Visit {
	c.tb.Helper()
	v := c.Arrive(CarArrival(plate))
	v.Do(http.MethodPost, v.At("/take"), nil).Want(http.StatusOK)
	v.PutIntake(Intake()).Want(http.StatusOK)
	photo := v.UploadPhoto(SmallPhoto(len(plate)), "image/png").Want(http.StatusCreated).Text("id")
	v.PutInspection(v.Inspection(photo)).Want(http.StatusOK)
	return v
}

// Signature is a signature on a digest.
func (v Visit) Signature(digest string) Map {
	drawn := Drawn()
	v.House.secrets.keep("a signature", drawn[100:160])
	return Map{
		"document": "inspection", "digest": digest, "signer": Map{"name": "陳大文", "relation": "owner"},
		"signed_at": stamp(v.House.Clock.Now()), "image": drawn,
		"strokes": [][][]float64{{{20, 60, 0, 0.4}, {40, 30, 16, 0.6}, {80, 90, 33, 0.7}}, {{100, 40, 400}, {160, 70, 430}}},
		"device":  Map{"id": "tablet-1", "app_version": "1.0.0", "clock_offset_ms": -120, "offline_seconds": 0},
	}
}

// Digest is that of the sheet as it stands.
func (v Visit) Digest() string {
	v.tb.Helper()
	return v.Read().Text("sections.inspection.digest")
}

// Sign signs the sheet as it stands.
func (v Visit) Sign(headers ...string) Answer {
	v.tb.Helper()
	return v.SignAs(v.Signature(v.Digest()), headers...)
}

// SignAs sends a signature.
func (v Visit) SignAs(body Map, headers ...string) Answer {
	v.tb.Helper()
	return v.Do(http.MethodPost, v.At("/signatures"), body, headers...)
}

// Drawn is a drawn signature as a data URI, 300 × 120 pixels.
func Drawn() string {
	m := image.NewRGBA(image.Rect(0, 0, 300, 120))
	for x := 20; x < 280; x++ {
		y := 60 + 30*math.Sin(float64(x)/18)
		for d := range 3 {
			m.Set(x, int(y)+d, color.RGBA{B: 90, A: 255})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m) // a buffer takes everything
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}
