package axiomatic

import (
	"fmt"
	"strings"
)

// Dot is the explanation as a Graphviz graph.
func (x *Explanation) Dot() string {
	if x.Execution == nil {
		return "digraph execution {\n}\n"
	}
	return x.Execution.Dot(x.Cycle)
}

// Dot is the execution as a Graphviz graph: a box for each thread, with the events in
// program order, the write of each read, the orders of writes, and if it is not
// nil, the cycle, in red.
func (x *Execution) Dot(cycle *Cycle) string {
	var b strings.Builder
	labels := x.labels()
	b.WriteString("digraph execution {\n  node [shape=plaintext];\n")
	for i := range x.Events {
		e := &x.Events[i]
		if i == 0 || e.Thread != x.Events[i-1].Thread {
			if i > 0 {
				b.WriteString("  }\n")
			}
			fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", e.Thread, quote(fmt.Sprintf("P%d (%s)", e.Thread, e.ISA)))
		} else {
			fmt.Fprintf(&b, "    %d -> %d [color=grey, arrowhead=none, weight=9];\n", i-1, i)
		}
		name := x.effect(e)
		if labels[i] != "" {
			name = labels[i] + ": " + name
		}
		fmt.Fprintf(&b, "    %d [label=%s];\n", i, quote(name))
	}
	if len(x.Events) > 0 {
		b.WriteString("  }\n")
	}
	for _, e := range x.graph(cycle) {
		style := "color=blue, constraint=false"
		if e.cycle {
			style = "color=red, penwidth=2, constraint=false"
		}
		fmt.Fprintf(&b, "  %d -> %d [label=%s, %s];\n", e.from, e.to, quote(e.name), style)
	}
	b.WriteString("}\n")
	return b.String()
}

// arrow is an edge of the graph.
type arrow struct {
	from, to int
	name     string
	cycle    bool
}

// graph has the cycle, and of reads-from and coherence what is not in it.
func (x *Execution) graph(cycle *Cycle) []arrow {
	var out []arrow
	drawn := map[[2]int]bool{}
	if cycle != nil {
		for _, e := range cycle.Edges {
			out = append(out, arrow{e.From, e.To, e.Rule, true})
			drawn[[2]int{e.From, e.To}] = true
		}
	}
	add := func(i, j int, name string) {
		if !drawn[[2]int{i, j}] {
			out = append(out, arrow{i, j, name, false})
		}
	}
	for i := range x.Events {
		if x.Events[i].Kind == Read && x.From[i] != Initial {
			add(x.From[i], i, "rf")
		}
	}
	for _, order := range x.Order {
		for k := 1; k < len(order); k++ {
			add(order[k-1], order[k], "co")
		}
	}
	return out
}

// quote quotes a string as Graphviz reads it.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}
