package devstack

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func setDeathSignal(attr *syscall.SysProcAttr, signal syscall.Signal) { attr.Pdeathsig = signal }

// running tells whether the process still does something: a zombie, which a container without an init keeps
// for ever, does not.
func running(pid int) bool {
	stat, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return false
	}
	// The name of the program stands in parentheses and may itself contain some.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && string(fields[0]) != "Z" && string(fields[0]) != "X"
}

// processes lists what runs on the machine, as far as this user may see it.
func processes() ([]runningProcess, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []runningProcess
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !running(pid) {
			continue
		}
		cmdline, err := os.ReadFile(procPath(pid, "cmdline"))
		if err != nil || len(cmdline) == 0 {
			continue // ended since, or a thread of the kernel
		}
		cwd, _ := os.Readlink(procPath(pid, "cwd")) // not ours to read: then the arguments have to do
		found = append(found, runningProcess{
			pid: pid, cwd: cwd, args: strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00"),
		})
	}
	return found, nil
}

func procPath(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
