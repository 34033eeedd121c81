package laws

import (
	"fmt"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// object does the operations of a specification on the simulated machine.
type object func(t *machine.Thread, c spec.Call) spec.Ret

// conforming is an object with the specification that it must obey.
type conforming struct {
	name string
	spec spec.Spec[any]
	make func(m *machine.Machine) object
	// allowed forbids calls that the object's users must not make although
	// the specification has an answer; nil allows all.
	allowed func(state any, c spec.Call) bool
}

func objects() []conforming {
	mutex := spec.Mutex().Erase()
	blocks := spec.Stack()
	blocks.Initial = spec.ListOf(3, 2, 1, 0)
	return []conforming{
		{"tas", mutex, func(m *machine.Machine) object { return asMutex(locks.NewTAS(m, locks.Home{})) }, nil},
		{"ticket", mutex, func(m *machine.Machine) object { return asMutex(locks.NewTicket(m, locks.Home{}, 0xfffe)) }, nil},
		{"mcs", mutex, func(m *machine.Machine) object { return asMutex(locks.NewMCS(m, locks.Home{})) }, nil},
		{"qspinlock", mutex, func(m *machine.Machine) object {
			return asMutex(locks.NewQSpinlock(m, locks.Home{}, locks.NewQNodes(m)))
		}, nil},
		{"seqlock's writers", mutex, func(m *machine.Machine) object { return asMutex(locks.NewSeqLock(m, locks.Home{}, 1)) }, nil},
		{"rwlock", spec.RWLock().Erase(), asRWLock, nil},
		{"seqlock", spec.Register(0).Erase(), asRegister, readsOrWrites},
		{"free list", blocks.Erase(), asStack, pushesWhatIsOut},
	}
}

// conformanceLaws say that an object, used by one thread, does what its
// specification says, on every ISA.
func conformanceLaws() []law {
	var out []law
	for _, o := range objects() {
		out = append(out, law{o.name + ": conforms to " + o.spec.Name + " in sequence", o.conforms})
	}
	return out
}

// step is a call with the answer that the specification gives.
type step struct {
	call spec.Call
	want spec.Ret
}

func (o conforming) conforms(n []uint32) string {
	steps := o.script(n)
	for _, isa := range []machine.ISA{machine.X86, machine.AArch64, machine.AArch64LLSC} {
		if wrong := o.follow(isa, steps); wrong != "" {
			return "on " + isa.Name + ": " + wrong
		}
	}
	return ""
}

// script makes a legal sequence of calls that never have to wait.
func (o conforming) script(list numbers) []step {
	var out []step
	state := o.spec.Initial
	for len(list) > 0 {
		c := spec.Call{Op: spec.Op(1 + list.next(len(o.spec.Ops)))}
		if sig, _ := o.spec.Signature(c.Op); sig.Args > 0 {
			c.Arg = uint64(list.next(4))
		}
		answers := o.spec.Completions(nil, state, c)
		if len(answers) == 0 || o.allowed != nil && !o.allowed(state, c) {
			continue
		}
		state, _ = o.spec.Step(state, c, answers[0])
		out = append(out, step{c, answers[0]})
	}
	return out
}

// follow makes the calls on a machine of one CPU.
func (o conforming) follow(isa machine.ISA, steps []step) (wrong string) {
	m, err := machine.New(machine.Platform{Nodes: []machine.Node{{ISA: isa, CPUs: 1}}})
	if err != nil {
		return err.Error()
	}
	defer m.Close()
	m.Begin(machine.Natural{}, machine.Limits{})
	do := o.make(m)
	r := m.Run(machine.Start{Body: func(t *machine.Thread) {
		for _, s := range steps {
			if got := do(t, s.call); got != s.want && wrong == "" {
				wrong = fmt.Sprintf("%s, but %s is right", o.spec.DescribeOp(s.call, got), o.spec.DescribeOp(s.call, s.want))
			}
		}
	}})
	if r.Outcome != machine.Finished && wrong == "" {
		wrong = fmt.Sprintf("%v: %s", r.Outcome, r.Detail)
	}
	return wrong
}

func asMutex(l locks.Lock) object {
	return func(t *machine.Thread, c spec.Call) spec.Ret {
		switch c.Op {
		case spec.MutexLock:
			l.Acquire(t)
		case spec.MutexTryLock:
			return spec.Ret{OK: l.TryAcquire(t)}
		case spec.MutexUnlock:
			l.Release(t)
		}
		return spec.Ret{OK: true}
	}
}

func asRWLock(m *machine.Machine) object {
	l := locks.NewRWLock(m, locks.Home{})
	return func(t *machine.Thread, c spec.Call) spec.Ret {
		ok := true
		switch c.Op {
		case spec.RWLockRLock:
			l.AcquireRead(t)
		case spec.RWLockTryRLock:
			ok = l.TryAcquireRead(t)
		case spec.RWLockRUnlock:
			l.ReleaseRead(t)
		case spec.RWLockLock:
			l.Acquire(t)
		case spec.RWLockTryLock:
			ok = l.TryAcquire(t)
		case spec.RWLockUnlock:
			l.Release(t)
		case spec.RWLockUpgrade:
			ok = l.Upgrade(t)
		case spec.RWLockDowngrade:
			l.Downgrade(t)
		}
		return spec.Ret{OK: ok}
	}
}

func readsOrWrites(_ any, c spec.Call) bool {
	return c.Op == spec.RegisterRead || c.Op == spec.RegisterWrite
}

func asRegister(m *machine.Machine) object {
	l := locks.NewSeqLock(m, locks.Home{}, 1)
	return func(t *machine.Thread, c spec.Call) spec.Ret {
		if c.Op == spec.RegisterWrite {
			l.Write(t, c.Arg)
			return spec.Ret{OK: true}
		}
		var got [1]uint64
		l.Read(t, got[:])
		return spec.Ret{Val: got[0], OK: true}
	}
}

// pushesWhatIsOut forbids to free a block twice.
func pushesWhatIsOut(state any, c spec.Call) bool {
	free := state.(spec.List)
	for i := range free.Len() {
		if c.Op == spec.StackPush && free.At(i) == c.Arg {
			return false
		}
	}
	return true
}

func asStack(m *machine.Machine) object {
	const size = 16
	f := locks.NewFreeList(m, locks.Home{}, 4, size)
	return func(t *machine.Thread, c spec.Call) spec.Ret {
		if c.Op == spec.StackPush {
			f.Push(t, f.Block(int(c.Arg)))
			return spec.Ret{OK: true}
		}
		b, ok := f.Pop(t)
		if !ok {
			return spec.Ret{}
		}
		return spec.Ret{Val: uint64(b-f.Block(0)) / size, OK: true}
	}
}
