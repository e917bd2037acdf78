package main

import (
	"os"
	"syscall"
)

// datasync makes the bytes of f durable.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
