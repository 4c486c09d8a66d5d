// Package core plays many orders on one stock with the pure domain alone: no database, no Temporal, no network, one
// goroutine, and a clock that jumps from one event to the next.
//
// It owns the world around domain/order: customers, pickers and packers, the returns desk, operators, a gateway, a
// carrier and the runs that perform what is due, each of which may be late, wrong, twice or gone, as the seed says. It
// owns books that keep what decisions note and refuse what PostgreSQL's constraints would refuse, and the rules by
// which these books and the witnesses are judged, in code of its own: it takes no rule from the domain that it checks.
//
// It drives the aggregate as activities and store do, by its public decisions, and knows nothing of how they decide.
// It does not show that SQL, Temporal or a network do as they should: simulation/life and chaos do.
package core
