package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// atLeast is how many bugs the layers have to find, whatever else is on the list.
const atLeast = 30

func list(t *testing.T) []bug {
	t.Helper()
	all, err := planted()
	require.NoError(t, err)
	require.Greater(t, len(all), atLeast)
	return all
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := moduleRoot()
	require.NoError(t, err)
	return dir
}

// Where the code has changed, the bug has to be planted anew.
func TestEveryBugCanStillBePlanted(t *testing.T) {
	numbers := map[string]bool{}
	for _, b := range list(t) {
		t.Run(b.Name, func(t *testing.T) {
			require.Regexp(t, `^[0-9]{2}-[a-z0-9-]+$`, b.Name)
			require.False(t, numbers[b.Name[:2]], "two bugs have this number")
			numbers[b.Name[:2]] = true
			for _, p := range b.Patches {
				changed, err := p.apply(root(t))
				require.NoError(t, err)
				source, err := os.ReadFile(filepath.Join(root(t), p.File))
				require.NoError(t, err)
				require.NotEqual(t, string(source), changed)
			}
		})
	}
}

// The page says what the results say, each result is about the bug as it is now, and what nothing finds says why.
func TestThePageIsOfTheseBugs(t *testing.T) {
	all := list(t)
	known, err := readResults(root(t))
	require.NoError(t, err)
	for _, b := range all {
		o := find(known.Bugs, b)
		require.NotNil(t, o, "%s has no result, or one of other patches: go run ./planted -bug %s -write", b.Name, b.Name[:2])
		require.True(t, o.red() != nil || b.Why != "", "%s is found by nothing and does not say why", b.Name)
	}
	require.Len(t, known.Bugs, len(all), "results of bugs that are no more")
	require.GreaterOrEqual(t, known.count(all, nil), atLeast)
	for _, f := range known.Control {
		require.True(t, f.green())
	}
	page, err := os.ReadFile(filepath.Join(root(t), pageFile))
	require.NoError(t, err)
	require.Equal(t, known.page(all), string(page), "go run ./planted -write")
}

// The runner itself: it builds a bug in, the quick layer sees it, and the build as it is stays green.
func TestABugIsBuiltInAndFound(t *testing.T) {
	bugs, err := chosen(list(t), []string{"cancel-writes-no-void"})
	require.NoError(t, err)
	core, err := named([]string{"core"})
	require.NoError(t, err)
	r := &runner{root: root(t), layers: core, first: 1, seeds: 10, make: build, tell: t.Logf}
	control, outcomes, err := r.run(t.Context(), bugs)
	require.NoError(t, err)
	require.True(t, control[0].green())
	require.Equal(t, 10, control[0].Seeds)
	require.Len(t, outcomes, 1)
	require.NotNil(t, outcomes[0].red())
	require.Equal(t, "core", outcomes[0].red().Layer)
	require.NotEmpty(t, outcomes[0].red().Violated)
}

// fake makes binaries that answer what a script says.
func fake(t *testing.T, control, withBug string) func(context.Context, string, string, string, *bug) (string, error) {
	return func(_ context.Context, _, dir, _ string, b *bug) (string, error) {
		script := control
		if b != nil {
			script = withBug
		}
		binary := filepath.Join(dir, "waybill")
		return binary, os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o700)
	}
}

const (
	sayGreen = `echo '{"violations":[]}'`
	sayRed   = `echo '{"violations":[{"id":"V-S3","subject":"TEE at sf","detail":"x"},{"id":"V-M3","subject":"pay_1","detail":"y"},{"id":"V-M3","subject":"pay_2","detail":"y"}]}'; exit 1`
)

func fakeRunner(t *testing.T, control, withBug string) *runner {
	both, err := named([]string{"core", "life"})
	require.NoError(t, err)
	return &runner{root: root(t), layers: both, first: 1, seeds: 3, databaseURL: "postgres://nowhere", make: fake(t, control, withBug), tell: t.Logf}
}

