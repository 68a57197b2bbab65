// Package sketch finds members of a secure sum whose vector is longer than allowed, without seeing the vector.
package sketch
