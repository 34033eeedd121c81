package machine

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/coherence/protocol"
)

// end has everything arrive: contexts that are cut off, as idle ones are, wait no more.
func (f *fabric) end() {
	f.ending = true
	f.recheck()
}

// unsettled is what is wrong at the end of a run, when everything that could arrive has;
// or empty.
func (f *fabric) unsettled() string {
	for _, l := range f.lines[:f.used] {
		name := f.m.NameAddr(VA(l.pa))
		if !f.system.Quiescent(l.state) {
			return fmt.Sprintf("quiescence: line %s never comes to rest (protocol %s): %s", name, f.system.Protocol.Name, f.describe(l))
		}
		if why := f.compare(l); why != "" {
			return why
		}
	}
	if o := f.m.order; o != nil {
		for _, b := range o.buffers {
			if b != nil && len(b.stores) > 0 {
				return fmt.Sprintf("quiescence: a store that CPU %d holds back never takes effect (protocol %s)", b.cpu.id, f.system.Protocol.Name)
			}
		}
	}
	return ""
}

// compare has each CPU load a line at the end: what the copies hold, or else memory, must
// be what was written last.
func (f *fabric) compare(l *fabricLine) string {
	for cpu, p := range f.cpus {
		o, broken := f.system.Do(l.state, p, protocol.LoadEvent)
		for d := f.arrival(l); d != nil && broken == nil; d = f.arrival(l) {
			broken = f.system.Deliver(l.state, *d)
		}
		if o != protocol.Hit && broken == nil {
			o, broken = f.system.Do(l.state, p, protocol.LoadEvent)
		}
		if broken != nil || o != protocol.Hit {
			return fmt.Sprintf("quiescence: CPU %d can't load line %s at the end (protocol %s): %s", cpu, f.m.NameAddr(VA(l.pa)), f.system.Protocol.Name, f.describe(l))
		}
		for i, v := range l.contents[f.system.Value(l.state, p)] {
			if w, _ := f.m.mem.word(l.pa + PA(8*i)); w != nil && *w != v {
				return fmt.Sprintf("data value: at the end CPU %d loads %#x from %s, but %#x was written last (protocol %s)",
					cpu, v, f.m.NameAddr(VA(l.pa)+VA(8*i)), *w, f.system.Protocol.Name)
			}
		}
	}
	return ""
}

// arrival is the first message of a line that can arrive, or nil.
func (f *fabric) arrival(l *fabricLine) *protocol.Delivery {
	f.next = f.system.Deliveries(l.state, f.next[:0])
	for i := range f.next {
		if !f.next[i].ByItself() {
			return &f.next[i]
		}
	}
	return nil
}

// describe is where a line is, in words.
func (f *fabric) describe(l *fabricLine) string {
	var out []string
	for _, p := range f.system.Describe(l.state) {
		if p.Value != "" && p.Name != "written last" {
			out = append(out, p.Name+" "+p.Value)
		}
	}
	return strings.Join(out, "; ")
}
