package checkers

import (
	"slices"

	"github.com/fusedos/stramash/machine"
)

// node is a class of locks, or one lock among those of its class.
type node struct {
	class  uint64
	single bool       // it is one lock
	lock   machine.VA // which one
}

// edge says that one node comes before another, and which records first showed
// it: heldAt acquired the one, and then at the other.
type edge struct {
	from, to   int
	heldAt, at int
}

// ordering is a directed graph. Nodes and edges are numbered in the order in
// which they were added, and searches follow that order.
type ordering struct {
	nodes table[node]
	pairs table[[2]int] // the ends of each edge
	list  []edge
	out   [][]int // of each node: the edges that leave it

	reached []int // scratch of path: of each node, 1 + the edge that led to it
	queue   []int
}

func (o *ordering) reset() {
	o.nodes.reset()
	o.pairs.reset()
	o.list, o.out = o.list[:0], o.out[:0]
}

func (o *ordering) edges() int { return len(o.list) }

// node returns the number of a node.
func (o *ordering) node(n node) int {
	number, fresh := o.nodes.find(n)
	switch {
	case fresh && number < cap(o.out): // keep the slice of edges
		o.out = o.out[:number+1]
		o.out[number] = o.out[number][:0]
	case fresh:
		o.out = append(o.out, nil)
	}
	return number
}

// add adds an edge and reports whether it is a new one.
func (o *ordering) add(e edge) bool {
	n, fresh := o.pairs.find([2]int{e.from, e.to})
	if fresh {
		o.list = append(o.list, e)
		o.out[e.from] = append(o.out[e.from], n)
	}
	return fresh
}

// path returns the edges of a shortest way from a node to one that is wanted,
// or nil if there is none. The way has at least one edge.
func (o *ordering) path(from int, wanted func(node int) bool) []edge {
	if len(o.out[from]) == 0 {
		return nil
	}
	o.reached = append(o.reached[:0], make([]int, len(o.out))...)
	o.queue = append(o.queue[:0], from)
	for i := 0; i < len(o.queue); i++ {
		for _, n := range o.out[o.queue[i]] {
			to := o.list[n].to
			if o.reached[to] != 0 {
				continue
			}
			o.reached[to] = n + 1
			if wanted(to) {
				return o.trace(from, to)
			}
			o.queue = append(o.queue, to)
		}
	}
	return nil
}

// trace follows the search back from a node to its start.
func (o *ordering) trace(from, to int) []edge {
	var way []edge
	for {
		e := o.list[o.reached[to]-1]
		way = append(way, e)
		if to = e.from; to == from {
			slices.Reverse(way)
			return way
		}
	}
}
