package machine

import (
	"fmt"
	"iter"
	"runtime"
)

// coroutine runs the bodies of one thread slot, one after another, over all
// the runs of a machine.
type coroutine struct {
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	onStack bool // it runs, or has resumed the one that runs
	body    bool // a body is in progress
	dead    bool // its goroutine can't be resumed, or there is none yet
}

// unwind is the panic that ends a body from within an operation when the run
// is over. The root of the coroutine recovers it.
type unwind struct{}

// maxUnwinds is the number of those panics that a body may recover from before
// its goroutine is ended in a way that can't be recovered from.
const maxUnwinds = 100

// refuse ends t's body, because the run is over.
func (t *Thread) refuse() {
	if t.unwound++; t.unwound > maxUnwinds {
		runtime.Goexit()
	}
	panic(unwind{})
}

func (t *Thread) newCoroutine() {
	co := &t.co
	co.close()
	*co = coroutine{}
	co.next, co.stop = iter.Pull(func(yield func(struct{}) bool) {
		co.yield = yield
		for {
			co.body = true
			t.m.bodies++
			t.runBody()
			t.m.bodies--
			co.body, co.onStack = false, false
			if !yield(struct{}{}) {
				return
			}
		}
	})
}

// resume runs the coroutine until something yields to its resumer.
func (t *Thread) resume() {
	if t.co.dead {
		t.newCoroutine()
	}
	t.co.onStack = true
	t.co.next()
}

// transfer gives control to u, and returns when t is the target again. u is
// resumed directly, from within t, unless it is one of those that resumed t:
// then control unwinds to it. When the run is over there is no target.
func (m *Machine) transfer(t, u *Thread) {
	m.target = u
	for {
		if u.co.onStack {
			t.co.onStack = false
			alive := t.co.yield(struct{}{})
			t.co.onStack = true
			if !alive || m.target == nil {
				t.refuse()
			}
			return
		}
		if u.co.dead {
			u.newCoroutine()
		}
		u.co.onStack = true
		u.co.next()
		switch u = m.target; u {
		case t:
			return
		case nil:
			t.refuse()
		}
	}
}

// runBody runs the thread's body, and turns its ways to end into outcomes.
func (t *Thread) runBody() {
	returned := false
	defer func() {
		if returned {
			return
		}
		switch p := recover().(type) {
		case unwind:
		case nil:
			t.exited("simulated code called runtime.Goexit (testing.T.FailNow does); return instead")
		default:
			t.panicked(p)
		}
	}()
	t.body(t)
	t.exit()
	returned = true
}

// exited handles runtime.Goexit, which can't be stopped: the coroutine is
// parked for ever inside its deferred function, and replaced when next needed.
func (t *Thread) exited(why string) {
	t.m.over(Panicked, why, sites())
	t.m.bodies--
	t.co.body, t.co.onStack, t.co.dead = false, false, true
	t.co.yield(struct{}{})
}

func (t *Thread) panicked(p any) {
	if t.m.phase != unwinding {
		t.m.over(Panicked, fmt.Sprint(p), sites())
	}
}

// close ends the coroutine's goroutine.
func (co *coroutine) close() {
	if co.stop == nil {
		return
	}
	// On a goroutine of its own, because a coroutine that ended by Goexit
	// makes its stopper exit too.
	done := make(chan struct{})
	go func() {
		defer close(done)
		co.stop()
	}()
	<-done
}
