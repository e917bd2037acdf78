package openapi_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"example.com/walkaround/openapi"
)

var update = flag.Bool("update", false, "write the sample's document anew")

const sample = "testdata/house/openapi/openapi.json"

// TestGenerateSample holds every shape that annotations can take to the document that they give.
func TestGenerateSample(t *testing.T) {
	got := generate(t)
	if *update {
		if err := os.WriteFile(sample, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the document of testdata/house has changed; look at the difference after go test ./openapi -update")
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	first := generate(t)
	for range 3 {
		if !bytes.Equal(first, generate(t)) {
			t.Fatal("two runs over the same sources differ")
		}
	}
}

func generate(t *testing.T) []byte {
	t.Helper()
	document, err := openapi.Generate("testdata/house")
	if err != nil {
		t.Fatal(err)
	}
	return document
}
