package core

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"time"
)

// trace is everything that happened, one line an event. Only its hash is kept: nobody reads the lines.
type trace struct {
	sum    hash.Hash // as simulation.Hash is of all lines
	line   []byte    // the last one, whose memory the next one has
	events int
}

func newTrace() *trace { return &trace{sum: sha256.New()} }

func (t *trace) add(at time.Time, subject, what, outcome string) {
	since := at.Sub(began)
	line := append(strconv.AppendInt(t.line[:0], int64(since/day), 10), '+')
	line = append(digits(line, since/time.Hour%24, 2), ':')
	line = append(digits(line, since/time.Minute%60, 2), ':')
	line = append(digits(line, since/time.Second%60, 2), '.')
	line = append(digits(line, since/time.Millisecond%1000, 3), ' ')
	line = append(append(line, subject...), ' ')
	line = append(append(line, what...), ": "...)
	t.line = append(append(line, outcome...), '\n')
	_, _ = t.sum.Write(t.line) // a hash takes everything
	t.events++
}

// digits writes so many digits of a number, with zeros in front.
func digits(line []byte, n time.Duration, width int) []byte {
	for limit := time.Duration(10); width > 1; limit, width = limit*10, width-1 {
		if n < limit {
			for range width - 1 {
				line = append(line, '0')
			}
			break
		}
	}
	return strconv.AppendInt(line, int64(n), 10)
}

func (t *trace) hash() string { return hex.EncodeToString(t.sum.Sum(nil)) }
