package rpc

import (
	"fmt"
	"testing"
)

func contents(q *queue) string {
	s := ""
	for _, e := range q.peek(1 << 20) {
		s += string(e.data)
	}
	return s
}

func TestQueue(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(q *queue)
		want string
	}{
		{"keeps order", func(q *queue) {}, "abcd"},
		{"drops what was handed over", func(q *queue) { q.drop(q.peek(2)) }, "cd"},
		{"drops nothing for nothing", func(q *queue) { q.drop(nil) }, "abcd"},
		{"discards old rounds", func(q *queue) { q.discard(2) }, "cd"},
		{"discarded while handed over", func(q *queue) { b := q.peek(3); q.discard(3); q.drop(b) }, "d"},
		{"oldest go first when full", func(q *queue) { q.push(9, [][]byte{[]byte("efgh"), []byte("i")}) }, "defghi"},
		{"one too large stays alone", func(q *queue) { q.push(9, [][]byte{[]byte("0123456789")}) }, "0123456789"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(6)
			for i, data := range []string{"a", "b", "c", "d"} {
				q.push([]uint64{1, 1, 2, 3}[i], [][]byte{[]byte(data)})
			}
			c.do(q)
			if got := contents(q); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			sum := 0
			for _, e := range q.items {
				sum += len(e.data)
			}
			if sum != q.bytes || q.empty() != (sum == 0) {
				t.Errorf("counts %d bytes, holds %d", q.bytes, sum)
			}
		})
	}
	if got := fmt.Sprint(len(newQueue(1).peek(5))); got != "0" {
		t.Errorf("an empty queue gave %s", got)
	}
}
