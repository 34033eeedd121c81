package checkers

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// TestKnowledge: a read of what was overwritten before it is right only if its CPU
// need not have known.
func TestKnowledge(t *testing.T) {
	j := Linearizable(spec.Register(0))
	history := func(writer, reader uint32, sameCPU bool) machine.History {
		h := machine.History{
			call(1, spec.RegisterWrite, 7), ret(1, 0, true),
			call(2, spec.RegisterRead), ret(2, 0, true),
		}
		h[1].View, h[2].View = writer, reader
		if sameCPU {
			h[2].CPU, h[3].CPU = h[0].CPU, h[0].CPU
		}
		return h
	}
	for _, c := range []struct {
		writer, reader uint32
		same, right    bool
	}{
		{0, 0, false, false}, // sequential consistency
		{5, 4, false, true},  // the reader need not have seen the write
		{5, 5, false, false}, // it must have
		{5, 4, true, false},  // it is the same CPU
	} {
		v := j.Check(history(c.writer, c.reader, c.same))
		if right := v.Violation == nil && v.Unknown == ""; right != c.right {
			t.Errorf("%+v: %+v", c, v)
		}
		if c.right && v.By != byOrders {
			t.Errorf("%+v: decided by %s", c, v.By)
		}
	}
}

// TestKnowledgeOrdersClients: a client's own operations stay in order, however
// little is known of others, and one that never returned may help or not.
func TestKnowledgeOrdersClients(t *testing.T) {
	j := Linearizable(spec.Register(0))
	ignorant := func(h machine.History) machine.History {
		for i := range h {
			if h[i].Kind == machine.ReturnRecord {
				h[i].View = uint32(10 + i)
			}
		}
		return h
	}
	for want, h := range map[string]machine.History{
		"": {
			call(1, spec.RegisterWrite, 1), ret(1, 0, true), call(1, spec.RegisterWrite, 2), ret(1, 0, true),
			call(2, spec.RegisterRead), ret(2, 1, true), call(2, spec.RegisterRead), ret(2, 2, true),
		},
		"no order": {
			call(1, spec.RegisterWrite, 1), ret(1, 0, true), call(1, spec.RegisterWrite, 2), ret(1, 0, true),
			call(2, spec.RegisterRead), ret(2, 2, true), call(2, spec.RegisterRead), ret(2, 1, true),
		},
		" ": {
			call(3, spec.RegisterWrite, 3), call(1, spec.RegisterWrite, 1), ret(1, 0, true), call(1, spec.RegisterWrite, 2), ret(1, 0, true),
			call(2, spec.RegisterRead), ret(2, 3, true), call(2, spec.RegisterRead), ret(2, 1, true),
		},
	} {
		v := j.Check(ignorant(h))
		right := strings.TrimSpace(want) == ""
		if got := v.Violation == nil && v.Unknown == ""; got != right {
			t.Errorf("%q: %+v", want, v)
		}
	}
}
