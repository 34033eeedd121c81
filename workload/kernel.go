package workload

import (
	"fmt"
	"math/bits"

	"github.com/fusedos/stramash/machine"
)

// Class is a problem size of the NAS Parallel Benchmarks.
type Class byte

// The classes that the kernels have, from the smallest on.
const (
	S Class = 'S' // sample: some seconds at most, for tests
	W Class = 'W' // workstation, as it was in 1995
	A Class = 'A' // the first one of the evaluation
)

// Classes lists the classes, from the smallest on.
func Classes() []Class { return []Class{S, W, A} }

// String returns the class's letter.
func (c Class) String() string { return string(rune(c)) }

// ParseClass reads a class's letter. It fails if there is no such class.
func ParseClass(s string) (Class, error) {
	for _, c := range Classes() {
		if s == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("no class is called %q: use S, W or A", s)
}

// Kernel is a benchmark of the NAS Parallel Benchmarks, in its serial version.
type Kernel struct {
	Name  string // IS, CG, MG or FT
	About string // what it computes, in a few words

	sizes func(Class) []uint64         // bytes of its arrays, in order
	run   func(*execution, Class) bool // computes and verifies, and answers whether all checks passed
}

// Kernels lists the kernels: IS, CG, MG, FT.
func Kernels() []Kernel {
	return []Kernel{is, cg, mg, ft}
}

// ByName finds a kernel. It fails if there is none of this name.
func ByName(name string) (Kernel, error) {
	names := ""
	for _, k := range Kernels() {
		if k.Name == name {
			return k, nil
		}
		names += " " + k.Name
	}
	return Kernel{}, fmt.Errorf("no kernel is called %q: use one of%s", name, names)
}

// Memory is how many bytes the kernel allocates for a class, each array rounded up
// to a whole number of cache lines of 64 bytes.
func (k Kernel) Memory(c Class) uint64 {
	sum := uint64(0)
	for _, n := range k.sizes(c) {
		sum += wholeLines(n)
	}
	return sum
}

func wholeLines(n uint64) uint64 { return (n + 63) &^ 63 }

// Options say how a kernel runs. The zero value runs it where it starts.
type Options struct {
	// Move is called where each procedure of the timed part begins and where it
	// ends: phase 0 is the beginning of the first one, 1 its end, 2 the
	// beginning of the second one, and so on. It may have the thread go on on
	// another CPU. The procedures are, of IS, the ranking of the keys; of CG, the
	// conjugate-gradient solver; of MG, the V-cycle and the residual after it; of
	// FT, the evolution, the inverse transform and the checksum of one iteration.
	Move func(t *machine.Thread, phase int)
	// Alloc reserves n bytes for an array, aligned to 64 bytes if n is as much.
	// They must be zero. Nil takes them from node 0.
	Alloc func(n uint64) machine.VA
	// Started and Stopped are called where the reference starts its timer and
	// where it stops it.
	Started, Stopped func(*machine.Thread)
}

// alloc reserves whole cache lines.
func (o *Options) alloc(m *machine.Machine, n uint64) machine.VA {
	if o.Alloc != nil {
		return o.Alloc(wholeLines(n))
	}
	return m.Alloc(wholeLines(n))
}

func (o *Options) started(t *machine.Thread) {
	if o.Started != nil {
		o.Started(t)
	}
}

func (o *Options) stopped(t *machine.Thread) {
	if o.Stopped != nil {
		o.Stopped(t)
	}
}

// Result is what a program found out about itself. It is complete when the body has
// returned; before that, nothing is verified.
type Result struct {
	Verified bool   // every check of the definition passed
	Checks   int    // how many values were compared with official ones
	Failed   int    // how many of them differed
	Phases   int    // calls of Options.Move, or what they would have been
	Detail   string // the value that decided, and the official one
	// Digest is the hash of all that the program's arrays hold in the end, which a
	// kernel reads when it has stopped its clock. It is the same in every run of a
	// class, wherever that runs, and tells more than the official checks, which
	// see a part of the result: of FT, about 1 of 64 elements of the spectrum.
	Digest uint64
}

// Program prepares the kernel in the set-up of a run of m, where it allocates
// Memory(c) bytes, and answers the body of its one thread. The class must be one
// of Classes. It panics, as [machine.Machine.AllocOn] does, if memory is exhausted.
func (k Kernel) Program(m *machine.Machine, c Class, o Options) (body func(*machine.Thread), result *Result) {
	e := &execution{options: o, result: &Result{Detail: "the body has not returned"}}
	for _, n := range k.sizes(c) {
		e.arrays = append(e.arrays, o.alloc(m, n))
	}
	return func(t *machine.Thread) {
		e.t = t
		r := e.result
		*r = Result{}
		ok := k.run(e, c)
		r.Digest = e.digest(k.sizes(c))
		r.Verified = ok && r.Checks > 0 && r.Failed == 0
	}, e.result
}

// execution is one run of a kernel.
type execution struct {
	t       *machine.Thread
	options Options
	result  *Result
	arrays  []machine.VA
	timed   bool
}

func (e *execution) floats(i int) Float64s { return Float64s{e.arrays[i]} }
func (e *execution) ints(i int) Uint32s    { return Uint32s{e.arrays[i]} }

// digest hashes the arrays.
func (e *execution) digest(sizes []uint64) uint64 {
	h := uint64(1)
	for i, at := range e.arrays {
		for end := at + machine.VA(wholeLines(sizes[i])); at < end; at += 8 {
			high, low := bits.Mul64(h^e.t.Load64(at), 0x9e3779b97f4a7c15)
			h = high ^ low
		}
	}
	return h
}

// start begins the timed part.
func (e *execution) start() {
	e.timed = true
	e.options.started(e.t)
}

// stop ends the timed part.
func (e *execution) stop() {
	e.options.stopped(e.t)
	e.timed = false
}

// edge stands where a procedure begins or ends. There are none outside of the
// timed part.
func (e *execution) edge() {
	if !e.timed {
		return
	}
	if f := e.options.Move; f != nil {
		f(e.t, e.result.Phases)
	}
	e.result.Phases++
}

// check counts a comparison with an official value. The first failure's detail
// is kept, else that of the last comparison.
func (e *execution) check(ok bool, format string, args ...any) {
	r := e.result
	r.Checks++
	if r.Failed == 0 {
		r.Detail = fmt.Sprintf(format, args...)
	}
	if !ok {
		r.Failed++
	}
}

// near says whether got differs from want by at most the fraction eps of want. A
// got that is no number does.
func near(got, want, eps float64) bool {
	d := (got - want) / want
	return d >= -eps && d <= eps
}
