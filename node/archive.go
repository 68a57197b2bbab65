package node

import (
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/transcript"
)

// Transcripts returns the folder in which a node keeps transcripts, if its owner wants any.
func Transcripts(h *home.Home) (transcript.Folder, error) {
	path, err := h.Data("transcripts")
	return transcript.Folder{Dir: path}, err
}

// archive keeps the messages of a finished round. The federation does not depend on them, so that a disk on which they have no room
// is no reason to stop.
func (n *Node) archive(a federation.Archive) {
	folder, err := Transcripts(n.cfg.Home)
	if err == nil {
		err = folder.Put(&transcript.Transcript{Genesis: n.genesis.CID(), Round: a.Round, Envelopes: a.Envelopes}, n.cfg.Home.Config.Transcripts.Keep)
	}
	if err != nil {
		n.log.Warn(MsgNoTranscript, "round", a.Round, "error", err)
	}
}
