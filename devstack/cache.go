//go:build unix

package devstack

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// userCache returns the folder in which things are kept that cost minutes to make: the user's cache folder,
// else the fallback (a folder under the data folder), else one under /var/tmp.
func userCache(fallback string) (string, error) {
	if dir, err := os.UserCacheDir(); err == nil && filepath.IsAbs(dir) {
		if own := filepath.Join(dir, "waybill"); usable(own) {
			return own, nil
		}
	}
	if fallback != "" && usable(fallback) {
		return fallback, nil
	}
	last := fmt.Sprintf("/var/tmp/waybill-%d", os.Geteuid())
	if !usable(last) {
		return "", fmt.Errorf("no folder to keep built and fetched programs in: neither the user's cache folder (HOME is %q) nor %s can be used",
			os.Getenv("HOME"), last)
	}
	return last, nil
}

// usable tells whether a folder can be made or used by us. In a folder that everybody may write to, another
// user could have put a program there in advance; so it has to be ours.
func usable(dir string) bool {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false
	}
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
		return false
	}
	probe, err := os.CreateTemp(dir, ".probe")
	if err != nil {
		return false
	}
	probe.Close()
	return os.Remove(probe.Name()) == nil
}
