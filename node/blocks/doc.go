// Package blocks keeps a node's public artefacts as content-addressed blocks in plain files and exchanges them with
// other nodes by Bitswap.
//
// # What is in a store
//
// Only what anyone may have: the genesis, the model configuration, certified weights, round records and certificates. A
// store is served whole, so nothing private may ever be put into one; candidates that are not certified yet, single
// updates and local heads live elsewhere.
//
// # Files
//
//	<dir>/<last two characters>/<multihash in base32>
//
// A block is written to a temporary file, synced and renamed, so a file that has its final name is whole. Every read
// checks the hash: a block that the disk spoiled is set aside (".bad") and counts as absent, so that it is fetched again.
// Put of a block that is there already writes nothing.
//
// # Large files
//
// Weights are UnixFS files: 256 KiB raw leaves under a balanced DAG-PB tree, the layout of package federation/ledger and
// of `ipfs add --cid-version=1 --raw-leaves`. WriteFile and ReadFile convert. ReadFile believes nothing: it visits only
// nodes whose declared sizes add up, reads at most the given limit, and works with blocks from anyone, because every
// block is proven by its hash.
//
// # Exchange
//
// An Exchange puts a store on a libp2p host: Serve answers the wants of whoever the host admits, Fetch asks them, and
// Both does both. Fetched blocks are kept in the store, so that an interrupted download goes on where it stopped.
package blocks
