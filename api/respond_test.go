package api

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
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
		"weak":                         {`W/"3-abc"`, "", 3, ""},
		"one of several":               {`"1-a", "3-abc"`, "", 3, ""},
		"stale":                        {`"2-abc"`, "", 3, "precondition_failed"},
		"a longer number":              {`"33-abc"`, "", 3, "precondition_failed"},
		"nonsense":                     {`abc`, "", 3, "precondition_failed"},
		"none":                         {"", "", 3, "precondition_required"},
		"first":                        {"", "*", 0, ""},
		"first, but there is one":      {"", "*", 3, "precondition_failed"},
		"any":                          {"*", "", 3, ""},
		"any, but there is none":       {"*", "", 0, "precondition_failed"},
		"revision 0 that was seen":     {`"0-abc"`, "", 0, ""},
		"other than one says nothing":  {"", `"2-abc"`, 3, "precondition_failed"},
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

func TestGzipOnlyForThoseWhoTakeIt(t *testing.T) {
	long := func(dst []byte) []byte { return append(dst, strings.Repeat("x", 2_000)...) }
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "br, GZIP": "gzip", "gzip;q=0": "", "gzip; q=0.000": "", "gzip;q=0.5, br": "gzip", "deflate, gzip ; Q=1.0": "gzip",
		"gzip;q=x": "", "identity": "", "xgzip": "", "br;q=1, gzip;q=0": "", "*": "",
	} {
		c := asked(http.MethodGet, "/", "", "Accept-Encoding", header)
		c.Header("Vary", "Accept-Language")
		sendZipped(c, long)
		h := c.Writer.Header()
		if got := h.Get("Content-Encoding"); got != want || !slices.Equal(h.Values("Vary"), []string{"Accept-Language", "Accept-Encoding"}) {
			t.Errorf("%q: %q, Vary %q", header, got, h.Values("Vary"))
		}
	}
}

func TestNotModified(t *testing.T) {
	for header, want := range map[string]bool{
		`"1-a"`: true, `W/"1-a"`: true, `"0-x", "1-a"`: true, `"1-b"`: false, "": false, `1-a`: false,
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

func TestListQuery(t *testing.T) {
	for target, want := range map[string]string{
		"/?limit=1": "", "/?limit=200": "", "/": "", "/?limit=0": "bad_parameter /query/limit=bad_parameter",
		"/?limit=201": "bad_parameter /query/limit=bad_parameter", "/?limit=x": "bad_parameter /query/limit=bad_parameter",
	} {
		if _, err := listQuery(asked(http.MethodGet, target, ""), "k", "p"); told(t, err) != want {
			t.Errorf("%s: %v", target, err)
		}
	}
	q, err := listQuery(asked(http.MethodGet, "/?limit=7&cursor=abc", ""), "k", "p")
	if err != nil || q != (storage.Query{Key: "k", Prefix: "p", Limit: 7, After: "abc", SkipDamaged: true}) {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestNarrow(t *testing.T) {
	upper := filter{"plate", func(s string) string { return strings.ToUpper(strings.Trim(s, "-")) }}
	plain := filter{"vin", func(s string) string { return s }}
	for target, want := range map[string]string{
		"/": "seen||true", "/?plate=": "seen||true", "/?plate=-a-": "plate|main/A|false", "/?vin=x&plate=": "vin|main/x|false",
		"/?plate=--": "bad_parameter /query/plate=bad_parameter", "/?plate=a&vin=x": "bad_parameter /query/vin=bad_parameter",
	} {
		c := asked(http.MethodGet, target, "")
		c.Set(keyStore, "main")
		q := storage.Query{Key: "seen", Desc: true}
		got := told(t, narrow(c, &q, upper, plain))
		if got == "" {
			got = q.Key + "|" + q.Prefix + "|" + map[bool]string{true: "true", false: "false"}[q.Desc]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}

func TestContentDigest(t *testing.T) {
	sum := strings.Repeat("\x01", 32)
	encoded := base64.StdEncoding.EncodeToString([]byte(sum))
	for header, want := range map[string]string{
		"": "", "sha-512=:abcd:": "", "sha-256=:" + encoded + ":": strings.Repeat("01", 32),
		"sha-512=:abcd:, SHA-256=:" + encoded + ":": strings.Repeat("01", 32),
		"sha-256=:AAAA:": "refused", "sha-256=:!:": "refused", "sha-256=::": "refused",
	} {
		got, err := contentDigest(http.Header{"Content-Digest": {header}})
		if err != nil {
			if told(t, err) != "bad_header" {
				t.Error(err)
			}
			got = "refused"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func TestPhoneForm(t *testing.T) {
	for typed, want := range map[string]string{
		"8000": "8000", "８０００": "8000", "00": "00", "13800138000": "+8613800138000", "138 0013 8000": "+8613800138000",
		"+86 138-0013-8000": "+8613800138000", " 8613800138000": "+8613800138000", "+852 9123 4567": "+85291234567",
		"138001": "138001", "not a number": "", "ext. 12": "12",
	} {
		if got := phoneForm(typed, "CN"); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestDevice(t *testing.T) {
	for header, want := range map[string]string{"tablet-1": "tablet-1", "a b": "", strings.Repeat("x", 65): "", strings.Repeat("x", 64): strings.Repeat("x", 64), "平板": ""} {
		if got := device(asked(http.MethodGet, "/", "", "Walkaround-Device", header)); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}
