package cuda

import "unsafe"

// Upload copies src to dst, which must be as long or longer. src may not be changed before the stream is waited for.
func Upload[T Number](r *Recorder, dst Slice[T], src []T) {
	need(r, "Upload", "dst", dst, len(src))
	if len(src) > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opUpload, dst: dst.addr, host: unsafe.Pointer(&src[0]), bytes: uint64(len(src)) * size[T]()})
	}
}

// Download copies the first len(dst) numbers of src to dst, which holds them after the stream is waited for.
func Download[T Number](r *Recorder, dst []T, src Slice[T]) {
	need(r, "Download", "src", src, len(dst))
	if len(dst) > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opDownload, src: src.addr, host: unsafe.Pointer(&dst[0]), bytes: uint64(len(dst)) * size[T]()})
	}
}

// Copy copies src to dst, which must be as long or longer, within the device. They may not overlap.
func Copy[T Number](r *Recorder, dst, src Slice[T]) {
	need(r, "Copy", "dst", dst, src.n)
	if src.n > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opCopy, dst: dst.addr, src: src.addr, bytes: src.bytes()})
	}
}

// Zero sets all of dst to 0.
func Zero[T Number](r *Recorder, dst Slice[T]) {
	if dst.n > 0 && r.err == nil {
		r.ops = append(r.ops, operation{kind: opZero, dst: dst.addr, bytes: dst.bytes()})
	}
}

// Mark records the time at which all work before it is done.
func Mark(r *Recorder, e *Event) {
	r.ops = append(r.ops, operation{kind: opMark, event: e})
}

// Await has the work after it begin when the event, as it was marked last in another stream, has happened. Lists with it cannot
// be captured.
func Await(r *Recorder, e *Event) {
	r.ops = append(r.ops, operation{kind: opAwait, event: e})
}
