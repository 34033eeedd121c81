package explore

import "github.com/fusedos/stramash/model/litmus"

// A view is a time: everything up to the message of this number, from 1, in the
// memory; 0 is what memory holds at the start. Joining two views is taking the
// later one.
type view = uint8

// maxTime is the last message that a memory can hold: sets of times are words.
const maxTime = 63

// A pair is a view of what orders reads and writes (all), and one of what orders
// writes only (pick ≥ all), which pick dependencies go into.
type pair struct{ all, pick view }

func (p pair) join(q pair) pair { return pair{max(p.all, q.all), max(p.pick, q.pick)} }

// A value is what a register holds and the view on which that depends.
type value struct {
	x    uint64
	view pair
}

// A place is what a thread knows of a location.
type place struct {
	coh view // its reads and writes up to now come before what it reads and writes next
	// Of its own newest write: when; the view that a read of it takes; the view that
	// what depends on such a read takes; and if it is of a read-modify-write, that of
	// its read, which orders an acquire that reads from it.
	own    view
	fwd    view
	dep    pair
	update pair
}

// state is that of a thread. The names of its views in the literature: reads is
// vrNew, writes vwNew, read vrOld, wrote vwOld, ctrl vcap, released vrel.
type state struct {
	pc       int
	reads    view // later reads come after it
	writes   view // later writes come after it
	ctrl     view // address and control dependencies: later writes, and after an ISB, reads
	wrote    view // all writes up to now
	released view // all release writes up to now
	read     pair // all reads up to now, but those without a result
	moved    view // all reads and writes up to now
	// The exclusive monitor: the place of the load and 1, or 0; the time that it
	// read, and its view.
	monitor int
	loaded  view
	link    pair
	open    uint64 // its own messages that it has not fulfilled
	// bent: a CAS has failed that would have succeeded. Whether it writes does not order
	// what is later, so that may be promised before it is known: such a run says what
	// can be promised, and what can't be fulfilled yet, but not how the thread ends.
	bent   bool
	regs   []value
	places []place
}

func (s *state) copy(from *state) {
	regs, places := s.regs, s.places
	*s = *from
	s.regs, s.places = append(regs[:0], from.regs...), append(places[:0], from.places...)
}

func (s *state) get(o litmus.Operand) value {
	if o.Reg == litmus.NoReg {
		return value{x: o.Imm}
	}
	return s.regs[o.Reg]
}

func (s *state) set(r litmus.Reg, v value) {
	if r != 0 {
		s.regs[r] = v
	}
}

// An access is what an operation does to memory, with the views of its address
// and its data.
type access struct {
	place            int
	addr             pair
	acquire, release bool
	acquirePC, noRet bool
}
