// Package home is the folder of one node.
//
//	node.toml       what the owner decides; see Config
//	identity.key    proves to other members who connects (Ed25519, PKCS #8 PEM, mode 0600)
//	signing.key     signs what the node says in a round; its public half is the member's id
//	public.key      names the public reading side, so that readers learn nothing about the member host
//	genesis.cbor    the federation this node belongs to; put there by `fedlam join`
//	data/log.db     durable log (package wal)
//	data/blocks/    public artefacts (package blocks)
//	data/local/     what never leaves: the trainer's state, heads that are not shared
//	data/results/   validation errors per round, for the owner
//
// One folder is one node: copying a running node's folder and starting the copy would make two machines promise
// different things in one name; the others see that and exclude both.
//
// A Card is what a node tells the others about itself before a federation exists: names, public keys, addresses, label
// conventions. It holds no secret and nothing about the data but the conventions.
package home
