package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain"
	"example.com/walkaround/domain/staff"
	"example.com/walkaround/openapi"
	"example.com/walkaround/test/harness"
)

// Who may, as DESIGN section 4 says it; written out here so that a change of an area shows.
const (
	anyone     = "anyone"
	everyRole  = "advisor technician cashier follow_up supervisor admin gate"
	department = "advisor technician cashier follow_up supervisor admin"
	leaders    = "supervisor admin"
	admins     = "admin"
	filers     = "advisor follow_up supervisor"
)

// whoMay has a row for every route. Logging out stands apart: its row is tried last.
func whoMay() map[string]string {
	return map[string]string{
		"GET /healthz": anyone, "GET /readyz": anyone, "GET /metrics": anyone, "GET /openapi.json": anyone, "GET /openapi.yaml": anyone,
		"GET /": anyone, "GET /docs": anyone, "GET /docs/*page": anyone, "GET /problems": anyone, "GET /.well-known/jwks.json": anyone,
		"GET /.well-known/walkaround-keys.json": anyone, "GET /v1/verify/{digest}": anyone, "GET /v1/drawings/{view}": anyone,
		"POST /v1/auth/login": anyone, "POST /v1/auth/refresh": anyone,

		"POST /v1/auth/logout": everyRole, "GET /v1/me": everyRole, "PUT /v1/me/password": everyRole,
		"GET /v1/stores": everyRole, "GET /v1/stores/{id}": everyRole, "POST /v1/stores": admins, "PATCH /v1/stores/{id}": leaders,
		"GET /v1/staff": leaders, "POST /v1/staff": leaders, "GET /v1/staff/{id}": leaders, "PATCH /v1/staff/{id}": leaders,
		"POST /v1/store-keys": admins, "GET /v1/checkpoints": department,

		"GET /v1/checklists": department, "GET /v1/checklists/{id}": department, "PUT /v1/checklists/{id}": leaders,
		"GET /v1/phrases": department, "PUT /v1/phrases/{step}/{language}": leaders, "DELETE /v1/phrases/{step}/{language}": leaders,

		"GET /v1/vehicles": department, "GET /v1/vehicles/{id}": department, "PATCH /v1/vehicles/{id}": department,
		"POST /v1/vehicles/{id}/plates": department, "GET /v1/vehicles/{id}/damage": department,
		"GET /v1/customers": filers, "GET /v1/customers/{id}": filers, "PATCH /v1/customers/{id}": filers,

		"POST /v1/visits": everyRole, "GET /v1/visits": department, "GET /v1/visits/{id}": department, "PATCH /v1/visits/{id}": department,
		"POST /v1/visits/{id}/take": department, "POST /v1/visits/{id}/cancel": department, "POST /v1/visits/{id}/copies": department,
		"GET /v1/visits/{id}/events": department, "GET /v1/visits/{id}/intake": department, "PUT /v1/visits/{id}/intake": department,
		"GET /v1/visits/{id}/inspection": department, "PUT /v1/visits/{id}/inspection": department,
		"POST /v1/visits/{id}/inspection/revisions": department, "GET /v1/visits/{id}/photos": department,
		"PUT /v1/visits/{id}/photos/{photo_id}": department, "GET /v1/visits/{id}/photos/{photo_id}": department,
		"PUT /v1/visits/{id}/recordings/{recording_id}": department, "GET /v1/visits/{id}/recordings/{recording_id}": department,
		"POST /v1/visits/{id}/signatures": department, "GET /v1/visits/{id}/signatures": department,
		"GET /v1/visits/{id}/documents/inspection.json": department, "GET /v1/visits/{id}/documents/inspection.pdf": department,
		"GET /v1/visits/{id}/documents/bundle.zip": department,
	}
}

func fill(path string) string {
	id := domain.NewID()
	return strings.NewReplacer("{id}", id, "{photo_id}", id, "{recording_id}", id, "{step}", "greeting", "{language}", "zh-Hant",
		"{digest}", "sha256:"+strings.Repeat("0", 64), "{view}", "front.svg", "*page", "").Replace(path)
}

