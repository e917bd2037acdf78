// Command build makes the MinIO server that the tests run, if it is absent, and prints where it lies.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/walkaround/test/minioserver"
)

func main() {
	path, err := minioserver.Build(context.Background(), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // it is a command
	}
	fmt.Println(path)
}
