package testnet

// inputs is the folder for what a member put into the secure sums.
func (r *run) inputs(name string) string { return r.cfg.Folder.Path("inputs", name) }
