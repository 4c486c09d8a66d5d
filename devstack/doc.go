// Package devstack brings up what Waybill stands on, PostgreSQL and Temporal, on a machine that has neither
// running: for `waybill dev`, and for tests through the package devtest. Temporal is the dev server, on SQLite,
// or the server that is used in production, on that PostgreSQL.
//
// It owns these child processes, their folders, ports and passwords, Temporal's databases, and the file dev.json
// that tells other commands where they listen. It owns the promise that a launcher that dies in any way leaves nothing behind
// which the next start does not mend.
//
// It does not own the schema of the database (store migrates it), the workflows and workers, or anything
// that runs in production: there, addresses of real servers are configured and this package is not used.
// It never runs a package manager that changes the machine.
//
// # How children are kept
//
// Each child has a process group of its own, so that Ctrl-C in a terminal reaches the launcher first, which
// then stops its children in reverse order. On Linux the kernel also signals a child when its launcher dies
// (Pdeathsig). Elsewhere a child can outlive a killed launcher; the next start on the same folder, which is
// guarded by a file lock, finds it by its command line and stops it first.
//
// # Folders
//
// PostgreSQL refuses to run as root, so a launcher run by root starts it as the user postgres, else nobody.
// Where that user cannot reach the folder that was asked for (anything under /root), the state lies under
// /var/lib/waybill instead, and Postgres.Dir says where.
package devstack
