// Package deploy_test holds docker-compose.yml, the image and the scripts beside it to what they promise.
//
// It owns what can be said without a container engine: that the file loads, that its variables, commands, flags and
// health checks exist, that nothing is open or unpinned, and that our own services work when they are run as processes
// with exactly the commands and the environment that stand there. It does not own what an engine would do with it.
package deploy_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

const (
	composeFile = "../docker-compose.yml"
	ourImage    = "waybill:local"
)

// secrets are the variables that .env has to set, with values that are found again.
func secrets() types.Mapping {
	return types.Mapping{
		"POSTGRES_PASSWORD":          "a-password",
		"POSTGRES_WAYBILL_PASSWORD":  "b-password",
		"POSTGRES_TEMPORAL_PASSWORD": "c-password",
		"WAYBILL_KEY_SECRET":         strings.Repeat("0d", 32),
	}
}

// load reads the file as docker compose does: an unknown key, or a service, network or volume that is not there, fails.
func load(ctx context.Context, environment types.Mapping) (*types.Project, error) {
	folder, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	return loader.LoadWithContext(ctx, types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "docker-compose.yml")}},
		Environment: environment,
	})
}

func compose(t *testing.T) *types.Project {
	t.Helper()
	project, err := load(t.Context(), secrets())
	require.NoError(t, err)
	return project
}

// ours are the services that run our image.
func ours(project *types.Project) types.Services {
	found := types.Services{}
	for name, service := range project.Services {
		if service.Image == ourImage {
			found[name] = service
		}
	}
	return found
}

// environmentOf is what the processes of a service find, and nothing else.
func environmentOf(service types.ServiceConfig) []string {
	var list []string
	for name, value := range service.Environment {
		list = append(list, name+"="+*value)
	}
	slices.Sort(list)
	return list
}

func TestTheStackIsWhole(t *testing.T) {
	t.Parallel()
	project := compose(t)
	require.ElementsMatch(t, []string{"postgres", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui", "migrate", "api", "worker"}, project.ServiceNames())
	worker := project.Services["worker"]
	require.Equal(t, 2, worker.GetScale())
	for name, service := range project.Services {
		require.NotEmpty(t, service.Restart, name)
		require.Equal(t, "json-file", service.Logging.Driver, name)
		require.NotEmpty(t, service.Logging.Options["max-size"], "%s: its log grows without end", name)
	}
}

// interpolation is what the file takes from its surroundings: ${NAME:?message} or ${NAME:-default}.
var interpolation = regexp.MustCompile(`\$\{?(\w+)(:?[-?+]?)([^}]*)\}?`)

func TestNothingSecretHasADefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(composeFile)
	require.NoError(t, err)
	required := map[string]bool{}
	for _, found := range interpolation.FindAllStringSubmatch(string(text), -1) {
		name, operator, rest := found[1], found[2], found[3]
		if strings.HasSuffix(name, "_PORT") {
			require.Equal(t, ":-", operator, found[0])
			require.Regexp(t, `^\d+$`, rest, found[0])
			continue
		}
		require.Equal(t, ":?", operator, "%s has to be given, and is no port", found[0])
		require.Equal(t, "run sh deploy/env.sh, which writes .env", rest, found[0])
		required[name] = true
	}
	for name := range secrets() {
		require.True(t, required[name], "%s is not in the file: take it out of this test", name)
		for _, value := range []string{"missing", ""} {
			environment := secrets()
			if environment[name] = value; value == "missing" {
				delete(environment, name)
			}
			_, err := load(t.Context(), environment)
			require.ErrorContains(t, err, "run sh deploy/env.sh, which writes .env", "%s %q", name, value)
			require.ErrorContains(t, err, name)
		}
	}
	require.Len(t, required, len(secrets()))
}

// Whatever is called a password comes from outside.
func TestNoPasswordStandsInTheFile(t *testing.T) {
	t.Parallel()
	var given []string
	for _, value := range secrets() {
		given = append(given, value)
	}
	secretive := regexp.MustCompile(`PASSWORD|PWD|SECRET|TOKEN|_KEY`)
	for name, service := range compose(t).Services {
		for variable, value := range service.Environment {
			if secretive.MatchString(variable) {
				require.Contains(t, given, *value, "%s: %s", name, variable)
			}
			if address, err := url.Parse(*value); err == nil && address.User != nil {
				password, _ := address.User.Password()
				require.Contains(t, given, password, "%s: %s", name, variable)
			}
		}
	}
}

func TestPortsAreOnLoopback(t *testing.T) {
	t.Parallel()
	for name, service := range compose(t).Services {
		for _, port := range service.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s publishes %s to everybody", name, port.Published)
		}
		require.Empty(t, service.NetworkMode, name)
		if name == "worker" {
			require.Empty(t, service.Ports, "two workers cannot have one port of the machine")
		}
	}
}