func TestTheFirstRedSeedCounts(t *testing.T) {
	bugs := list(t)[:1]
	r := fakeRunner(t, sayGreen, `case "$*" in 2) `+sayRed+`;; esac; `+sayGreen)
	control, outcomes, err := r.run(t.Context(), bugs)
	require.NoError(t, err)
	require.Equal(t, 3, control[0].Seeds)
	require.Equal(t, 3, control[1].Seeds)
	require.Len(t, outcomes[0].Findings, 1, "a layer that nobody expects to find it is not asked any more")
	f := outcomes[0].Findings[0]
	require.Equal(t, "core", f.Layer)
	require.Equal(t, 2, f.Red)
	require.Equal(t, 2, f.Seeds)
	require.Equal(t, []string{"V-M3", "V-S3"}, f.Violated)
	require.Equal(t, "V-S3 TEE at sf: x", f.Detail)
	require.NoError(t, missed(outcomes))
}

func TestTheNextLayerIsAskedWhenOneFindsNothing(t *testing.T) {
	r := fakeRunner(t, sayGreen, `case "$*" in *life*) `+sayRed+`;; esac; `+sayGreen)
	_, outcomes, err := r.run(t.Context(), list(t)[:1])
	require.NoError(t, err)
	require.True(t, outcomes[0].Findings[0].green())
	require.Equal(t, "life", outcomes[0].red().Layer)
}

func TestABugThatNothingFindsIsSaid(t *testing.T) {
	_, outcomes, err := fakeRunner(t, sayGreen, sayGreen).run(t.Context(), list(t)[:1])
	require.NoError(t, err)
	require.Len(t, outcomes[0].Findings, 2)
	require.ErrorContains(t, missed(outcomes), outcomes[0].Bug)
}

func TestARedControlRunShowsNothing(t *testing.T) {
	_, _, err := fakeRunner(t, sayRed, sayRed).run(t.Context(), list(t)[:1])
	require.ErrorContains(t, err, "core is red at seed 1 without any bug planted")
}

// A layer that could not be run has found nothing, and must not pass for one that has.
func TestALayerThatBreaksIsNoFinding(t *testing.T) {
	for name, script := range map[string]string{
		"no such flag":       `echo "waybill: error: unknown flag --no-shrink" >&2; exit 80`,
		"no answer":          `exit 1`,
		"failed, and green":  sayGreen + `; exit 1`,
		"succeeded, and red": `echo '{"violations":[{"id":"V-M3"}]}'`,
	} {
		t.Run(name, func(t *testing.T) {
			_, outcomes, err := fakeRunner(t, sayGreen, script).run(t.Context(), list(t)[:1])
			require.ErrorContains(t, err, "core, seed 1")
			require.Empty(t, outcomes)
		})
	}
}

// The chaos run tells by invariant what does not hold, and beside them what people saw.
func TestEveryLayersAnswerIsUnderstood(t *testing.T) {
	logs := t.TempDir()
	said, err := judge([]byte(`{"invariants":[{"id":"V-M1","violations":[]},{"id":"V-O1","violations":[{"subject":"k","detail":"lost"}]}],
		"wrong":["a buyer got two"],"unsettled":["order/1 runs"],"logs":"`+logs+`"}`), "", true)
	require.NoError(t, err)
	require.Equal(t, []violation{{ID: "V-O1", Subject: "k", Detail: "lost"}, {ID: "wrong", Subject: "people", Detail: "a buyer got two"},
		{ID: "unsettled", Subject: "in the end", Detail: "order/1 runs"}}, said)
	require.NoDirExists(t, logs)
	said, err = judge([]byte(`{"invariants":[{"id":"V-M1","violations":null}],"wrong":null}`), "", false)
	require.NoError(t, err)
	require.Empty(t, said)
}

func TestAPanicIsAFinding(t *testing.T) {
	_, outcomes, err := fakeRunner(t, sayGreen, `echo "panic: index out of range" >&2; exit 2`).run(t.Context(), list(t)[:1])
	require.NoError(t, err)
	require.Equal(t, []string{"panic"}, outcomes[0].red().Violated)
}

