//go:build unix

package devstack

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// rootStateDir is where state lies that root's servers, which run as another user, must be able to reach.
const rootStateDir = "/var/lib/waybill"

// homeMarker is a file in the folder that was asked for and in the one that is used instead. Its content, the
// same in both, shows that the two belong together.
const homeMarker = "postgres.id"

// pgHome finds the folder in which the account keeps its state for a data folder: the data folder itself, or
// one under stateDir where the account cannot reach that.
func pgHome(ctx context.Context, dir, stateDir string, as account, tell progress) (string, error) {
	if !as.dropped {
		return dir, nil
	}
	if _, err := os.Stat(filepath.Join(dir, homeMarker)); errors.Is(err, fs.ErrNotExist) {
		if err := as.own(dir); err != nil {
			return "", fmt.Errorf("data folder of PostgreSQL: %w", err)
		}
		if as.reaches(ctx, dir) {
			return dir, nil
		}
		if err := os.Chown(dir, 0, 0); err != nil {
			return "", fmt.Errorf("data folder of PostgreSQL: %w", err)
		}
	}
	home, err := substituteHome(dir, stateDir, as, tell)
	if err != nil {
		return "", fmt.Errorf("data folder of PostgreSQL, for user %s, who cannot reach %s: %w", as.name, dir, err)
	}
	if !as.reaches(ctx, home) {
		return "", fmt.Errorf("PostgreSQL has to run as user %s, who can reach neither %s nor %s", as.name, dir, home)
	}
	return home, nil
}

func substitutePath(dir, stateDir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(stateDir, hex.EncodeToString(sum[:8]))
}

// substituteHome returns the folder that stands in for dir. When dir was emptied or made anew, the folder
// that stood in for the old one is put aside, so that to delete a data folder still means to begin afresh.
func substituteHome(dir, stateDir string, as account, tell progress) (string, error) {
	home := substitutePath(dir, stateDir)
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return "", err
	}
	wanted, err := os.ReadFile(filepath.Join(dir, homeMarker))
	if err == nil {
		found, err := os.ReadFile(filepath.Join(home, homeMarker))
		if err == nil && bytes.Equal(wanted, found) {
			return home, nil
		}
	}
	if _, err := os.Stat(home); err == nil {
		former := home + ".old"
		tell.say("%s is new: the database that an earlier folder of that name had is kept as %s", dir, former)
		if err := os.RemoveAll(former); err != nil {
			return "", err
		}
		if err := os.Rename(home, former); err != nil {
			return "", err
		}
	}
	if err := as.own(home); err != nil {
		return "", err
	}
	marker := []byte(rand.Text() + "\n")
	if err := writeFileAtomic(filepath.Join(home, homeMarker), marker); err != nil {
		return "", err
	}
	return home, writeFileAtomic(filepath.Join(dir, homeMarker), marker)
}
