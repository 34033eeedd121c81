package machine_test

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// A program is a test's machine program in a small language, a line for each
// statement. At the left margin stand the declarations:
//
//	cpus x86 arm arm-llsc      the CPUs, each a node of its own
//	node arm 2                 a node of several
//	granule 128                reservation granule
//	order native               the memory order
//	limits steps=9 fair=9 interrupts=1 spurious=1
//	var x y=3                  8-byte words, 64 bytes apart
//	words p q                  8-byte words, adjoining
//	pin name=3
//	choose name 4              a workload question of the set-up
//	raise CPU vN               a device interrupt
//	spawn NAME                 a thread with the body NAME, in the set-up
//	except t0@3+1 move cpu1    an answer other than the plain one
//	show x                     prints the final value
//	and those of [runner.prepareMMU]
//
// and the bodies, which the lines indented below them make up:
//
//	thread CPU · idle CPU · handler CPU|* vN · body NAME
//
// The statements of a body are the cases of [runner.do] and [runner.block].
type program struct {
	platform machine.Platform
	limits   machine.Limits
	setup    []stmt
	blocks   []block
	except   []machine.Exception
	show     []string
}

type stmt []string

type block struct {
	head stmt
	body []stmt
}

var isas = map[string]machine.ISA{"x86": machine.X86, "arm": machine.AArch64, "arm-llsc": machine.AArch64LLSC}

func parse(text string) *program {
	p := &program{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := stmt(strings.Fields(line))
		if len(words) == 0 {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			b := &p.blocks[len(p.blocks)-1]
			b.body = append(b.body, words)
			continue
		}
		p.declare(words)
	}
	return p
}

func (p *program) declare(w stmt) {
	switch w[0] {
	case "cpus":
		for _, name := range w[1:] {
			p.platform.Nodes = append(p.platform.Nodes, machine.Node{ISA: isas[name], CPUs: 1})
		}
	case "node":
		p.platform.Nodes = append(p.platform.Nodes, machine.Node{ISA: isas[w[1]], CPUs: int(number(w[2]))})
	case "order":
		o, err := machine.ParseMemoryOrder(w[1])
		if err != nil {
			panic(err)
		}
		p.platform.Order = o
	case "storage":
		p.platform.Storage = storage(w[1])
	case "granule":
		p.platform.Granule = number(w[1])
	case "limits":
		p.limit(w[1:])
	case "except":
		p.except = append(p.except, parseException(w))
	case "show":
		p.show = append(p.show, w[1:]...)
	case "thread", "idle", "handler", "body":
		p.blocks = append(p.blocks, block{head: w})
	default:
		p.setup = append(p.setup, w)
	}
}

func (p *program) limit(settings []string) {
	l := &p.limits
	fields := map[string]*int{"steps": &l.Steps, "fair": &l.FairSteps, "interrupts": &l.Interrupts, "spurious": &l.Spurious, "evictions": &l.Evictions}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		*fields[name] = int(int64(number(value)))
	}
}

// number reads an integer, which may be negative or hexadecimal.
func number(s string) uint64 {
	if v, err := strconv.ParseInt(s, 0, 64); err == nil {
		return uint64(v)
	}
	v, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		panic(fmt.Sprintf("test program: %q is not a number", s))
	}
	return v
}

func vector(s string) machine.Vector { return machine.Vector(number(strings.TrimPrefix(s, "v"))) }

// parseException reads: except t0@3+1 move cpu1/v33.
func parseException(w stmt) machine.Exception {
	at := strings.LastIndex(w[1], "@")
	index, visit, _ := strings.Cut(w[1][at+1:], "+")
	e := machine.Exception{Context: w[1][:at], Index: uint32(number(index))}
	if visit != "" {
		e.Visit = uint16(number(visit))
	}
	switch w[2] {
	case "move":
		e.Kind = machine.Move
		e.Answer = uint32(agent(w[3]))
	case "spurious":
		e.Kind, e.Answer = machine.Spurious, uint32(number(w[3]))
	case "evict":
		e.Kind, e.Answer = machine.Evict, uint32(number(w[3]))
	case "deliver":
		e.Kind, e.Answer = machine.Deliver, uint32(number(w[3]))
	case "hold":
		e.Kind, e.Answer = machine.Hold, uint32(number(w[3]))
	case "workload":
		e.Kind, e.Answer = machine.Workload, uint32(number(w[3]))
	}
	return e
}

// storage reads the name of a protocol.
func storage(name string) *protocol.Protocol {
	p, err := protocol.Load(name)
	if err != nil {
		panic(err)
	}
	return p
}

// agent reads cpu1, cpu1/v33, cpu1/tlb, cpu1/buffer, cpu1/cache or home.
func agent(s string) machine.Agent {
	if s == "home" {
		return machine.HomeAgent
	}
	id, part, _ := strings.Cut(strings.TrimPrefix(s, "cpu"), "/")
	cpu := int(number(id))
	switch part {
	case "":
		return machine.CPUAgent(cpu)
	case "tlb":
		return machine.TLBAgent(cpu)
	case "buffer":
		return machine.BufferAgent(cpu)
	case "cache":
		return machine.CacheAgent(cpu)
	}
	return machine.LineAgent(cpu, vector(part))
}

