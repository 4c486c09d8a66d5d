// Package verify checks on a live database that what Waybill promises holds.
//
// It owns the table of invariants: what each protects, and the question whose answer is every violation of it. The
// questions about facts are plain SQL, asked in one read-only transaction, so that they all see one moment and
// nobody waits for them; those about runs are asked of Temporal. What is still on its way (an operation without an
// answer, a change of the last seconds) and what an operator has been called for is counted apart: it is neither a
// violation nor silently right. What could not be asked is reported as not checked.
//
// It does not own any rule: it says again, in another language and from what is stored, what domain/order decides.
// Therefore it uses nothing of the code that it checks but the names of states, has connections of its own, and
// compares our books with those of witnesses who do not share our code: the sandbox's ledgers, and Temporal. It
// never repairs anything.
//
// Whoever adds something that can go wrong adds its invariant here, with a planted fault that it finds and the
// nearest legal state that it must not report.
package verify