func TestEveryRouteByEveryRole(t *testing.T) {
	h := harness.Start(t)
	table := whoMay()
	for _, route := range h.Server.Routes() {
		name := route.Method + " " + route.Path
		who, ok := table[name]
		if !ok {
			t.Errorf("%s has no row in the table", name)
		}
		delete(table, name)
		t.Run(name, func(t *testing.T) {
			askAsEveryone(t, h, route.Method, route.Path, who)
		})
	}
	for name := range table {
		t.Errorf("%s is no route", name)
	}
}

func askAsEveryone(t *testing.T, h *harness.House, method, path, who string) {
	t.Helper()
	stranger := h.Anyone().In(t).Raw(method, fill(path), nil)
	if refused := stranger.Status == http.StatusUnauthorized; refused != (who != anyone) {
		t.Errorf("no account: %d", stranger.Status)
	}
	if who != anyone && (stranger.Text("code") != "unauthenticated" || stranger.Header.Get("WWW-Authenticate") == "") {
		t.Errorf("no account: %s %s", stranger.Header.Get("WWW-Authenticate"), stranger.Body)
	}
	for _, role := range staff.Roles() {
		c := h.As(string(role)).In(t)
		got := c.Raw(method, fill(path), nil)
		may := who == anyone || slices.Contains(strings.Fields(who), string(role))
		if forbidden := got.Status == http.StatusForbidden; forbidden == may || got.Status == http.StatusUnauthorized || got.Status >= 500 {
			t.Errorf("%s: %d %s", role, got.Status, got.Text("code"))
		}
		if path == "/v1/auth/logout" {
			h.As(string(role)).Login()
		}
	}
}

// TestDocumentHasTheRoutes holds the OpenAPI document to the router: the same routes, and security exactly where an
// account is needed.
func TestDocumentHasTheRoutes(t *testing.T) {
	h := harness.Start(t)
	var document struct {
		Paths    map[string]map[string]json.RawMessage `json:"paths"`
		Security []json.RawMessage                     `json:"security"`
	}
	if err := json.Unmarshal(openapi.JSON, &document); err != nil {
		t.Fatal(err)
	}
	for _, route := range h.Server.Routes() {
		if strings.HasPrefix(route.Path, "/docs") || route.Path == "/" || route.Path == "/problems" { // pages for people
			continue
		}
		method := strings.ToLower(route.Method)
		raw, ok := document.Paths[route.Path][method]
		if !ok {
			t.Errorf("%s %s is not in the document", route.Method, route.Path)
			continue
		}
		var operation struct {
			Security *[]json.RawMessage `json:"security"`
		}
		if err := json.Unmarshal(raw, &operation); err != nil {
			t.Fatal(err)
		}
		open := operation.Security != nil && len(*operation.Security) == 0 || operation.Security == nil && len(document.Security) == 0
		if open != (route.Area == "") {
			t.Errorf("%s %s: area %q, but the document says open=%v", route.Method, route.Path, route.Area, open)
		}
		delete(document.Paths[route.Path], method)
	}
	for path, operations := range document.Paths {
		for method := range operations {
			if method != "parameters" {
				t.Errorf("%s %s is in the document alone", method, path)
			}
		}
	}
}

