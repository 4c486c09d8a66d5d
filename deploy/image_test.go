package deploy_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// programs are what an image is known to have, by its name without the tag. Who adds a health check or a script that
// calls another program finds out first whether it is there.
var programs = map[string]map[string]string{
	"postgres": {
		"postgres":   "the server itself; the image's entrypoint looks at the first word",
		"pg_isready": "of the package postgresql-client-16, which the server's package depends on",
	},
	"temporalio/server": {
		"nc": "BusyBox: the image is Alpine's; Temporal's own compose samples ask the same way",
	},
	"temporalio/admin-tools": {
		"/bin/sh":           "BusyBox: the image is Alpine's",
		"temporal":          "copied to /usr/local/bin by its Dockerfile (temporalio/docker-builds, admin-tools.Dockerfile)",
		"temporal-sql-tool": "the same; the schema of its own version is inside the program",
	},
	ourImage: {
		"waybill": "deploy/Dockerfile copies it to /usr/local/bin, which is in the PATH of the base image",
	},
}

func has(t *testing.T, image, program string) {
	t.Helper()
	name, _, _ := strings.Cut(image, ":")
	if image == ourImage {
		name = image
	}
	require.NotEmpty(t, programs[name][program], "is there a %s in %s?", program, image)
}

func TestHealthChecksCallProgramsThatAreThere(t *testing.T) {
	t.Parallel()
	project := compose(t)
	for name, service := range project.Services {
		if service.HealthCheck == nil {
			continue
		}
		check := service.HealthCheck.Test
		require.Equal(t, "CMD", check[0], "%s: there is not a shell everywhere", name)
		has(t, service.Image, check[1])
		require.Positive(t, *service.HealthCheck.Timeout, name)
		if service.Image != ourImage {
			continue
		}
		said := waybill(t, environmentOf(service), check[2:]...)
		require.Equal(t, 1, said.code, "%s: %s", name, said.stderr)
		require.Contains(t, said.stderr, "nobody answers at http://127.0.0.1:", "nothing runs, and the check has to say so")
	}
	for _, name := range []string{"postgres", "temporal", "api", "worker"} {
		require.NotNil(t, project.Services[name].HealthCheck, "%s stays, and nothing looks after it", name)
	}
}

func TestWhatIsCalledIsThere(t *testing.T) {
	t.Parallel()
	for _, service := range compose(t).Services {
		words := append(slices.Clone(service.Entrypoint), service.Command...)
		if len(words) > 0 && service.Image != ourImage { // ours begins with the entrypoint of the image
			has(t, service.Image, words[0])
		}
	}
	script, err := os.ReadFile("temporal.sh")
	require.NoError(t, err)
	for _, called := range regexp.MustCompile(`(?m)^\s+(?:eventually |if )?(temporal[\w-]*) `).FindAllStringSubmatch(string(script), -1) {
		has(t, "temporalio/admin-tools:", called[1])
	}
}

// fullVersion is a tag that names one release: three numbers, or the two of PostgreSQL.
func fullVersion(image string) bool {
	numbers := `\d+\.\d+\.\d+`
	if strings.HasPrefix(image, "postgres:") {
		numbers = `\d+\.\d+`
	}
	return regexp.MustCompile(`^[^:]+:` + numbers + `(-[a-z0-9.-]+)?$`).MatchString(image)
}

func TestImagesArePinned(t *testing.T) {
	t.Parallel()
	project := compose(t)
	built := 0
	for name, service := range project.Services {
		if service.Image == ourImage {
			require.Equal(t, "never", service.PullPolicy, "%s: somebody else's image of that name would be pulled", name)
			if service.Build != nil {
				built++
				require.FileExists(t, filepath.Join(service.Build.Context, service.Build.Dockerfile))
			}
			continue
		}
		require.True(t, fullVersion(service.Image), "%s: %s", name, service.Image)
	}
	require.Equal(t, 1, built, "two builds of one name at once have been seen to fail")

	server := project.Services["temporal"].Image
	_, version, _ := strings.Cut(server, ":")
	for _, name := range []string{"temporal-schema", "temporal-namespace"} {
		require.True(t, strings.HasPrefix(project.Services[name].Image, "temporalio/admin-tools:"+version+"-"), "the tools of another version bring another schema")
	}
}

func TestTheDockerfileIsPinnedAndAgreesWithTheRest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, stages, 2)
	toolchain, base := stages[0][1], stages[1][1]
	require.True(t, fullVersion(toolchain), toolchain)
	require.Regexp(t, `^gcr\.io/distroless/static-debian12:nonroot@sha256:[0-9a-f]{64}$`, base, "nonroot is a tag that moves: the digest says which")

	module, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))[1]
	require.True(t, strings.HasPrefix(toolchain, "golang:"+language+"."), "%s builds what go.mod says is Go %s", toolchain, language)

	user := regexp.MustCompile(`(?m)^USER (\S+)`).FindStringSubmatch(string(text))[1]
	for name, service := range ours(compose(t)) {
		require.Equal(t, user, service.User, name)
	}
	require.Contains(t, string(text), "CGO_ENABLED=0", "there is no C library in the base image")
	require.Regexp(t, `(?m)^COPY --from=build /out/waybill /usr/local/bin/waybill$`, string(text))
	require.Regexp(t, `(?m)^ENTRYPOINT \["/usr/local/bin/waybill"\]$`, string(text))
}

// A tracked file that is not in the build's context makes the version end in "+dirty"; a secret that is in it stays in
// the cache of the builder.
func TestTheContextIsWhatGitKeeps(t *testing.T) {
	t.Parallel()
	ignored, err := os.ReadFile("../.dockerignore")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^/\.env$`, string(ignored))
	if _, err := os.Stat("../.git"); err != nil {
		t.Skip("this is not a clone: there is nobody to ask which files are tracked")
	}
	git := func(arguments ...string) string {
		command := exec.Command("git", arguments...)
		command.Dir = ".."
		output, err := command.CombinedOutput()
		require.NoError(t, err, string(output))
		return string(output)
	}
	require.Empty(t, git("ls-files", "--cached", "--ignored", "--exclude-from=.dockerignore"))
	require.Equal(t, ".env\n", git("check-ignore", "--no-index", ".env"), "git would keep the passwords")
}

func TestEnvScriptWritesWhatTheFileNeedsOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "env")
	write := func() (string, error) {
		output, err := exec.Command("sh", "env.sh", file).CombinedOutput()
		return string(output), err
	}
	output, err := write()
	require.NoError(t, err, output)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	seen := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^(\w+)=([0-9a-f]{64})$`).FindAllStringSubmatch(string(text), -1) {
		require.Empty(t, seen[line[2]], "%s is the same as another", line[1])
		require.NotContains(t, output, line[2])
		seen[line[2]] = line[1]
	}
	for name := range secrets() {
		require.Contains(t, slices.Collect(maps.Values(seen)), name)
	}
	require.Len(t, seen, len(secrets()))

	output, err = write()
	require.Error(t, err)
	require.Contains(t, output, "one that exists is left as it is")
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
}
