// Package deepmd reads and writes systems in DeePMD-kit's npy layout: a folder with type.raw, type_map.raw and one or
// more set.* folders that hold coord.npy, box.npy, energy.npy, force.npy, virial.npy, fparam.npy and aparam.npy.
//
//	system/type.raw             type number of each atom (all zero in a mixed_type system)
//	      /type_map.raw         name of each type
//	      /nopbc                empty file: open boundaries, box.npy is ignored
//	      /set.000/coord.npy    [F x 3N]; one frame may lack the frame axis
//	      /set.000/real_atom_types.npy   [F x N], mixed_type only; -1 is a virtual atom
//
// Frames keep the order of atoms of the file. Each set says for itself which labels it has, so that sets with
// different labels never train against zeros. Arrays are float32, float64 or integers, little-endian, in C order;
// everything else is refused, as are arrays whose header promises more than the file holds. The decoder is our own
// because files may come from strangers.
package deepmd
