package remote

import (
	"encoding/json"
	"errors"
	"io"
)

// bodyMax bounds a request and an answer, in bytes. The largest has a few texts of 255 bytes; the scans of a parcel are
// a dozen.
const bodyMax = 64 << 10

// What a gateway says instead of an answer.
const (
	codeNotFound    = "not_found"
	codeKeyInUse    = "key_in_use"
	codeKeyReused   = "key_reused"
	codeRateLimited = "rate_limited"
	codeUnknown     = "unknown" // the outcome is not known here either
	codeUnreadable  = "unreadable"
	codeSecret      = "wrong_secret"
)

// refusal is the body of everything that is not an answer.
type refusal struct {
	Code string `json:"code"`
}

// only reads exactly one value: what has more, or something that nobody knows, is no message of ours.
func only(from io.Reader, into any) error {
	decoder := json.NewDecoder(io.LimitReader(from, bodyMax))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the message")
	}
	return nil
}
