// Package local is the API between a running node and its owner: gRPC on a Unix socket.
//
// The socket is the file fedlam.sock in the node's folder, mode 0600, so that the file system decides who may ask. Where
// that path is too long for a Unix socket (about 100 bytes) the socket lies in a private folder of the user below the
// system's temporary folder, under a name made from the node's folder; Path tells where, for both sides.
//
// Serve answers from a Source and passes on its events; a reader that is slow loses the oldest ones rather than holding
// the node up. Dial is the other side.
package local
