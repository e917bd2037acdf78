package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/storage"
)

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
