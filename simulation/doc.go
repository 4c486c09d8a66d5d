// Package simulation is what every simulated world shares.
//
// It owns how a seed decides (pure functions of the seed and of names, so that neither the order of questions nor a
// question more or less changes an answer), which part of a world is played (Scope), what a run leaves behind
// (Result), and how a run that went wrong is made small enough to be read (Shrink).
//
// It does not own any world: simulation/core plays the pure domain, simulation/life the real workflows and the real
// store. It knows no rule of Waybill, and imports nothing of it.
package simulation