// runner executes a program on a machine.
type runner struct {
	p       *program
	m       *machine.Machine
	vars    map[string]machine.VA
	handles map[string]machine.Handle
}

// run executes the program once, from Begin to the end.
func (p *program) run(m *machine.Machine, c machine.Chooser) (*runner, machine.Result) {
	r := &runner{p: p, m: m, vars: map[string]machine.VA{}, handles: map[string]machine.Handle{}}
	m.SetPins(nil)
	m.Begin(c, p.limits)
	var starts []machine.Start
	for _, b := range p.blocks {
		if s, ok := r.install(b); ok {
			starts = append(starts, s)
		}
	}
	for _, w := range p.setup {
		r.prepare(w)
	}
	return r, m.Run(starts...)
}

func (r *runner) prepare(w stmt) {
	switch w[0] {
	case "var", "words":
		r.declareWords(w)
	case "pin":
		name, v, _ := strings.Cut(w[1], "=")
		r.m.SetPins([]machine.Pin{{Name: name, Value: int(number(v))}})
	case "choose":
		r.m.Choose(w[1], int(number(w[2])))
	case "raise":
		r.m.Raise(int(number(w[1])), vector(w[2]))
	case "spawn":
		r.handles[w[1]] = r.m.Spawn(r.body(r.named(w[1])))
	default:
		r.prepareMMU(w)
	}
}

// labelled is how many bytes a name is of.
var labelled = map[string]uint64{"var": 64, "words": 8}

func (r *runner) declareWords(w stmt) {
	base := machine.VA(0)
	for i, v := range w[1:] {
		name, init, _ := strings.Cut(v, "=")
		if w[0] == "var" {
			base = r.m.Alloc(64)
		} else if i == 0 {
			base = r.m.Alloc(uint64(8 * len(w)))
		} else {
			base += 8
		}
		r.vars[name] = base
		r.m.Label(base, labelled[w[0]], name)
		if init != "" {
			r.m.Poke64(base, number(init))
		}
	}
}

func (r *runner) named(name string) []stmt {
	for _, b := range r.p.blocks {
		if b.head[0] == "body" && b.head[1] == name {
			return b.body
		}
	}
	panic("test program: no body " + name)
}

func (r *runner) install(b block) (s machine.Start, ok bool) {
	switch b.head[0] {
	case "thread":
		return machine.Start{CPU: int(number(b.head[1])), Body: r.body(b.body)}, true
	case "idle":
		r.m.Idle(int(number(b.head[1])), r.body(b.body))
	case "handler":
		h := func(t *machine.Thread, f *machine.Frame) { r.block(t, f, b.body) }
		if b.head[1] == "*" {
			r.m.HandleAll(vector(b.head[2]), h)
		} else {
			r.m.Handle(int(number(b.head[1])), vector(b.head[2]), h)
		}
	}
	return s, false
}

func (r *runner) body(b []stmt) func(*machine.Thread) {
	return func(t *machine.Thread) { r.block(t, nil, b) }
}

// block executes statements. The compound ones end with "end".
func (r *runner) block(t *machine.Thread, f *machine.Frame, b []stmt) {
	for i := 0; i < len(b); i++ {
		if !compound(b[i]) {
			r.do(t, f, b[i])
			continue
		}
		end := matching(b, i)
		for n := r.times(t, b[i]); n > 0; n-- {
			r.block(t, f, b[i+1:end])
		}
		i = end
	}
}

func compound(w stmt) bool { return w[0] == "repeat" || w[0] == "loop" || w[0] == "if" }

