// Package ledger holds the public documents of a federation: who takes part and by which rules, what came out of every
// round, and who vouches for it. All of them are DAG-CBOR blocks named by their CIDs, so that anyone can fetch and check them.
package ledger
