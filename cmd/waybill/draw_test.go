package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var writeDrawings = flag.Bool("write-drawings", false, "write the drawings in testdata/order anew")

// The lives were read from a running Waybill by waybill order show --json.
func TestDrawings(t *testing.T) {
	lives, err := filepath.Glob("testdata/order/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, lives)
	for _, file := range lives {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			var l life
			require.NoError(t, json.Unmarshal(body, &l))
			var drawn strings.Builder
			require.NoError(t, (&drawing{to: &drawn, life: l, ui: "http://127.0.0.1:8233"}).draw())
			picture := strings.TrimSuffix(file, ".json") + ".txt"
			if *writeDrawings {
				require.NoError(t, os.WriteFile(picture, []byte(drawn.String()), 0o644))
			}
			wanted, err := os.ReadFile(picture)
			require.NoError(t, err)
			require.Equal(t, string(wanted), drawn.String())
		})
	}
}

func TestSpans(t *testing.T) {
	for d, said := range map[time.Duration]string{
		12 * time.Millisecond: "12 ms", 1500 * time.Millisecond: "1.5 s", 61 * time.Second: "1 min 1 s",
		3*time.Hour + 5*time.Minute: "3 h 5 min", 47 * time.Hour: "47 h 0 min", 100 * time.Hour: "4 days",
	} {
		require.Equal(t, said, span(d))
	}
}
