// Package x86 writes machine code for amd64 into memory: the vector instructions of elementwise arithmetic, in their
// AVX-512 form on registers of 64 bytes (EVEX encoding) or their AVX2 form on registers of 32 bytes (VEX encoding), and
// the handful of others that a loop around them takes. It is no general assembler.
//
// Encodings follow the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. The tests compare them with
// what an independent assembler wrote.
//
// An Assembler only fills a slice of bytes; who calls the code must bring it into executable memory.
package x86
