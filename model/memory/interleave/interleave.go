// Package interleave runs litmus tests in the plainest way: one operation after the
// other, in every order, on one memory. SC is sequential consistency (Lamport 1979);
// TSO gives each thread a store buffer (Sewell, Sarkar, Owens, Zappa Nardelli and
// Myreen, "x86-TSO", CACM 2010). They are slow, and references for the engines
// and for what the generator claims.
package interleave

import (
	"encoding/binary"
	"fmt"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// SC finds the final states under sequential consistency, of threads of any ISA. A
// store exclusive fails if, and only if, the location has been written since.
func SC(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
	return run(p, b, false, found)
}

// TSO finds the final states of x86-64 threads with store buffers. A locked
// operation, one that fails too, waits for its thread's buffer to be empty, and so
// does every fence: herd7 takes lfence and sfence for mfence, too.
func TSO(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
	for i, t := range p.Threads {
		if t.ISA != litmus.X86_64 {
			return memory.Outcome{}, fmt.Errorf("thread %d is of %s; store buffers are x86-64's", i, t.ISA)
		}
	}
	return run(p, b, true, found)
}

// search is the search of a program's states.
type search struct {
	p        *litmus.Program
	budget   memory.Budget
	buffered bool
	found    func(litmus.State) bool
	seen     map[string]bool // states of the machine
	final    map[string]bool
	out      memory.Outcome
	stop     bool
	err      error
}

// machine is a state of the machine.
type machine struct {
	memory  []uint64
	version []uint64 // how often each location was written
	threads []thread
}

type thread struct {
	at      int
	regs    [litmus.NumRegs]uint64
	monitor uint64 // 1 + the version that an exclusive load has seen
	buffer  []write
}

type write struct {
	loc   int
	value uint64
}

func run(p *litmus.Program, b memory.Budget, buffered bool, found func(litmus.State) bool) (memory.Outcome, error) {
	s := &search{p: p, budget: b, buffered: buffered, found: found, seen: map[string]bool{}, final: map[string]bool{}}
	m := machine{threads: make([]thread, len(p.Threads)), version: make([]uint64, len(p.Locations))}
	for _, l := range p.Locations {
		m.memory = append(m.memory, l.Init)
	}
	for i := range p.Threads {
		m.threads[i].regs = p.Threads[i].Init
		s.settle(&m, i)
	}
	s.visit(m)
	s.out.Complete = !s.stop && s.err == nil
	return s.out, s.err
}

// visit explores what may follow a state.
func (s *search) visit(m machine) {
	key := m.key()
	if s.stop || s.err != nil || s.seen[key] {
		return
	}
	s.out.Steps++
	if s.budget.Steps > 0 && s.out.Steps > s.budget.Steps || s.budget.Entries > 0 && int64(len(s.seen)) >= s.budget.Entries {
		s.stop, s.out.Why = true, "the budget is spent"
		return
	}
	s.seen[key] = true
	end := true
	for i := range m.threads {
		th := &m.threads[i]
		if th.at < len(s.p.Threads[i].Code) {
			end = false
			if next := m.clone(); s.step(&next, i) {
				s.visit(next)
			}
		}
		if len(th.buffer) > 0 {
			end = false
			next := m.clone()
			next.drain(i)
			s.visit(next)
		}
	}
	if end {
		s.end(m)
	}
}

// end reports a final state, unless a loop was cut short on the way.
func (s *search) end(m machine) {
	var state litmus.State
	for i, t := range m.threads {
		if t.at > len(s.p.Threads[i].Code) {
			s.out.Cut = true
			return
		}
	}
	s.out.Explored++
	for _, o := range s.p.Observed {
		if o.Thread < 0 {
			state = append(state, m.memory[o.Loc])
		} else {
			state = append(state, m.threads[o.Thread].regs[o.Reg])
		}
	}
	if k := fmt.Sprint(state); !s.final[k] {
		s.final[k] = true
		s.stop = s.stop || !s.found(state)
	}
}

func (m *machine) clone() machine {
	c := machine{append([]uint64(nil), m.memory...), append([]uint64(nil), m.version...), append([]thread(nil), m.threads...)}
	for i := range c.threads {
		c.threads[i].buffer = append([]write(nil), c.threads[i].buffer...)
	}
	return c
}

// key tells states apart.
func (m *machine) key() string {
	var b []byte
	put := func(v uint64) { b = binary.AppendUvarint(b, v) }
	for i := range m.memory {
		put(m.memory[i])
		put(m.version[i])
	}
	for i := range m.threads {
		t := &m.threads[i]
		put(uint64(t.at))
		put(t.monitor)
		for r, v := range t.regs {
			if v != 0 {
				put(uint64(r))
				put(v)
			}
		}
		put(litmus.NumRegs)
		put(uint64(len(t.buffer)))
		for _, w := range t.buffer {
			put(uint64(w.loc))
			put(w.value)
		}
	}
	return string(b)
}

// put writes to memory.
func (m *machine) put(loc int, v uint64) {
	m.memory[loc] = v
	m.version[loc]++
}

// drain writes the oldest store of a thread's buffer to memory.
func (m *machine) drain(i int) {
	t := &m.threads[i]
	m.put(t.buffer[0].loc, t.buffer[0].value)
	t.buffer = t.buffer[1:]
}

// load is what thread i reads: its own youngest store, or memory.
func (m *machine) load(i, loc int) uint64 {
	b := m.threads[i].buffer
	for k := len(b) - 1; k >= 0; k-- {
		if b[k].loc == loc {
			return b[k].value
		}
	}
	return m.memory[loc]
}
