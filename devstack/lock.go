//go:build unix

package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// InUseError says that another process holds a folder.
type InUseError struct {
	Dir string
	// PID is the process that holds the folder, or 0 where that could not be read.
	PID int
}

func (e *InUseError) Error() string {
	holder := "another process"
	if e.PID > 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s is already in use by %s: stop that one first, or choose another data folder", e.Dir, holder)
}

// Lock takes a data folder for this process, creating the folder if need be, and returns a func that gives
// it back. It fails at once with an *InUseError when another process has it. The lock is the kernel's: it
// ends with the process, so a killed launcher leaves nothing to clean up.
func Lock(dir string) (release func(), err error) {
	dir, err = makeDataDir(dir)
	if err != nil {
		return nil, err
	}
	return lockFile(filepath.Join(dir, "waybill.lock"))
}

// makeDataDir makes a data folder and returns the one true path of it, by which a process that works in it
// can be known.
func makeDataDir(dir string) (string, error) {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711 // the user that PostgreSQL runs as has to pass through
	}
	if dir == "" {
		return "", errors.New("data folder: none given")
	}
	path, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(path, mode)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return path, nil
}

// lockFile takes the lock that the file stands for. The file stays when the lock is released: to remove
// it would let two processes each hold a lock on a file of that name.
func lockFile(path string) (release func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := tryFlock(file); err != nil {
		pid := readLockHolder(path)
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &InUseError{Dir: filepath.Dir(path), PID: pid}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	// The pid is for people; nothing depends on it.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return func() { file.Close() }, nil
}

// waitLockFile is lockFile for work that is done once and that others wait for; waiting is called once, when
// the lock is not to be had at once.
func waitLockFile(ctx context.Context, path string, waiting func(holder int)) (release func(), err error) {
	told := false
	for {
		release, err := lockFile(path)
		var held *InUseError
		if !errors.As(err, &held) {
			return release, err
		}
		if !told {
			told = true
			waiting(held.PID)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(10 * pollEvery):
		}
	}
}

func tryFlock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// readLockHolder returns 0 when the holder has not yet written its pid.
func readLockHolder(path string) int {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(content)))
	if err != nil {
		return 0
	}
	return pid
}
