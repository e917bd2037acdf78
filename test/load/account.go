package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"example.com/walkaround/domain"
)

const adminPassword = "seven quiet herons wade"

// account speaks to one server as its first account.
type account struct {
	server *process
	client *http.Client
	folder string // of its server, once it is served for a figure
	token  string
}

// arrival is what an arrival is answered, as far as it is used here.
type arrival struct {
	ID         string      `json:"id"`
	Number     string      `json:"number"`
	VehicleID  string      `json:"vehicle_id"`
	CustomerID string      `json:"customer_id"`
	ArrivedAt  domain.Time `json:"arrived_at"`
}

// login signs in. A token lasts longer than any figure takes.
func (a *account) login(ctx context.Context) error {
	var grant struct {
		AccessToken string `json:"access_token"`
	}
	err := a.call(ctx, http.MethodPost, "/v1/auth/login", map[string]string{"username": "admin", "password": adminPassword, "store": "main"}, &grant)
	a.token = grant.AccessToken
	return err
}

// call sends JSON and decodes the answer into into, which may be nil.
func (a *account) call(ctx context.Context, method, path string, body, into any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := a.request(ctx, method, path, encoded)
	if err != nil {
		return err
	}
	if method == http.MethodPut {
		r.Header.Set("If-None-Match", "*")
	}
	answer, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it is read whole
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.500s: %w", method, path, answer.Status, text, err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// request makes a request of this account.
func (a *account) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, a.server.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// fullVisit makes a visit as it stands before the signature: every item of the checklist answered.
func (a *account) fullVisit(ctx context.Context) (arrival, error) {
	var made arrival
	if err := a.login(ctx); err != nil {
		return made, err
	}
	err := a.call(ctx, http.MethodPost, "/v1/visits", arrivalOf(domain.NewID(), templatePlate, templatePhone), &made)
	if err != nil {
		return made, err
	}
	if err := a.call(ctx, http.MethodPut, "/v1/visits/"+made.ID+"/intake", json.RawMessage(intake(0)), nil); err != nil {
		return made, err
	}
	walk, err := a.inspection(ctx)
	if err != nil {
		return made, err
	}
	return made, a.call(ctx, http.MethodPut, "/v1/visits/"+made.ID+"/inspection", json.RawMessage(walk(0)), nil)
}

func arrivalOf(id, plate, phone string) map[string]any {
	return map[string]any{
		"id": id, "plate": plate, "odometer_km": 45210,
		"customer": map[string]string{"name": templateName, "salutation": "先生", "phone": phone},
	}
}

// intake is a body of about 700 bytes that says something else for each n.
func intake(n int) []byte {
	const words = "早上冷車起步時前輪附近有金屬摩擦的聲音,踩煞車的時候更明顯,開十分鐘以後就沒有了"
	return fmt.Appendf(nil, `{"requests":[{"id":"r1","words":"%s","restated":true,"restated_at":"2026-11-20T08:15:30.000Z"},`+
		`{"id":"r2","words":"下個月要開長途,請順便檢查輪胎和電瓶,雨刷也刮不乾淨了 (%d)","restated":true,"restated_at":"2026-11-20T08:16:10.000Z"}],`+
		`"fuel_percent":40,"wanted_at":"2026-11-20T17:30:00.000Z","language":"zh-Hant","note":"客戶在休息室等候,完工請先打電話"}`, words, n)
}

// inspection makes walk-arounds that answer the whole checklist of the store.
func (a *account) inspection(ctx context.Context) (func(n int) []byte, error) {
	var lists struct {
		Items []struct {
			Items []struct {
				Code string `json:"code"`
			} `json:"items"`
		} `json:"items"`
	}
	if err := a.call(ctx, http.MethodGet, "/v1/checklists", nil, &lists); err != nil {
		return nil, err
	}
	var items []string
	for _, list := range lists.Items[:min(1, len(lists.Items))] {
		for _, item := range list.Items {
			items = append(items, fmt.Sprintf(`{"code":%q,"result":"ok"}`, item.Code))
		}
	}
	return func(n int) []byte {
		return fmt.Appendf(nil, `{"customer_present":true,"valuables_reminder_at":"2026-11-20T08:20:00.000Z",`+
			`"covers":{"seat":true,"steering_wheel":true,"floor":true,"fitted_at":"2026-11-20T08:21:00.000Z"},"items":[%s],`+
			`"damages":[{"id":"d1","view":"left","x":0.42,"y":0.55,"kind":"scratch","severity":"minor","length_mm":%d}],`+
			`"belongings":[{"description":"太陽眼鏡","quantity":1,"valuable":false,"kept":"left_in_car"}],`+
			`"engine":{"checked":true,"abnormal_noise":false}}`, strings.Join(items, ","), n%1_000+1)
	}, nil
}
