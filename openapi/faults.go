package openapi

import (
	"errors"
	"fmt"
)

// faults gathers what is wrong, so that all of it is told at once.
type faults []error

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

func (f *faults) err() error { return errors.Join(*f...) }
