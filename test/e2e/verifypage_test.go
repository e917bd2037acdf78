package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/walkaround/test/harness"
)

func TestAScannedCodeIsAnsweredWithAPage(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").Arrive(harness.CarArrival("粵A·20001"))
	photo := v.UploadPhoto(harness.SmallPhoto(1), "image/png").Want(http.StatusCreated).Text("id")
	v.PutIntake(harness.Intake()).Want(http.StatusOK)
	v.PutInspection(v.Inspection(photo)).Want(http.StatusOK)
	digest := v.Sign().Want(http.StatusCreated).Text("digest")
	unknown := "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		digest, language string
		status           int
		says             []string
	}{
		"genuine":             {digest, "zh-Hant", http.StatusOK, []string{"此檢查單為真", digest, `lang="zh-Hant"`}},
		"in English":          {digest, "en-GB", http.StatusOK, []string{"This sheet is genuine", "revision 1"}},
		"not known":           {unknown, "zh-Hant", http.StatusNotFound, []string{"查無此檢查單", unknown}},
		"not known, in Hans":  {unknown, "zh-CN", http.StatusNotFound, []string{"查无此检查单"}},
		"not known, English":  {unknown, "", http.StatusNotFound, []string{"No such sheet"}},
		"not even of a sheet": {"sha256:12", "zh-Hant", http.StatusNotFound, []string{"查無此檢查單", "sha256:12"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.Anyone().In(t).Raw(http.MethodGet, "/v1/verify/"+c.digest, nil, "Accept", "text/html,*/*;q=0.8", "Accept-Language", c.language).Want(c.status)
			for _, text := range c.says {
				if !strings.Contains(string(got.Body), text) {
					t.Errorf("the page does not say %q:\n%s", text, got.Body)
				}
			}
			if strings.Contains(string(got.Body), "陳") {
				t.Error("the page names the customer")
			}
		})
	}
	h.Anyone().Get("/v1/verify/"+unknown).WantProblem(http.StatusNotFound, "not_found")
}
