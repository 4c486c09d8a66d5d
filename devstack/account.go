//go:build unix

package devstack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user of the operating system that PostgreSQL runs as. The zero value is this process's own.
type account struct {
	name     string
	uid, gid uint32
	// dropped is set when it is not this process's own user.
	dropped bool
}

func (a account) credential() *syscall.Credential {
	if !a.dropped {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// serverAccount chooses the account: our own, unless that is root. For root, the owner of the first of the
// given folders that belongs to somebody else: PostgreSQL insists on owning its data, and a folder of a user's
// is not taken from them.
func serverAccount(folders ...string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil {
			continue
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 {
			return account{name: userName(owner.Uid), uid: owner.Uid, gid: owner.Gid, dropped: true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{name: name, uid: uint32(uid), gid: uint32(gid), dropped: true}, nil
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as: " +
		"add one of them, start as another user, or set DATABASE_URL")
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return "with id " + id
}

// reaches tells whether the account can enter the folder. It asks the kernel by trying, since mode bits tell
// nothing of access lists and of folders above.
func (a account) reaches(ctx context.Context, dir string) bool {
	_, err := command{path: "/bin/sh", args: []string{"-c", `cd "$1" && test -w .`, "sh", dir}, dir: "/", as: a}.run(ctx)
	return err == nil
}

// own makes a folder that belongs to the account and to nobody else.
func (a account) own(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if !a.dropped {
		return nil
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}
