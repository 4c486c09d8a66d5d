package devstack

import (
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
)

// loopback is the only address that anything here listens on.
const loopback = "127.0.0.1"

// FreePort returns the preferred port if it is free on the loopback address, else any free one. Preferred 0
// means any. It returns 0 when the machine has no free port at all. The port is not reserved: another process
// may take it before it is used, which StartPostgres and StartTemporal answer by trying another.
func FreePort(preferred int) int {
	if preferred > 0 && preferred <= 65535 {
		if port, err := listenOnce(preferred); err == nil {
			return port
		}
	}
	port, err := listenOnce(0)
	if err != nil {
		return 0
	}
	return port
}

// lowPort returns a free port that fits into 16 bits with a sign, which is less than most systems give out by themselves,
// or 0 when it finds none.
func lowPort() int {
	const first, end = 10_000, 1 << 15
	for range 100 {
		if port, err := listenOnce(first + rand.IntN(end-first)); err == nil {
			return port
		}
	}
	return 0
}

func choosePort(choose func(int) int, preferred int) int {
	if choose == nil {
		choose = FreePort
	}
	return choose(preferred)
}

func listenOnce(port int) (int, error) {
	listener, err := net.Listen("tcp4", address(port))
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// portWasTaken tells from what a server wrote before it gave up whether another port is worth a try.
func portWasTaken(output string) bool {
	output = strings.ToLower(output)
	return strings.Contains(output, "already in use") || strings.Contains(output, "can't set frontend port") ||
		strings.Contains(output, "can't set ui port")
}
