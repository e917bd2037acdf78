package image_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// The decoder is bytes that nobody reads: they are those that its note says where they are from.
func TestTheHEICDecoderIsTheOneOfItsNote(t *testing.T) {
	module, err := os.ReadFile("heif/heif.wasm.gz")
	if err != nil {
		t.Fatal(err)
	}
	note, err := os.ReadFile("heif/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(module); !strings.Contains(string(note), "sha256 "+hex.EncodeToString(sum[:])+"\n") {
		t.Errorf("the note does not name %x", sum)
	}
}
