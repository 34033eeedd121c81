package generate

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/model/litmus"
)

// Config bounds random tests. What is zero is the default.
type Config struct {
	Threads      int          // at most, from 2 to 8; 4
	Instructions int          // at most in a thread, from 1 to 8, beside what sets up their operands; 5
	Locations    int          // at most, from 1 to 4; 3
	ISAs         []litmus.ISA // of threads; both
}

func (c Config) filled() Config {
	def := func(v, d, low, high int) int {
		if v == 0 {
			v = d
		}
		return min(max(v, low), high)
	}
	c.Threads, c.Instructions = def(c.Threads, 4, 2, 8), def(c.Instructions, 5, 1, 8)
	c.Locations = def(c.Locations, 3, 1, 4)
	if len(c.ISAs) == 0 {
		c.ISAs = []litmus.ISA{litmus.X86_64, litmus.AArch64}
	}
	return c
}

// variable is a location of a random test.
type variable struct {
	name    string
	width   int // bytes
	init    uint64
	pointer bool // holds the address of another one
	targets []int
}

// program is a random test in the making.
type program struct {
	rand
	vars   []variable
	values int // the last value given to a write
	labels int
	left   int // accesses that the test may still have
	work   int // of them, the thread's
}

// Random is a random test: a function of the seed and the bounds alone. It is drawn
// from all instructions that tests may have, and kept small enough that its final
// states are found in milliseconds mostly.
func Random(seed uint64, c Config) *litmus.Test {
	c = c.filled()
	p := &program{rand: rand{seed}}
	p.declare(c)
	s := &source{name: fmt.Sprintf("random-%d", seed)}
	threads := 2 + p.below(c.Threads-1)
	p.left = 5 + p.below(6)
	if p.percent(15) {
		p.left += 4
	}
	for t := range threads {
		b := &body{program: p, column: column{isa: pick(&p.rand, c.ISAs...)}}
		n := max(1+p.below(c.Instructions), 1+p.below(c.Instructions))
		p.work = max(1, p.left/(threads-t))
		b.write(n)
		s.threads = append(s.threads, b.column)
	}
	for _, v := range p.vars {
		switch {
		case v.pointer:
			s.init = append(s.init, fmt.Sprintf("uint64_t %s=%s", v.name, p.vars[v.targets[0]].name))
		case v.width != 4:
			s.init = append(s.init, fmt.Sprintf("%s %s=%d", map[int]string{1: "uint8_t", 2: "uint16_t", 8: "uint64_t"}[v.width], v.name, v.init))
		case v.init != 0:
			s.init = append(s.init, fmt.Sprintf("%s=%d", v.name, v.init))
		}
		s.observe = append(s.observe, v.name)
	}
	slices.Sort(s.observe)
	s.final = []string{fmt.Sprintf("[%s]=%d", p.vars[0].name, 1)}
	test, err := litmus.Parse([]byte(s.String()))
	if err != nil {
		panic(fmt.Sprintf("the generator of random tests is wrong: %v\n%s", err, s))
	}
	return test
}

// declare chooses the locations: of one width of 4 bytes mostly; at times the last
// one holds the address of another.
func (p *program) declare(c Config) {
	n := min(2+p.below(2), c.Locations)
	width := 4
	if p.percent(30) {
		width = pick(&p.rand, 1, 2, 8)
	}
	for i := range n {
		v := variable{name: locationNames[i], width: width}
		if p.percent(10) {
			v.width = pick(&p.rand, 1, 4, 8)
		}
		if p.percent(10) {
			v.init = uint64(1 + p.below(3))
		}
		p.vars = append(p.vars, v)
	}
	if n < 2 || !p.percent(15) {
		return
	}
	last := &p.vars[n-1]
	*last = variable{name: last.name, width: 8, pointer: true}
	for i := range n - 1 {
		if p.vars[i].width == p.vars[0].width {
			last.targets = append(last.targets, i)
		}
	}
}

// value is a new one for a write, which fits into a byte.
func (p *program) value() int {
	p.values++
	return p.values
}

// label is a new one.
func (p *program) label() string {
	p.labels++
	return fmt.Sprintf("L%d", p.labels)
}

// register holds a result in a thread.
type register struct {
	n     int
	width int // bytes that it was written with
	to    int // the variable whose address it holds, or any of the same width; -1
}

// body is a thread of a random test.
type body struct {
	*program
	column
	have  []register // results that later instructions may use
	used  int        // registers taken
	jumps []jump     // whose label is still to come
}

type jump struct {
	label string
	left  int // instructions until then
}

func (b *body) emit(format string, args ...any) {
	b.lines = append(b.lines, fmt.Sprintf(format, args...))
}

// write writes n instructions.
func (b *body) write(n int) {
	for range n {
		if b.left <= 0 || b.work <= 0 {
			break
		}
		if b.isa == litmus.X86_64 {
			b.x86()
		} else {
			b.arm()
		}
		for i := range b.jumps {
			if b.jumps[i].left--; b.jumps[i].left < 0 {
				b.emit("%s:", b.jumps[i].label)
			}
		}
		b.jumps = slices.DeleteFunc(b.jumps, func(j jump) bool { return j.left < 0 })
	}
	for _, j := range b.jumps {
		b.emit("%s:", j.label)
	}
}

// variable is one that an instruction accesses; of numbers, if it computes.
func (b *body) variable(numbers bool) int {
	for {
		i := b.below(len(b.vars))
		if !numbers || !b.vars[i].pointer {
			return i
		}
	}
}

// access says whether one more access of memory may be written, and counts it.
func (b *body) access() bool {
	if b.left <= 0 || b.work <= 0 {
		return false
	}
	b.left--
	b.work--
	return true
}

// result notes a register that holds a result. One that holds an address does so
// from the start, as a jump may skip the load.
func (b *body) result(r register, name string) {
	if r.to >= 0 {
		b.init = append(b.init, name+"="+b.vars[r.to].name)
	}
	b.have = append(b.have, r)
	b.observe = append(b.observe, name)
}

// some is a register with a number, if there is one.
func (b *body) some() (register, bool) { return b.that(func(r register) bool { return r.to < 0 }) }

// aimed is one with an address.
func (b *body) aimed() (register, bool) { return b.that(func(r register) bool { return r.to >= 0 }) }

func (b *body) that(is func(register) bool) (register, bool) {
	var fit []register
	for _, r := range b.have {
		if is(r) {
			fit = append(fit, r)
		}
	}
	if len(fit) == 0 {
		return register{}, false
	}
	return fit[b.below(len(fit))], true
}
