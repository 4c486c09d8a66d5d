package demo

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/waybill-oms/waybill/api/client"
)

// pauseMin is between two attempts when nobody says how long to wait.
const pauseMin = 500 * time.Millisecond

// unreachable is an API that does not answer at all any more.
type unreachable struct{ cause error }

func (e *unreachable) Error() string {
	return fmt.Sprintf("the API does not answer any more: %v", e.cause)
}

// patiently returns the client with requests that are sent again, as every client should: the same request with the same
// Idempotency-Key, after as long as the answer asks for.
func patiently(api *client.ClientWithResponses, patience time.Duration) (*client.ClientWithResponses, error) {
	base, ok := api.ClientInterface.(*client.Client)
	if !ok {
		return nil, fmt.Errorf("demo: a %T is not a client of the API", api.ClientInterface)
	}
	again := *base
	again.Client = retrying{base.Client, patience}
	return &client.ClientWithResponses{ClientInterface: &again}, nil
}

// retrying sends a request again when nothing is known of its outcome, or when it came too early.
type retrying struct {
	client.HttpRequestDoer
	patience time.Duration
}

func (c retrying) Do(r *http.Request) (*http.Response, error) {
	for began := time.Now(); ; {
		res, err := c.HttpRequestDoer.Do(r)
		if err == nil || r.Context().Err() != nil {
			return res, err
		}
		after, again := client.Again(err)
		if !again {
			return nil, err
		}
		wait := max(after, pauseMin)
		if time.Since(began)+wait > c.patience {
			if !errors.As(err, new(*client.Error)) {
				err = &unreachable{err}
			}
			return nil, err
		}
		if err := client.Pause(r.Context(), wait); err != nil {
			return nil, err
		}
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// only returns the one of a response's answers that came.
func only[T any](answers ...*T) (*T, error) {
	for _, a := range answers {
		if a != nil {
			return a, nil
		}
	}
	return nil, errors.New("the answer has a status that the contract does not have")
}
