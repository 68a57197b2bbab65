package sim

import (
	"container/heap"
	"time"
)

// A job is something that happens at a point in virtual time. Jobs of one time happen in the order in which they were made.
type job struct {
	at     time.Duration
	serial int
	do     func()
}

type queue []job

var _ heap.Interface = (*queue)(nil)

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].serial < q[j].serial
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(job)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = job{}
	*q = (*q)[:last]
	return x
}

// later has something happen after a delay.
func (w *World) later(delay time.Duration, do func()) {
	w.serial++
	heap.Push(&w.queue, job{w.now + max(delay, 0), w.serial, do})
}

// next lets the next thing happen.
func (w *World) next() {
	j := heap.Pop(&w.queue).(job)
	w.now = j.at
	j.do()
}