// times is how often the body of a compound statement is executed.
func (r *runner) times(t *machine.Thread, w stmt) int {
	switch {
	case w[0] == "loop":
		return math.MaxInt
	case w[0] == "repeat":
		return int(number(w[1]))
	case w[1] == "arm": // if arm: whether the CPU is one, by now
		return count(t.ISA().Exclusives)
	case w[1] == "x86":
		return count(!t.ISA().Exclusives)
	default: // if x == 3
		return count(t.Load64(r.addr(w[1])) == number(w[3]))
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func matching(b []stmt, i int) int {
	for depth := 0; ; i++ {
		if compound(b[i]) {
			depth++
		} else if b[i][0] == "end" {
			if depth--; depth == 0 {
				return i
			}
		}
	}
}

// addr reads an address: a variable, x+4 or a number.
func (r *runner) addr(s string) machine.VA {
	name, off, plus := strings.Cut(s, "+")
	at, ok := r.vars[name]
	if !ok {
		return machine.VA(number(s))
	}
	if plus {
		at += machine.VA(number(off))
	}
	return at
}

// cond reads x==1 or x!=1, of 8 bytes.
func (r *runner) cond(s string) machine.Cond {
	if name, v, ok := strings.Cut(s, "!="); ok {
		return machine.While(r.addr(name), number(v))
	}
	name, v, _ := strings.Cut(s, "==")
	return machine.Until(r.addr(name), number(v))
}

func (r *runner) conds(w []string) (out []machine.Cond) {
	for _, s := range w {
		out = append(out, r.cond(s))
	}
	return out
}

// sized splits load32 into load and its size; 8 bytes unless told.
func sized(op string) (string, machine.Size) {
	name := strings.TrimRight(op, "0123456789")
	if name == op {
		return op, machine.Size64
	}
	return name, machine.Size(number(op[len(name):]) / 8)
}

var orders = map[string]machine.Order{
	"acquire-pc": machine.AcquirePC, "acquire": machine.Acquire, "release": machine.Release, "acq-rel": machine.AcqRel,
}

// do executes one simple statement.
func (r *runner) do(t *machine.Thread, f *machine.Frame, w stmt) {
	order := orders[w[len(w)-1]]
	op, size := sized(w[0])
	switch op {
	case "load":
		t.Load(r.addr(w[1]), size, order)
	case "store":
		t.Store(r.addr(w[1]), size, number(w[2]), order)
	case "cas":
		t.CompareAndSwap(r.addr(w[1]), size, number(w[2]), number(w[3]), order)
	case "swap":
		t.Swap(r.addr(w[1]), size, number(w[2]), order)
	case "add":
		t.FetchAdd(r.addr(w[1]), size, number(w[2]), order)
	case "and":
		t.AtomicAnd(r.addr(w[1]), size, number(w[2]), order)
	case "or":
		t.AtomicOr(r.addr(w[1]), size, number(w[2]), order)
	case "bts":
		t.TestAndSetBit(r.addr(w[1]), size, uint(number(w[2])), order)
	case "ldx":
		t.LoadExclusive(r.addr(w[1]), size, order)
	case "stx":
		t.StoreExclusive(r.addr(w[1]), size, number(w[2]), order)
	case "lladd": // a loop of exclusives, or what the CPU has instead
		r.exclusiveAdd(t, r.addr(w[1]), number(w[2]))
	case "spin": // an unannounced one
		for t.Load64(r.addr(w[1])) != number(w[2]) {
		}
	case "trylock": // a spin of compare-and-swap
		for {
			if _, ok := t.CompareAndSwap(r.addr(w[1]), size, 0, 1, machine.Acquire); ok {
				return
			}
		}
	case "fence":
		t.Fence(machine.FullFence)
	case "await":
		t.Await(r.cond(w[1]))
	case "await-any":
		t.AwaitAny(r.conds(w[1:])...)
	case "await-timeout":
		t.AwaitTimeout(r.conds(w[1:])...)
	default:
		r.doKernel(t, f, w)
	}
}

// doKernel executes the statements that a kernel is made of.
func (r *runner) doKernel(t *machine.Thread, f *machine.Frame, w stmt) {
	switch w[0] {
	case "send":
		t.SendIPI(int(number(w[1])), vector(w[2]))
	case "arm":
		t.ArmTimer()
	case "mask":
		t.DisableInterrupts()
	case "unmask":
		t.EnableInterrupts()
	case "halt":
		t.WaitForInterrupt()
	case "asleep":
		t.AsleepUntil(r.cond(w[1]))
	case "switch":
		t.SwitchTo(r.handle(t, w[1]))
	case "spawn":
		r.handles[w[1]] = t.Spawn(r.body(r.named(w[1])))
	case "syscall":
		t.Syscall(number(w[1]))
	case "ret": // a handler's answer
		f.Ret = number(w[1])
	case "call":
		t.Call(r.addr(w[1]), spec.Op(number(w[2])))
	case "return":
		t.Return(r.addr(w[1]), number(w[2]), true)
	case "note":
		t.Note(machine.NoteKind(number(w[1])), r.addr(w[2]), 0, 0)
	case "choose":
		v := t.Choose(w[1], int(number(w[2])))
		t.Note(machine.NoteUser, 0, uint64(v), 0)
	case "panic":
		panic(strings.Join(w[1:], " "))
	case "goexit":
		runtime.Goexit()
	case "name": // keeps the thread's own handle under a name
		r.handles[w[1]] = t.Handle()
	default:
		r.doMMU(t, w)
	}
}

func (r *runner) handle(t *machine.Thread, name string) machine.Handle {
	if h, ok := r.handles[name]; ok {
		return h
	}
	switch name {
	case "idle":
		return t.IdleHandle()
	case "self":
		return t.Handle()
	case "idle0", "idle1":
		return r.m.IdleHandle(int(number(name[4:])))
	}
	return machine.Handle(number(name))
}

func (r *runner) exclusiveAdd(t *machine.Thread, a machine.VA, v uint64) {
	for {
		if !t.ISA().Exclusives {
			t.FetchAdd(a, machine.Size64, v, machine.Plain)
			return
		}
		old := t.LoadExclusive(a, machine.Size64, machine.Plain)
		if t.StoreExclusive(a, machine.Size64, old+v, machine.Plain) {
			return
		}
	}
}
