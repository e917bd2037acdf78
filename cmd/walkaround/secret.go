package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"example.com/walkaround/cmd/walkaround/config"
	"example.com/walkaround/cmd/walkaround/keep"
	"example.com/walkaround/storage"
)

// secretFile holds the secret in the data folder, written like WALKAROUND_SECRET.
const secretFile = "secret"

// secretOf gives the 32 bytes that encrypt the signing keys: the configured ones, those in the data folder, or new ones.
func secretOf(c config.Config) ([]byte, error) {
	if c.Secret != nil {
		return c.Secret, nil
	}
	path := filepath.Join(c.Data, secretFile)
	made := make([]byte, config.SecretBytes)
	if _, err := rand.Read(made); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err = keep.New(path, []byte(hex.EncodeToString(made)+"\n"))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("the secret can't be kept: %w", err)
		}
	}
	return readSecret(path)
}

// keepsSecret refuses to make a new secret for a store whose signing keys another one encrypts.
func keepsSecret(ctx context.Context, c config.Config, engine storage.Engine) error {
	path := filepath.Join(c.Data, secretFile)
	if _, err := os.Stat(path); c.Secret != nil || !errors.Is(err, fs.ErrNotExist) {
		return nil // it is given, or read next
	}
	collections, err := engine.Collections(ctx)
	if err == nil && slices.Contains(collections, signingKeys) {
		err = fmt.Errorf("this store has a secret, and it is not here: put it into WALKAROUND_SECRET, or the file into %s", path)
	}
	return err
}

// signingKeys is the collection that the secret opens.
const signingKeys = "signing_keys"

// readSecret refuses what is not whole: a wrong secret would make every signing key unreadable.
func readSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path) //nolint:gosec // inside the folder that the operator configured
	if err != nil {
		return nil, fmt.Errorf("the secret can't be read: %w", err)
	}
	secret, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(secret) != config.SecretBytes {
		return nil, fmt.Errorf("%s does not hold 64 hex digits: put the right ones back, without them no sheet can be sealed", path)
	}
	return secret, nil
}
