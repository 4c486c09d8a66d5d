// Planted shows that the harness bites: it plants bugs into Waybill, one at a time, and runs the simulators and the
// chaos run until one of them goes red. A test that has never been red proves nothing.
//
// It owns the list, a file for each bug in bugs/, written down before the first run and never shortened since: a bug that no
// layer finds stays in it, and says why. It owns the runner, what the last runs found (results.json), and the page that tells it
// (docs/reference/planted-bugs.md). It does not own the layers (simulation/core, simulation/life, chaos), nor what they
// promise (store/verify).
//
// A bug is a patch without line numbers: its lines have to be in the file exactly once. So it survives changes elsewhere,
// and fails loudly when the place it was planted in has changed. Nothing in the tree is touched: the go command builds
// from an overlay.
//
//	go run ./planted -bug 07                      # one bug, in every layer that is asked for it
//	go run ./planted -layers core                 # all of them, by the quick one
//	go run ./planted -write                       # all of them, and the page
//	go run ./planted -page                        # the page alone, when words have changed
//
// A bug's file says in its first line what the bug is, then which defense it removes, which invariants should find it
// (finds:), and in which layer (layer:). `why:` is for one that nothing finds.
package main
