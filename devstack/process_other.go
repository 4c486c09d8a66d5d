//go:build unix && !linux

package devstack

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// setDeathSignal does nothing where the kernel has no such thing: a killed launcher leaves its children
// behind there, and the next start stops them.
func setDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}

func running(pid int) bool { return exists(pid) }

// processes lists what runs on the machine. The working folders are not known.
func processes() ([]runningProcess, error) {
	output, err := exec.Command("ps", "-axww", "-o", "pid=,command=").Output()
	if err != nil {
		return nil, err
	}
	var found []runningProcess
	for line := range bytes.Lines(output) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 {
			continue
		}
		if pid, err := strconv.Atoi(fields[0]); err == nil {
			found = append(found, runningProcess{pid: pid, args: fields[1:]})
		}
	}
	return found, nil
}
