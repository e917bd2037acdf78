package api

import (
	"net/http"
	"testing"

	"example.com/walkaround/domain/visit"
)

func TestPrecondition(t *testing.T) {
	for name, c := range map[string]struct {
		match, none string
		revision    int64
		want        string
	}{
		"the one that was seen":        {`"3-abc"`, "", 3, ""},
		"the digest does not count":    {`"3-other"`, "", 3, ""},
		"without a digest":             {`"3"`, "", 3, ""},
		"weak":                         {`W/"3-abc"`, "", 3, "precondition_failed"},
		"weak among strong":            {`W/"3-abc", "3-abc"`, "", 3, ""},
		"after an empty element":       {`, ,"3-abc",`, "", 3, ""},
		"with a comma inside":          {`"1,2", "3-abc"`, "", 3, ""},
		"a star in quotation marks":    {`"*"`, "", 3, "precondition_failed"},
		"one of several":               {`"1-a", "3-abc"`, "", 3, ""},
		"stale":                        {`"2-abc"`, "", 3, "precondition_failed"},
		"a longer number":              {`"33-abc"`, "", 3, "precondition_failed"},
		"not ours":                     {`"abc"`, "", 3, "precondition_failed"},
		"no quotation marks":           {`3-abc`, "", 3, "bad_header"},
		"a weak one without":           {`W/3-abc`, "", 3, "bad_header"},
		"a small w":                    {`w/"3-abc"`, "", 3, "bad_header"},
		"half a tag":                   {`"3-abc`, "", 3, "bad_header"},
		"a space inside":               {`"3 abc"`, "", 3, "bad_header"},
		"no comma between":             {`"2-abc" "3-abc"`, "", 3, "bad_header"},
		"single quotation marks":       {`'3-abc'`, "", 3, "bad_header"},
		"a star among tags":            {`*, "3-abc"`, "", 3, "bad_header"},
		"two stars":                    {`*, *`, "", 3, "bad_header"},
		"nothing":                      {" ", "", 3, "bad_header"},
		"commas alone":                 {",,", "", 3, "bad_header"},
		"none that can't be read":      {`"3-abc"`, "abc", 3, "bad_header"},
		"none":                         {"", "", 3, "precondition_required"},
		"first":                        {"", "*", 0, ""},
		"first, but there is one":      {"", "*", 3, "precondition_failed"},
		"any":                          {"*", "", 3, ""},
		"any, but there is none":       {"*", "", 0, "precondition_failed"},
		"revision 0 that was seen":     {`"0-abc"`, "", 0, ""},
		"other than one says nothing":  {"", `"2-abc"`, 3, "precondition_required"},
		"not this one":                 {"", `W/"3-abc"`, 3, "precondition_failed"},
		"both hold":                    {`"3-abc"`, `"2-abc"`, 3, ""},
		"both must hold":               {`"3-abc"`, "*", 3, "precondition_failed"},
		"If-Match decides before none": {`"2-abc"`, "*", 0, "precondition_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			gc := asked(http.MethodPut, "/", "")
			if c.match != "" {
				gc.Request.Header.Set("If-Match", c.match)
			}
			if c.none != "" {
				gc.Request.Header.Set("If-None-Match", c.none)
			}
			got := told(t, precondition(gc, c.revision, `"3-current"`))
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if told := gc.Writer.Header().Get("ETag") == `"3-current"`; told != (c.want == "precondition_failed") {
				t.Error("the current ETag belongs to 412 alone")
			}
		})
	}
}

func TestPreconditionInSeveralLines(t *testing.T) {
	c := asked(http.MethodPut, "/", "")
	c.Request.Header["If-Match"] = []string{`"1-a"`, `"3-c"`}
	if err := precondition(c, 3, `"3-c"`); err != nil {
		t.Error(err)
	}
	c.Request.Header["If-Match"] = []string{"*", `"3-c"`}
	if got := told(t, precondition(c, 3, `"3-c"`)); got != "bad_header" {
		t.Error(got)
	}
}

// matches says whether If-Match with this tag meets a revision.
func matches(tag string, revision int64) bool {
	read, err := readTags(http.Header{"If-Match": {tag}}, "If-Match")
	return err == nil && read.strong().name(revision)
}

func TestETag(t *testing.T) {
	for want, got := range map[string]string{
		`"3-9f86d081884c"`: etag(3, "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
		`"3-"`:             etag(3, ""),
		`"0-abc"`:          etag(0, "abc"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestSectionTagTellsASignature(t *testing.T) {
	section := visit.Section{Revision: 3, Digest: "sha256:9f86d081884c7d65"}
	if got := sectionTag(section); got != `"3-9f86d081884c"` {
		t.Error(got)
	}
	section.Frozen = true
	if got := sectionTag(section); got != `"3-9f86d081884c-f"` || !matches(got, 3) || matches(got, 2) {
		t.Error(got)
	}
}

func TestVisitTagTellsItsSections(t *testing.T) {
	v := visit.Visit{Revision: 7}
	v.Sections.Inspection.Digest, v.Sections.Inspection.Revision, v.Sections.Intake.Revision = "sha256:9f86d081884c7d65", 3, 2
	if got := visitTag(&v); got != `"7-9f86d081884c-2.3"` || !matches(got, 7) {
		t.Error(got)
	}
}

func TestNotModified(t *testing.T) {
	for header, want := range map[string]bool{
		`"1-a"`: true, `W/"1-a"`: true, `"0-x", "1-a"`: true, `"1-b"`: false, "": false, `1-a`: false, "*": true, `"1-b", 1-a`: false, `"1-b",W/"1-a"`: true,
	} {
		c := asked(http.MethodGet, "/", "", "If-None-Match", header)
		if got := notModified(c, `"1-a"`); got != want || c.Writer.Header().Get("ETag") != `"1-a"` {
			t.Errorf("%s: %v", header, got)
		}
		if want && c.Writer.Status() != http.StatusNotModified {
			t.Errorf("%s: %d", header, c.Writer.Status())
		}
	}
}
