package machine

// Spawn creates a thread, in the set-up. It runs when a CPU switches to it, and
// starts with interrupts disabled, inside the switch that led to it.
func (m *Machine) Spawn(body func(*Thread)) Handle {
	m.mustBeSettingUp("Machine.Spawn")
	return m.spawn(m.setup, body).handle
}

// Spawn creates a thread. It runs when a CPU switches to it, starting with
// interrupts disabled, and the run is not over before it has finished.
func (t *Thread) Spawn(body func(*Thread)) Handle {
	m, op := t.m, Op{Kind: OpSpawn}
	t.announce(op.pack())
	u := m.spawn(t.ctx, body)
	op.Addr = VA(u.handle)
	t.local(op, true)
	u.follows(t.ctx)
	return u.handle
}

func (m *Machine) spawn(by *context, body func(*Thread)) *Thread {
	path := by.spawnPath()
	u := m.addThread(m.newContext(path, NameOf(path), nil), body)
	u.masked = true
	return u
}

// IdleHandle is the handle of the idle context of the thread's CPU.
func (t *Thread) IdleHandle() Handle { return t.cpu.idle.handle }

// SwitchTo has the thread's CPU go on with another thread, and returns when
// some CPU switches back, be it another one. Interrupts should be disabled, lest
// the thread be elsewhere when it switches.
// A thread whose body returns leaves its CPU to the
// idle context. Switching to a thread that runs, that has finished or that does
// not exist ends the run with a violation.
func (t *Thread) SwitchTo(h Handle) {
	m := t.m
	op := Op{Kind: OpSwitch, Addr: VA(h)}
	t.announce(op.pack())
	u := m.byHandle(t, h)
	t.local(op, true)
	if u == t {
		t.sleeping = false
		return
	}
	c := t.cpu
	t.wentAt = c.port.clock()
	if !t.daemon {
		t.cpu = nil
	}
	c.install(u)
	u.follows(t.ctx)
	m.transfer(t, u)
	t.sleeping = false
}

// byHandle finds a thread that t may switch to.
func (m *Machine) byHandle(t *Thread, h Handle) *Thread {
	if h == 0 || uint64(h) > uint64(len(m.cpus)+m.used) {
		m.abort(Panicked, "switch to handle %d, which names no thread", h)
	}
	u := m.threads[h-1]
	switch {
	case u == t:
	case u.done:
		m.abort(Panicked, "switch to thread %s, which has finished", u.path())
	case u.daemon && u.cpu != t.cpu:
		m.abort(Panicked, "switch on CPU %d to the idle context of CPU %d", t.cpu.id, u.cpu.id)
	case !u.daemon && u.cpu != nil:
		m.abort(Panicked, "thread %s would run on two CPUs: CPU %d switches to it while CPU %d runs it", u.path(), t.cpu.id, u.cpu.id)
	}
	return u
}

// path names the thread for reports.
func (t *Thread) path() string {
	x := t.ctx
	if x == nil {
		return idlePaths[t.cpu.id].path
	}
	for x.parent != nil {
		x = x.parent
	}
	return x.path
}

// AsleepUntil declares what the thread waits for while it does not run: until
// it next returns from SwitchTo or WaitForInterrupt. It does nothing by itself;
// but a run that ends with the thread asleep and the condition true is a lost
// wake-up.
func (t *Thread) AsleepUntil(c Cond) {
	if c.Size == 0 {
		c.Size = Size64
	}
	t.asleep, t.sleeping = c, true
}