func TestAnotherStoreIsNotThere(t *testing.T) {
	h := harness.Start(t)
	admin := h.As("admin")
	admin.Do(http.MethodPost, "/v1/stores", object{"id": "north", "name": "北區店"}).Want(http.StatusCreated)
	stranger := admin.Hire("bei", "北北", "supervisor", "Walkaround-Store", "north")
	v := h.As("advisor").ReadyVisit("粵A·12345")
	digest := v.Sign().Want(http.StatusCreated).Text("digest")
	photo := v.Get(v.At("/photos")).Text("items.0.id")
	list := admin.Get("/v1/checklists").Text("items.0.id")
	for _, route := range h.Server.Routes() {
		if route.Area == "" || !strings.Contains(route.Path, "{id}") {
			continue
		}
		id := v.ID
		for start, other := range map[string]string{
			"/v1/vehicles": v.VehicleID, "/v1/customers": v.Arrival.Text("customer_id"), "/v1/staff": v.AccountID, "/v1/stores": "main", "/v1/checklists": list,
		} {
			if strings.HasPrefix(route.Path, start) {
				id = other
			}
		}
		path := strings.NewReplacer("{id}", id, "{photo_id}", photo, "{recording_id}", photo).Replace(route.Path)
		if got := stranger.Do(route.Method, path, bodyFor(route.Method, path, digest, v), headersFor(route.Method, path)...); got.Status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", route.Method, route.Path, got.Status, got.Body)
		}
	}
	for _, path := range []string{"/v1/visits", "/v1/visits?plate=粵", "/v1/vehicles", "/v1/customers", "/v1/checkpoints"} {
		if got := stranger.Get(path).Want(http.StatusOK); len(got.List("items")) != 0 {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	stranger.Get("/v1/visits", "Walkaround-Store", "main").WantProblem(http.StatusNotFound, "not_found")
	admin.Get("/v1/visits/"+v.ID, "Walkaround-Store", "north").WantProblem(http.StatusNotFound, "not_found")
	admin.Get("/v1/visits", "Walkaround-Store", "south").WantProblem(http.StatusNotFound, "not_found")
	if got := stranger.Get("/v1/stores").Want(http.StatusOK); len(got.List("items")) != 1 || got.Text("items.0.id") != "north" {
		t.Errorf("stores: %s", got.Body)
	}
	theirs := stranger.Arrive(object{"plate": "粵A·12345"})
	if seen := admin.Get("/v1/visits/"+theirs.ID, "Walkaround-Store", "north").Want(http.StatusOK); seen.Text("store_id") != "north" {
		t.Errorf("the chain's admin sees %s", seen.Body)
	}
	if theirs.Arrival.Number("known.visits") != 0 || theirs.VehicleID == v.VehicleID {
		t.Errorf("the car's files crossed stores: %s", theirs.Arrival.Body)
	}
}

// bodyFor is a body that would be taken, so that only the store can be what is refused.
func bodyFor(method, path, digest string, v harness.Visit) any {
	_, below, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	_, last, _ := strings.Cut(below, "/")
	switch {
	case method == http.MethodGet || method == http.MethodDelete:
		return nil
	case strings.Contains(path, "/photos/") || strings.Contains(path, "/recordings/"):
		return harness.SmallPhoto(1)
	case strings.HasPrefix(path, "/v1/checklists"):
		return object{"name": "x", "items": []object{{"code": "a", "section": "s", "label": "l", "required": true}}}
	}
	switch last {
	case "signatures":
		return v.Signature(digest)
	case "cancel", "inspection/revisions":
		return object{"reason": "because"}
	case "copies":
		return object{"digest": digest, "kind": "paper"}
	case "plates":
		return object{"plate": "粵Z·99999"}
	default:
		return object{}
	}
}

func headersFor(method, path string) []string {
	switch {
	case strings.Contains(path, "/photos/"):
		return []string{"Content-Type", "image/png"}
	case strings.Contains(path, "/recordings/"):
		return []string{"Content-Type", "audio/mp4"}
	case method == http.MethodPut || method == http.MethodPatch || method == http.MethodDelete:
		return []string{"If-Match", `"1-"`}
	default:
		return nil
	}
}

// TestGateAnnounces lets the gate open a visit and learn nothing from it.
func TestGateAnnounces(t *testing.T) {
	h := harness.Start(t)
	first := h.As("advisor").ReadyVisit("粵A·12345")
	first.Sign().Want(http.StatusCreated)
	v := h.As("gate").Arrive(object{"plate": "粵A·12345"})
	if v.Arrival.At("known.customer") != nil || v.Arrival.Text("customer_id") != "" || v.Arrival.Number("known.odometer_km") != 0 {
		t.Errorf("the gate was told: %s", v.Arrival.Body)
	}
	if v.Arrival.Text("announced_by.id") != h.As("gate").AccountID || v.Arrival.At("greeted_by") != nil {
		t.Errorf("announced: %s", v.Arrival.Body)
	}
	taken := v.By(h.As("technician")).Do(http.MethodPost, v.At("/take"), nil).Want(http.StatusOK)
	if taken.Text("greeted_by.id") != h.As("technician").AccountID || taken.Text("known.customer.name") == "" {
		t.Errorf("taken: %s", taken.Body)
	}
}
