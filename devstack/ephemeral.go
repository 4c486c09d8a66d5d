//go:build unix

package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// roomyBytes is what a folder in memory must have free to be used: an empty cluster takes 40 MB, and each
// clone of a database some 10 MB. Containers often have a /dev/shm of only 64 MB.
const roomyBytes = 1 << 30

// memoryDir is a file system in memory, on Linux.
const memoryDir = "/dev/shm"

// ephemeralBase returns the folder for things that nobody wants to keep.
func ephemeralBase() string {
	var stat syscall.Statfs_t
	//nolint:unconvert // the types differ between systems
	if err := syscall.Statfs(memoryDir, &stat); err == nil && uint64(stat.Bavail)*uint64(stat.Bsize) >= roomyBytes {
		if usable(ephemeralRoot(memoryDir)) {
			return ephemeralRoot(memoryDir)
		}
	}
	return ephemeralRoot(os.TempDir())
}

// ephemeralRoot keeps the folders of one user together, since nobody can clear away another's.
func ephemeralRoot(base string) string {
	return filepath.Join(base, fmt.Sprintf("waybill-%d", os.Geteuid()))
}

// ephemeralDir makes a folder that lives as long as this process, and removes those of processes that have
// ended without doing so. Its name begins with the program that will work in it. remove removes it. A lock on the folder itself, which the kernel ends with
// the process, tells the living from the dead.
func ephemeralDir(ctx context.Context, program string) (dir string, remove func(), err error) {
	root := ephemeralBase()
	if !usable(root) {
		return "", nil, fmt.Errorf("temporary folder %s cannot be used", root)
	}
	// The user that PostgreSQL runs as has to pass through.
	if err := os.Chmod(root, 0o711); err != nil {
		return "", nil, err
	}
	sweep(ctx, root)
	for {
		dir, err := os.MkdirTemp(root, program+"-")
		if err != nil {
			return "", nil, err
		}
		held, err := lockDir(dir)
		if err != nil {
			return "", nil, err
		}
		if held == nil {
			continue // another process swept it before it was locked
		}
		if err := os.Chmod(dir, 0o711); err != nil {
			return "", nil, err
		}
		return dir, func() {
			_ = os.RemoveAll(dir) // else the next start does it
			held.Close()
		}, nil
	}
}

// sweep removes the folders of processes that are gone, and stops what still runs in them. What it cannot
// remove now is left to the next start, and is no reason not to start.
func sweep(ctx context.Context, root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		dir := filepath.Join(root, entry.Name())
		held, err := lockDir(dir)
		if err != nil || held == nil {
			continue // in use, or gone
		}
		works := postgresIn(dir)
		if strings.HasPrefix(entry.Name(), "temporal-") {
			works = temporalIn(dir)
		}
		if stopLeftOvers(ctx, dir, works, killLadder, nil) == nil {
			_ = os.RemoveAll(dir)
		}
		held.Close()
	}
}

// lockDir locks a folder. It returns nil when another process has it, or when it is gone.
func lockDir(dir string) (*os.File, error) {
	file, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := tryFlock(file); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	// Between opening and locking it may have been removed.
	opened, openedErr := file.Stat()
	named, namedErr := os.Stat(dir)
	if openedErr != nil || namedErr != nil || !os.SameFile(opened, named) {
		file.Close()
		return nil, nil
	}
	return file, nil
}
