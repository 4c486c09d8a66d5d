package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build makes a program with a bug in it, or, without one, as it is.
func build(ctx context.Context, root, dir, program string, b *bug) (string, error) {
	binary := filepath.Join(dir, filepath.Base(program))
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", binary}
	if b != nil {
		overlay, err := b.overlay(root, dir)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	command := exec.CommandContext(ctx, "go", append(args, program)...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
}

// overlay writes the files that a bug changes, and the list by which the go command takes them for those of the tree.
func (b *bug) overlay(root, dir string) (string, error) {
	replace := map[string]string{}
	for i, p := range b.Patches {
		text, err := p.apply(root)
		if err != nil {
			return "", err
		}
		changed := filepath.Join(dir, fmt.Sprintf("%d-%s", i, filepath.Base(p.File)))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, p.File)] = changed
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}
