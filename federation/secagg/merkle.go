package secagg

// merkleRoot hashes a list of hashes pairwise up to one, after RFC 6962 section 2.1: the left subtree holds the
// largest power of two below the length. Inner nodes have a label of their own, so no leaf passes for one.
func merkleRoot(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sum32(newHash("empty tree"))
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := merkleRoot(leaves[:k]), merkleRoot(leaves[k:])
	h := newHash("tree node")
	h.Write(left[:])
	h.Write(right[:])
	return sum32(h)
}
