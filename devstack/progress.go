package devstack

import "fmt"

// progress tells a person what is being waited for. It may be nil.
type progress func(string)

func (p progress) say(format string, args ...any) {
	if p != nil {
		p(fmt.Sprintf(format, args...))
	}
}
