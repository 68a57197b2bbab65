// Package weights holds the numbers of a model, and reads and writes the two files they travel in.
//
// A Set is a collection of named tensors in float64, ordered by name. Names are the paths of DeePMD-kit's model
// tree below its key "model", joined by "/", "@variables" included:
//
//	descriptor/repinit_variable/embeddings/networks/0/layers/0/@variables/w
//
// In a model with several heads the trunk keeps descriptor/..., while what belongs to one head carries the prefix
// heads/<key>/ before fitting/... and @variables/out_bias.
//
// A Tree is DeePMD-kit's backend-neutral model file (.yaml): nested maps and lists whose leaves are scalars and
// Arrays. ReadYAML and WriteYAML keep everything, floats to the last bit, the order of keys included; JSON text
// is read as well, being valid YAML. Tree.Set picks the arrays out of a tree under the names above.
//
// ReadSafetensors and WriteSafetensors handle the native file. Writing is deterministic: equal sets give equal
// bytes, so that the hash of the file names the weights.
//
// Both readers take files from strangers: sizes are checked before memory is taken, nothing panics, and a tensor
// with NaN or infinite entries is refused. The package knows nothing of what the numbers mean; which tensors a
// model needs is the business of package training/dpa2.
package weights
