package transition

// lasso is a cycle through the first state of a part: from there to the nearest step that
// fairness still asks for, and so on, and back.
func (x *explorer) lasso(p *part) []TraceStep {
	c := &cycle{x: x, part: p, inside: map[uint32]bool{}, made: map[uint32]bool{}, owed: map[uint32]bool{}}
	for _, id := range p.ids {
		c.inside[id] = true
	}
	first := p.ids[0]
	c.at(first)
	for at := first; len(c.steps) == 0 || at != first || len(c.owed) > 0; {
		at = c.walk(at, func(e uint32) bool {
			if len(c.owed) > 0 {
				return c.owed[p.f.label[e]]
			}
			return p.f.to[e] == first
		})
	}
	return c.steps
}

// cycle is a cycle that is being made.
type cycle struct {
	x      *explorer
	part   *part
	inside map[uint32]bool
	made   map[uint32]bool // numbers of the steps that were made
	owed   map[uint32]bool // fair ones that were possible, and not made
	steps  []TraceStep
}

// at accounts that the cycle comes through a state.
func (c *cycle) at(id uint32) {
	f := c.part.f
	for e := f.first[id]; e < f.first[id+1]; e++ {
		if l := f.label[e]; f.fair[l] && !c.made[l] {
			c.owed[l] = true
		}
	}
}

// walk goes the shortest way, within the part, to an edge that is wanted, and over it. It
// answers where it has come to. There is a way because the part is strongly connected.
func (c *cycle) walk(at uint32, wanted func(edge uint32) bool) uint32 {
	f := c.part.f
	type hop struct{ from, edge uint32 }
	came := map[uint32]hop{}
	for queue := []uint32{at}; len(queue) > 0; queue = queue[1:] {
		id := queue[0]
		for e := f.first[id]; e < f.first[id+1]; e++ {
			to := f.to[e]
			if !c.inside[to] {
				continue
			}
			if wanted(e) {
				hops := []hop{{id, e}}
				for id != at {
					hops = append(hops, came[id])
					id = came[id].from
				}
				for i := len(hops) - 1; i >= 0; i-- {
					c.step(hops[i].from, hops[i].edge)
				}
				return to
			}
			if _, seen := came[to]; !seen && to != at {
				came[to] = hop{id, e}
				queue = append(queue, to)
			}
		}
	}
	panic("a part that is not strongly connected")
}

// step adds a step to the cycle.
func (c *cycle) step(from, edge uint32) {
	f, m := c.part.f, c.x.m
	l, to := f.label[edge], f.to[edge]
	c.made[l] = true
	delete(c.owed, l)
	c.steps = append(c.steps, m.traceStep(f.steps[l], c.x.state(from)[:m.Size], c.x.state(to)[:m.Size]))
	c.at(to)
}
