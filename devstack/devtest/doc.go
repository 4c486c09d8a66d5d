// Package devtest gives tests a real PostgreSQL and a real Temporal, so that no test of Waybill is skipped for
// want of a server and none runs against a mock of one.
//
// It owns one server of each kind per test process, brought up when a test first asks for it, and one
// database per test. It does not own the schema: a package sets Migrate, which is run once per process on the
// database that all others are copied from. It is imported by tests only.
//
//	func TestMain(m *testing.M) {
//		devtest.Migrate = store.Migrate
//		devtest.NeedTemporal() // only where tests call devtest.Temporal
//		os.Exit(devtest.Run(m))
//	}
//
//	func TestPlace(t *testing.T) {
//		url := devtest.Database(t)
//		...
//	}
//
// Servers end with the process: in order through Run, and by the kernel (on Linux) when the process is
// killed. What a killed process leaves in the file system is removed by the next one that starts a server.
package devtest
