package machine

import "github.com/fusedos/stramash/coherence/protocol"

// refresh says at which agents something can arrive for a line.
func (f *fabric) refresh(l *fabricLine) {
	if l.held {
		l.held, f.held = false, f.held-1
	}
	can := Set(0)
	f.next = f.system.Deliveries(l.state, f.next[:0])
	for _, d := range f.next {
		switch a := f.agentOf(d); {
		case d.ByItself():
		case !f.holds(a, l):
			can |= Only(a)
		case !l.held:
			l.held, f.held = true, f.held+1
		}
	}
	for i, a := range f.agents {
		if was := l.can.Has(i); was != can.Has(i) {
			if was {
				a.lines--
			} else {
				a.lines++
			}
			f.m.set(a.bit, a.lines > 0, false)
		}
	}
	l.can = can
}

// recheck looks again at what is held, or must be from now on, when a CPU, a store buffer
// or the phase has changed.
func (f *fabric) recheck() {
	if f.held == 0 && len(f.waits) == 0 && f.m.phase != fair {
		return
	}
	for _, l := range f.lines[:f.used] {
		again := l.held
		for can := l.can; can != 0 && !again; can = can.Rest() {
			again = f.holds(can.First(), l)
		}
		if again {
			f.refresh(l)
		}
	}
}

// agentOf is the number of the agent that makes a step.
func (f *fabric) agentOf(d protocol.Delivery) int {
	if p := f.system.Receiver(d); p >= 0 {
		return f.agentAt[p]
	}
	return len(f.cpus)
}

// holds says whether a cache leaves messages for a line in their channels: its CPU has
// waited for the line and can go on. In the fair phase a store buffer counts, too.
func (f *fabric) holds(agent int, l *fabricLine) bool {
	if f.ending {
		return false
	}
	for _, w := range f.waits {
		if c := w.t.cpu; c != nil && c.id == agent && c.cur.wait == w && l.covers(w.at[0]) &&
			f.m.enabled&c.bit != 0 && f.has(c, w.at[0], w.blocked.Kind.Writes()) {
			return true
		}
	}
	if o := f.m.order; o != nil && f.m.phase == fair && agent < len(o.buffers) && o.buffers[agent] != nil {
		b := o.buffers[agent]
		for ready := o.ready(b); ready != 0; ready = ready.Rest() {
			if l.covers(b.stores[ready.First()].at) {
				return true
			}
		}
	}
	return false
}

// step is a step of an agent: something arrives.
func (f *fabric) step(a *cacheAgent) {
	m, x := f.m, a.ctx
	m.steps++
	x.index++
	if x.busy {
		m.settleContext(x)
	}
	d := f.choose(a)
	l := d.line
	note := ""
	if m.tracer != nil {
		note = f.system.DeliveryName(l.state, d.step)
	}
	if d.step.ByItself() {
		f.evicted++
	}
	if v := f.system.Deliver(l.state, d.step); v != nil {
		f.broken(l, v)
	}
	f.tell(a, l, note)
	f.changed(l)
}

// choose is what arrives at an agent next. Plainly it is the first message; what happens by
// itself is among the choices as long as something may be evicted.
func (f *fabric) choose(a *cacheAgent) delivery {
	f.choices = f.choices[:0]
	f.collect(a, false)
	if f.m.phase != adversarial {
		return f.choices[0]
	}
	if f.evicted < f.m.limits.Evictions {
		f.collect(a, true)
	}
	return f.choices[f.m.choose(a.ctx, a.cpu, Deliver, len(f.choices))]
}

// maxChoices is how many deliveries may be chosen from: what a Set can hold.
const maxChoices = 64

// collect adds to the choices the messages that can arrive at an agent, or what happens
// there by itself.
func (f *fabric) collect(a *cacheAgent, happens bool) {
	for _, l := range f.lines[:f.used] {
		if f.holds(a.number, l) || !happens && !l.can.Has(a.number) {
			continue
		}
		f.next = f.system.Deliveries(l.state, f.next[:0])
		for _, d := range f.next {
			if d.ByItself() == happens && f.agentOf(d) == a.number && len(f.choices) < maxChoices {
				f.choices = append(f.choices, delivery{l, d})
			}
		}
	}
}
