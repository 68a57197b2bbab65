package main

func (v target) rowMoves(f *file) {}
func (v target) rowSums(f *file)  {}
