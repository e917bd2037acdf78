package e2e_test

import (
	"testing"

	"example.com/walkaround/test/harness"
)

func TestSmoke(t *testing.T) {
	h := harness.Start(t)
	v := h.As("advisor").ReadyVisit("粵A·12345")
	v.Sign().Want(201)
}
