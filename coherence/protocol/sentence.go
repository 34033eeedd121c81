package protocol

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/transition"
)

// Sentence says how a property of the system's model is violated: the last step of a
// counterexample, and the states before and after it. It is empty for a property that is
// not the model's own.
func (s *System) Sentence(property string, last transition.Step, before, after []byte) string {
	switch property {
	case properties[singleWriter]:
		return s.writers(after)
	case properties[dataValue]:
		return s.stale(after)
	case properties[impossible]:
		c, event := s.receiver(last)
		at := before[c.base+int(last>>10&3)*c.table.line]
		return fmt.Sprintf("%s arrives at %s in state %s, and the table has no rule for that", event, c.name, c.kind.states[at])
	case properties[overflow]:
		return s.StepName(last) + ": then there is a message that its channel has no room for, or a number that its variable or field has none for"
	case properties[noReceiver]:
		return s.StepName(last) + ": then a message is sent to a controller that is none"
	}
	return ""
}

// StepRule is the rule that a step of the system's model applies, with its line in the
// protocol's text; empty if it is the step's fault that there is none.
func (s *System) StepRule(x transition.Step, before, after []byte) string {
	r := &run{s: s, state: make([]byte, s.size)}
	found := r.ruleOf(x, before, after)
	if found == nil {
		return ""
	}
	row := r.c.kind.rows[found.row]
	return fmt.Sprintf("line %d: %s", row.line, row.text)
}

// ruleOf finds the rule of a step. Of messages with one name, that one has arrived behind
// which the next state is as it is.
func (r *run) ruleOf(x transition.Step, before, after []byte) *rule {
	s, control, addr, n := r.s, int(x>>2&0xff), int(x>>10&3), numberOf(x)
	if x&3 != stepArrives {
		if x&3 == stepWrites {
			n = evStore
		}
		r.begin(before, &s.controls[control], addr)
		return r.find(n)
	}
	m := s.Protocol.messages[n]
	for i := range s.sources {
		from := &s.sources[i]
		if from.number != control || from.channel != m.in {
			continue
		}
		for k := range from.next {
			word := from.word(before, from.at, k)
			if word == 0 {
				break
			}
			r.receive(before, from, word)
			found := r.find(r.form.event)
			if found == nil || arrival(from, r.addr, r.form.message, word) != x {
				continue
			}
			r.fork(before)
			from.pop(r.state, from.at, k)
			r.apply(found)
			if m.in.block || bytes.Equal(r.state, after) {
				return found
			}
		}
	}
	return nil
}

// receiver is the controller at which a message arrives, and the message.
func (s *System) receiver(x transition.Step) (*controller, string) {
	c, m := &s.controls[x>>2&0xff], s.Protocol.messages[numberOf(x)]
	if m.in.perSender {
		c = &s.controls[c.near[m.in.to.number]]
	}
	return c, m.name
}

// writers says who may write a line that others may use.
func (s *System) writers(state []byte) string {
	for addr := range s.Addresses {
		var write, read []string
		for _, c := range s.serving {
			switch st := state[c.base+addr*c.table.line]; {
			case c.table.writable[st]:
				write = append(write, fmt.Sprintf("%s (%s)", c.name, c.kind.states[st]))
			case c.table.readable[st]:
				read = append(read, fmt.Sprintf("%s (%s)", c.name, c.kind.states[st]))
			}
		}
		switch {
		case len(write) > 1:
			return fmt.Sprintf("%s may write%s at the same time", strings.Join(write, " and "), s.ofLine(addr))
		case len(write) == 1 && len(read) > 0:
			return fmt.Sprintf("%s may write%s while %s may read", write[0], s.ofLine(addr), strings.Join(read, " and "))
		}
	}
	return ""
}

// stale says whose copy is not what was written last.
func (s *System) stale(state []byte) string {
	for addr := range s.Addresses {
		for _, c := range s.serving {
			at := c.base + addr*c.table.line
			if got, want := state[at+c.table.value], state[s.latest+addr]; c.table.readable[state[at]] && got != want {
				return fmt.Sprintf("%s (%s) may read %d%s, but %d was written last", c.name, c.kind.states[state[at]], got, s.ofLine(addr), want)
			}
		}
	}
	return ""
}
