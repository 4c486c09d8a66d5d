package gatewaytest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingIsLeftOut: a declaration that says nothing, too much or no reason is told, one that is whole is not.
func TestNothingIsLeftOut(t *testing.T) {
	all := []Situation{Approves, Declines}
	require.Empty(t, undeclared(all, map[Situation]string{Approves: "a", Declines: "d"}, nil))
	require.Empty(t, undeclared(all, map[Situation]string{Approves: ""}, map[Situation]string{Declines: "never does"}))
	for name, c := range map[string]struct{ there, absent map[Situation]string }{
		"neither":   {there: map[Situation]string{Approves: "a"}},
		"both":      {map[Situation]string{Approves: "a", Declines: "d"}, map[Situation]string{Declines: "never does"}},
		"no reason": {map[Situation]string{Approves: "a"}, map[Situation]string{Declines: ""}},
	} {
		require.Len(t, undeclared(all, c.there, c.absent), 1, name)
	}
}

// TestEverySituationIsChecked: a situation that no check needs would be declared for nothing.
func TestEverySituationIsChecked(t *testing.T) {
	used := map[Situation]bool{}
	for _, c := range append(paymentIdentityChecks(), append(paymentMoneyChecks(), paymentFaultChecks()...)...) {
		for _, situation := range c.needs {
			used[situation] = true
		}
	}
	for _, situation := range situations() {
		require.True(t, used[situation], situation)
	}
	passed := map[Journey]bool{}
	for _, c := range append(labelChecks(), trackingChecks()...) {
		for _, journey := range c.needs {
			passed[journey] = true
		}
	}
	for _, journey := range journeys() {
		require.True(t, passed[journey], journey)
	}
}
