package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cotejo/internal/seal"
)

// secretKeyFile is where the secret key of a local PostgreSQL is kept.
const secretKeyFile = "secret.key"

// EnsureSecretKey fills SecretKey for the local PostgreSQL from secret.key in the
// data directory (mode 0600), made if there is none. Two processes that start at
// once agree: the file is linked into place whole, and only one can be first.
// With a key in the environment it does nothing.
func (c *Config) EnsureSecretKey() error {
	if !c.SecretKey.IsZero() {
		return nil
	}
	if !c.Local() {
		return errors.New("COTEJO_SECRET_KEY is required with DATABASE_URL")
	}
	path := filepath.Join(c.DataDir, secretKeyFile)
	key, err := readSecretKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeSecretKey(path, seal.GenerateSecretKey()); err != nil {
			return fmt.Errorf("keep a new secret key: %w", err)
		}
		key, err = readSecretKey(path) // ours, or the one that was first
	}
	if err != nil {
		return err
	}
	c.SecretKey = key
	return nil
}

func readSecretKey(path string) (seal.SecretKey, error) {
	st, err := os.Stat(path)
	if err != nil {
		return seal.SecretKey{}, fmt.Errorf("secret key: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return seal.SecretKey{}, fmt.Errorf("%s can be read by others: run `chmod 600 %s`", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return seal.SecretKey{}, fmt.Errorf("secret key: %w", err)
	}
	key, err := seal.ParseSecretKey(string(text))
	if err != nil {
		return seal.SecretKey{}, fmt.Errorf("%s cannot be used: %w; without the right one the stored secrets are lost", path, err)
	}
	return key, nil
}

func writeSecretKey(path string, key seal.SecretKey) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.WriteString(key.Encode() + "\n"); err == nil {
		err = f.Sync() // a key lost in a power cut would take the secrets with it
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
