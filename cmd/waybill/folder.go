package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/devstack"
)

// devFolder is the data folder of a waybill dev: what is ours in it. PostgreSQL and Temporal each have a folder in it.
type devFolder struct {
	path    string
	release func()
	remove  bool // nothing is kept
	made    bool // the folder itself is ours too
}

const (
	apiKeyFile = "api-key"
	logFile    = "waybill.log"
	// longLogBytes is where a log is put aside, so that one which grows with every start does not fill the disk.
	longLogBytes = 10 << 20
)

// defaultData is where a user's Waybill lives.
func defaultData() (string, error) {
	if home := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, "waybill"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("no home folder to keep data in: name a folder with --data")
	}
	return filepath.Join(user, ".local", "share", "waybill"), nil
}

// openDevFolder settles which folder it is and takes it for this process alone. The dev.json of the last run goes: that
// there is one means that everything in it holds.
func openDevFolder(data string, ephemeral bool) (f devFolder, err error) {
	f.remove = ephemeral
	switch {
	case data != "":
		_, missing := os.Stat(data)
		f.path, f.made, err = data, errors.Is(missing, fs.ErrNotExist), nil
	case ephemeral:
		f.made = true
		f.path, err = os.MkdirTemp("", "waybill-dev-")
	default:
		f.path, err = defaultData()
	}
	if err == nil {
		f.path, err = filepath.Abs(f.path)
	}
	if err != nil {
		return f, err
	}
	if _, err := os.Stat(filepath.Join(f.path, "postgres")); ephemeral && err == nil {
		return f, fmt.Errorf("%s is the folder of a Waybill that is kept: name another one with --data, or leave --ephemeral out", f.path)
	}
	if f.release, err = devstack.Lock(f.path); err != nil {
		return f, err
	}
	if f.path, err = filepath.EvalSymlinks(f.path); err != nil {
		return f, err
	}
	if err := os.Remove(f.file("dev.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	return f, nil
}

func (f devFolder) file(name string) string { return filepath.Join(f.path, name) }

// close gives the folder back.
func (f devFolder) close() error {
	defer f.release()
	if !f.remove {
		return nil
	}
	for _, name := range []string{"dev.json", apiKeyFile, keySecretFile, logFile, logFile + ".1", "waybill.lock"} {
		if err := os.Remove(f.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if f.made {
		return os.Remove(f.path)
	}
	return nil
}

// openLog opens the log, which is no matter for the terminal: that is for what a person wants to know.
func (f devFolder) openLog() (*os.File, error) {
	path := f.file(logFile)
	if info, err := os.Stat(path); err == nil && info.Size() > longLogBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// keySecret reads the secret under which the folder's API keys are hashed, or makes one.
func (f devFolder) keySecret() ([]byte, error) {
	text, err := f.read(keySecretFile)
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		return secret, f.write(keySecretFile, hex.EncodeToString(secret))
	}
	if err != nil {
		return nil, err
	}
	secret, err := config.Secrets{KeySecret: text}.Key()
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: put it back, or remove it and make new API keys", f.file(keySecretFile))
	}
	return secret, nil
}

// key is the folder's API key: the one of the last run as long as it opens every door, else a new one. A newer
// version may have doors that the last one did not know.
func (f devFolder) key(ctx context.Context, keys *api.KeyRing) (string, error) {
	last, err := f.read(apiKeyFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err == nil {
		owner, err := keys.Authenticate(ctx, last)
		switch {
		case err == nil && mayAll(owner):
			return last, nil
		case err != nil && !errors.Is(err, api.ErrKeyInvalid):
			return "", err
		}
	}
	key, _, err := keys.Make(ctx, "dev", api.Scopes(), nil)
	if err != nil {
		return "", err
	}
	return key, f.write(apiKeyFile, key)
}

func mayAll(owner api.Principal) bool {
	return !slices.ContainsFunc(api.Scopes(), func(scope string) bool { return !owner.May(scope) })
}

func (f devFolder) read(name string) (string, error) {
	text, err := os.ReadFile(f.file(name))
	return strings.TrimSpace(string(text)), err
}

// write writes a file for its owner only, whole or not at all.
func (f devFolder) write(name, text string) error {
	unfinished := f.file(name + ".new")
	if err := os.WriteFile(unfinished, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, f.file(name))
}