func TestOurServicesMayDoNothingButTheirWork(t *testing.T) {
	t.Parallel()
	mine := ours(compose(t))
	require.Len(t, mine, 3)
	for name, service := range mine {
		require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, service.User, name)
		require.True(t, service.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		require.Empty(t, service.CapAdd, name)
		require.Contains(t, service.Tmpfs, "/tmp", name)
		require.Empty(t, service.Volumes, name)
	}
	for name, service := range compose(t).Services {
		require.Contains(t, service.SecurityOpt, "no-new-privileges:true", name)
		require.False(t, service.Privileged, name)
	}
}

func TestVolumesAndMounts(t *testing.T) {
	t.Parallel()
	project := compose(t)
	kept := map[string]string{}
	for name, service := range project.Services {
		for _, mount := range service.Volumes {
			if mount.Type == types.VolumeTypeVolume {
				require.Contains(t, project.Volumes, mount.Source, name)
				kept[name+" "+mount.Target] = mount.Source
				continue
			}
			require.Equal(t, types.VolumeTypeBind, mount.Type, name)
			require.True(t, mount.ReadOnly, "%s may write to %s", name, mount.Source)
			require.FileExists(t, mount.Source, "%s: docker would make a folder of that name", name)
		}
	}
	require.Equal(t, map[string]string{"postgres /var/lib/postgresql/data": "postgres"}, kept)
}

// What is waited for can come true, and `docker compose up --wait` does not take a task that is done for one that died:
// it knows it by somebody who waits for its end.
func TestWhoWaitsForWhat(t *testing.T) {
	t.Parallel()
	project := compose(t)
	awaited := map[string]bool{}
	for name, service := range project.Services {
		for on, wait := range service.DependsOn {
			task := strings.HasPrefix(project.Services[on].Restart, types.RestartPolicyOnFailure)
			switch wait.Condition {
			case types.ServiceConditionHealthy:
				require.NotNil(t, project.Services[on].HealthCheck, "%s waits for the health of %s, which has no check", name, on)
			case types.ServiceConditionCompletedSuccessfully:
				require.True(t, task, "%s waits for the end of %s, which runs for ever", name, on)
				awaited[on] = true
			default:
				require.Fail(t, "it waits for nothing but a start", "%s for %s: %s", name, on, wait.Condition)
			}
		}
	}
	for name, service := range project.Services {
		if strings.HasPrefix(service.Restart, types.RestartPolicyOnFailure) {
			require.True(t, awaited[name], "nobody waits for the end of %s", name)
		}
	}
	require.Contains(t, project.Services["api"].DependsOn, "migrate")
	require.Contains(t, project.Services["worker"].DependsOn, "migrate")
}

// alsoRun are commands that docs/how-to/compose.md runs in a service, beside its own: they too need their settings.
var alsoRun = map[string][]string{"api": {"keys create", "verify", "health"}}

func TestOurCommandsFlagsAndVariablesExist(t *testing.T) {
	t.Parallel()
	for name, service := range ours(compose(t)) {
		var help strings.Builder
		for _, command := range append([]string{service.Command[0]}, alsoRun[name]...) {
			said := waybill(t, nil, append(strings.Fields(command), "--help")...)
			require.Zero(t, said.code, said.stderr)
			help.WriteString(said.stdout)
		}
		for _, flag := range service.Command[1:] {
			require.Regexp(t, regexp.QuoteMeta(flag)+`\b`, help.String(), "%s: waybill %s has no %s", name, service.Command[0], flag)
		}
		for variable := range service.Environment {
			require.Regexp(t, `\$`+variable+`\b`, help.String(), "%s: nothing that runs there reads %s", name, variable)
		}
		said := waybill(t, environmentOf(service), "config", "--json")
		require.Zero(t, said.code, "%s: %s%s", name, said.stdout, said.stderr)
		var settings struct {
			Settings       []struct{ Flag string }
			Wrong, Unknown []string
		}
		require.NoError(t, json.Unmarshal([]byte(said.stdout), &settings))
		require.NotEmpty(t, settings.Settings)
		require.Empty(t, settings.Wrong, name)
		require.Empty(t, settings.Unknown, name)
	}
}
