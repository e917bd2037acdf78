package e2e_test

import (
	"os"
	"testing"

	"example.com/walkaround/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
