package openapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/walkaround/openapi"
)

// TestGenerateNamesFaults changes one thing in a copy of the sample and expects to be told.
func TestGenerateNamesFaults(t *testing.T) {
	for name, c := range map[string]struct{ file, old, with, says string }{
		"no id":              {"api/visits.go", "@ID\t\t\t\tcreateVisit\n", "\n", "POST /v1/visits: no @ID"},
		"no summary":         {"api/visits.go", "@Summary\t\tAnnounce a car", "", "POST /v1/visits: no @Summary"},
		"no description":     {"api/visits.go", "@Description\tNewest first.", "", "GET /v1/visits: no @Description"},
		"no tag":             {"api/extra/login.go", "@Tags\t\t\tauth", "", "POST /v1/auth/login: no @Tags"},
		"undeclared tag":     {"api/extra/login.go", "@Tags\t\t\tauth", "@Tags other", "tag other has no @tag.name"},
		"no answer":          {"api/visits.go", "@Success\t\t204", "@Failure\t\t409", "DELETE /v1/visits/{id}: no @Success"},
		"id taken":           {"api/extra/login.go", "@ID\t\t\t\tlogin", "@ID\tcreateVisit", "createVisit"},
		"parameter missing":  {"api/visits.go", "//	@Param			id	path	string	true	\"Visit\"	format(uuid)\n", "", "no @Param for {id}"},
		"parameter too many": {"api/extra/login.go", "@Tags", "@Param x path string true \"x\"\n//	@Tags", "@Param x is not in the path"},
		"body of a GET":      {"api/visits.go", "@Param			cursor	query		string", "@Param cursor body visit.Meta", "a GET has no body"},
		"unknown scheme":     {"api/visits.go", "@Security		oauth2[visits:read]", "@Security cookie", "@Security cookie is unknown"},
		"unknown scope":      {"api/visits.go", "oauth2[visits:read]", "oauth2[cars:read]", "scope cars:read has no @scope"},
		"unknown status":     {"api/visits.go", "@Failure		409", "@Failure 418", "POST /v1/visits: status 418"},
		"no code":            {"api/visits.go", "codes: id_taken, wrong_state", "It can not be.", "names no code"},
		"no title":           {"api/openapi.go", "@title			Sample house", "", "@title"},
		"no json tag":        {"api/extra/login.go", "`json:\"access_token\"`", "", "AccessToken has no json tag"},
		"bad limit":          {"domain/visit/visit.go", `minimum:"0"`, `minimum:"low"`, "tag minimum"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			says(t, generateCopy(t, map[string][2]string{c.file: {c.old, c.with}}), c.says)
		})
	}
}

func TestGenerateRefusesSchemasOfOneName(t *testing.T) {
	says(t, generateCopy(t, map[string][2]string{
		"api/extra/login.go": {"type tokens struct {", "type meta struct{}\ntype tokens struct {\n\tMeta meta `json:\"meta\"`"},
	}), "schemas extra.meta and visit.Meta would both be named Meta")
}

func TestGenerateTellsAllFaultsAtOnce(t *testing.T) {
	err := generateCopy(t, map[string][2]string{
		"api/extra/login.go": {"@Summary", "@Summery"},
		"api/visits.go":      {"@Tags			visits", "@Tags other"},
	})
	says(t, err, "login: no @Summary")
	says(t, err, "tag other")
}

func TestGenerateChecksExamples(t *testing.T) {
	root := copySample(t)
	dir := filepath.Join(root, "openapi", "examples")
	write(t, filepath.Join(dir, "nobody.200.json"), "{}")
	write(t, filepath.Join(dir, "login.200.json"), "{")
	_, err := openapi.Generate(root)
	says(t, err, "example nobody.200.json belongs to no JSON body")
	says(t, err, "login.200.json: unexpected end")
}

func TestGenerateKeepsEnumerationsInOneFile(t *testing.T) {
	root := copySample(t)
	write(t, filepath.Join(root, "domain", "visit", "more.go"), "package visit\n\nconst Lost State = \"lost\"\n")
	_, err := openapi.Generate(root)
	says(t, err, "schema visit.State: its constants stand in several files")
}

func TestGenerateHoldsCodesToTheCatalogue(t *testing.T) {
	_, err := openapi.Generate("testdata/house", openapi.Code{Name: "id_taken", Status: 409, Meaning: "Another body had this id."})
	says(t, err, "code wrong_state with status 409 is not in the catalogue")
	if strings.Contains(err.Error(), "code id_taken") {
		t.Errorf("id_taken is in the catalogue, yet: %v", err)
	}
}

func generateCopy(t *testing.T, changes map[string][2]string) error {
	t.Helper()
	root := copySample(t)
	for file, change := range changes {
		path := filepath.Join(root, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), change[0]) {
			t.Fatalf("%s has no %q", file, change[0])
		}
		write(t, path, strings.Replace(string(text), change[0], change[1], 1))
	}
	_, err := openapi.Generate(root)
	return err
}

// copySample copies the sample house into a module of its own, under the name that its imports have.
func copySample(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("testdata/house")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "go.mod"), "module example.com/walkaround/openapi/testdata/house\n\ngo 1.26.0\n")
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func says(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v and does not say %q", err, want)
	}
}