func TestAPatchIsWholeLinesOnce(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("one\n\ttwo\nthree\ntwo\n\ttwo more\nthree\n"), 0o600))
	const twice = " one\n-\ttwo\n@@\n \ttwo more\n+2\n"
	for text, want := range map[string]string{
		"-one\n+1\n": "1\n\ttwo\nthree\ntwo\n\ttwo more\nthree\n",
		"-two\n":     "one\n\ttwo\nthree\n\ttwo more\nthree\n", // not the indented one
		twice:        "one\nthree\ntwo\n\ttwo more\n2\nthree\n",
	} {
		hunks, err := hunksOf(text)
		require.NoError(t, err)
		got, err := patch{File: "a.txt", Hunks: hunks}.apply(dir)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for text, want := range map[string]string{"-three\n": "2 times", "-four\n": "0 times"} {
		hunks, err := hunksOf(text)
		require.NoError(t, err)
		_, err = patch{File: "a.txt", Hunks: hunks}.apply(dir)
		require.ErrorContains(t, err, want)
	}
	for _, text := range []string{"", " one\n", "one\n", "+one\n"} {
		_, err := hunksOf(text)
		require.Error(t, err, text)
	}
}

// What is run again takes the place of what was known; what is about a bug that was changed since is forgotten.
func TestResultsAreMergedByBugAndLayer(t *testing.T) {
	all := []bug{{Name: "01-a", Sum: "1"}, {Name: "02-b", Sum: "2"}}
	was := results{Control: []finding{{Layer: "core", Seeds: 3}}, Bugs: []outcome{
		{Bug: "01-a", Sum: "1", Findings: []finding{{Layer: "core", Seeds: 3}, {Layer: "chaos", Red: 1}}},
		{Bug: "02-b", Sum: "another", Findings: []finding{{Layer: "core", Red: 7}}},
		{Bug: "03-gone", Sum: "3", Findings: []finding{{Layer: "core", Red: 7}}}}}
	now := was.merge(all, []finding{{Layer: "core", Seeds: 10}, {Layer: "life", Seeds: 10}}, []outcome{
		{Bug: "01-a", Sum: "1", Findings: []finding{{Layer: "core", Red: 4}}}})
	require.Equal(t, []finding{{Layer: "core", Seeds: 10}, {Layer: "life", Seeds: 10}}, now.Control)
	require.Equal(t, []outcome{{Bug: "01-a", Sum: "1", Findings: []finding{{Layer: "core", Red: 4}, {Layer: "chaos", Red: 1}}}}, now.Bugs)
}

func TestThePageTellsEverything(t *testing.T) {
	all := []bug{{Name: "01-a", Sum: "1", Title: "one | two", Defense: "first"}, {Name: "02-b", Sum: "2", Title: "three", Defense: "second", Why: "It breaks nothing."}}
	page := results{Bugs: []outcome{
		{Bug: "01-a", Sum: "1", Findings: []finding{{Layer: "core", Seeds: 10}, {Layer: "life", Red: 4, Violated: []string{"V-M1", "V-M2"}}}},
		{Bug: "02-b", Sum: "2", Findings: []finding{{Layer: "core", Seeds: 10}}}}}.page(all)
	require.Contains(t, page, `| [01](../../planted/bugs/01-a.txt) | one \| two | green | **4** | – | V-M1, V-M2 |`)
	require.Contains(t, page, "- **02-b**: three. It breaks nothing.")
	require.Contains(t, page, "1 of them were found")
}

func TestWhatIsAskedForHasToExist(t *testing.T) {
	for want, args := range map[string][]string{
		"there is no bug 99":         {"-bug", "99"},
		"-layers is a list of core,": {"-layers", "L0"},
	} {
		require.ErrorContains(t, run(t.Context(), args, io.Discard, io.Discard), want)
	}
	all := list(t)
	for _, name := range []string{all[0].Name, "01", regexp.MustCompile(`^01-`).ReplaceAllString(all[0].Name, "")} {
		found, err := chosen(all, []string{name})
		require.NoError(t, err)
		require.True(t, slices.EqualFunc(found, all[:1], func(a, b bug) bool { return a.Name == b.Name }))
	}
}
