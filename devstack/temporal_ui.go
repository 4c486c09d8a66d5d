//go:build unix

package devstack

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// complete starts the web UI, which is a program of its own beside this server.
func (s *postgresServer) complete(ctx context.Context, options TemporalOptions) error {
	for !s.headless {
		port := choosePort(options.choose, options.UIPort)
		s.t.UIURL = "http://" + address(port)
		err := s.write("ui", object{
			"host": loopback, "port": port, "temporalGrpcAddress": s.t.Address, "enableUi": true, "hideLogs": true,
			"cors": object{"cookieInsecure": true}, "codec": object{"endpoint": options.UICodecEndpoint},
		})
		if err != nil {
			return err
		}
		portTaken, err := s.t.launch(ctx, s.program(s.uiServer, "ui"), &s.t.ui, s.t.awaitUI)
		if !portTaken {
			return err
		}
		progress(options.Progress).say("a port was taken meanwhile, trying another")
		options.UIPort = 0
	}
	return nil
}

// awaitUI waits for the UI, which is up a little later than the server: a link that is printed has to work.
func (t *Temporal) awaitUI(ctx context.Context) error {
	if t.UIURL == "" {
		return nil
	}
	var last error
	return poll(ctx, &last, func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.UIURL, nil)
		if err != nil {
			return false, err
		}
		answer, err := uiClient.Do(request)
		if err != nil {
			if ctx.Err() == nil { // else what was last seen tells more
				last = err
			}
			return false, nil
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			last = fmt.Errorf("the UI answers %s", answer.Status)
		}
		return answer.StatusCode == http.StatusOK, nil
	})
}

// uiClient goes straight to the loopback address, whatever proxy the environment names.
var uiClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
