//go:build unix

package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

const loopback = "127.0.0.1"

// freePort finds a port of the loopback address below those that systems give to outgoing connections: a listener that is
// away for some seconds finds it free again.
func freePort(ctx context.Context) (string, error) {
	const first, end, tries = 10_000, 32_000, 200
	for range tries {
		address := net.JoinHostPort(loopback, strconv.Itoa(first+rand.IntN(end-first))) //nolint:gosec // nobody's secret
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("there is no free port on this machine")
}

// network is every way, each a proxy in this process.
type network struct {
	server *toxiproxy.ApiServer
	ways   map[string]*route
}

// route is one way. Its address stays, whatever becomes of its end.
type route struct {
	mu      sync.Mutex
	address string
	proxy   *toxiproxy.Proxy
	cut     bool
}

// openNetwork opens every way. None leads anywhere yet.
func openNetwork(ctx context.Context) (*network, error) {
	zerolog.SetGlobalLevel(zerolog.Disabled) // the proxies write to a global log, on standard error
	n := &network{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), ways: map[string]*route{}}
	for _, name := range ways {
		address, err := freePort(ctx)
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		nowhere := net.JoinHostPort(loopback, "1")
		r := &route{address: address, proxy: toxiproxy.NewProxy(n.server, name, address, nowhere)}
		if err := r.proxy.Start(); err != nil {
			return nil, errors.Join(fmt.Errorf("way %s: %w", name, err), n.close())
		}
		n.ways[name] = r
	}
	return n, nil
}

func (n *network) close() error {
	for _, r := range n.ways {
		r.mu.Lock()
		r.proxy.Stop()
		r.mu.Unlock()
	}
	return nil
}

// to is the address at which somebody reaches somebody.
func (n *network) to(from, to string) string { return n.ways[way(from, to)].address }

// lead makes every way to a part end at an address.
func (n *network) lead(part, address string) error {
	for _, from := range append([]string{clients}, processes...) {
		if r := n.ways[way(from, part)]; r != nil {
			if err := r.lead(address); err != nil {
				return fmt.Errorf("way %s: %w", way(from, part), err)
			}
		}
	}
	return nil
}

func (r *route) lead(address string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proxy.Upstream == address {
		return nil
	}
	return again(func() error {
		return r.proxy.Update(&toxiproxy.Proxy{Listen: r.address, Upstream: address, Enabled: !r.cut})
	})
}

// startTries bounds how often a port is asked for that was ours a moment ago.
const startTries = 50

func again(start func() error) (err error) {
	for range startTries {
		if err = start(); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// breaks does a fault to a way.
func (r *route) breaks(k Kind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k == Cut {
		r.cut = true
		r.proxy.Stop()
		return nil
	}
	for _, stream := range []string{"upstream", "downstream"} {
		toxic := toxics[k]
		toxic.Stream, toxic.Name = stream, stream
		text, err := json.Marshal(toxic)
		if err != nil {
			return err
		}
		if _, err := r.proxy.Toxics.AddToxicJson(bytes.NewReader(text)); err != nil {
			return err
		}
	}
	return nil
}

// heals undoes whatever was done to a way.
func (r *route) heals(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proxy.Toxics.ResetToxics(ctx)
	if !r.cut {
		return nil
	}
	r.cut = false
	return again(r.proxy.Start)
}

// toxic is one of toxiproxy's.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"`
	Attributes map[string]int `json:"attributes"`
}

var toxics = map[Kind]toxic{
	Silence: {Type: "timeout", Attributes: map[string]int{"timeout": 0}}, // milliseconds until it closes: never
	Slow:    {Type: "latency", Attributes: map[string]int{"latency": 500, "jitter": 500}},
	Reset:   {Type: "reset_peer", Attributes: map[string]int{"timeout": 0}},
	Narrow:  {Type: "bandwidth", Attributes: map[string]int{"rate": 4}}, // kilobytes a second
}
