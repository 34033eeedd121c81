package machine

// cpu is the hardware that executes one thread at a time.
type cpu struct {
	m    *Machine
	id   int // also its slot among the agents
	bit  Set
	port port
	node int
	isa  ISA
	op   announced // what its current thread is about to do

	cur       *Thread
	idle      *Thread
	taking    *line // an interrupt that fired and has not been entered
	handlers  [maxVectors]Handler
	handled   bool
	lines     []*line
	translate Translator
	mmu       *mmu
	spare     *mmu // for the next run that has one
	posted    int  // invalidations that the CPU has posted and that are not done

	arena       arena
	reserved    access // what the open reservation is for
	granule     PA     // and the granule that it watches
	reservation bool
}

func (m *Machine) addCPU(node int, isa ISA) {
	c := &cpu{m: m, id: len(m.cpus), node: node, isa: isa}
	c.bit = Only(c.id)
	c.port.left, c.port.limit = -1, -1
	c.port.forget()
	c.idle = m.newThread()
	c.idle.daemon = true
	m.cpus = append(m.cpus, c)
	m.agents[c.id] = agent{name: CPUAgent(c.id), cpu: c}
}

// reset makes the CPU idle, with no handlers.
func (c *cpu) reset() {
	if c.handled {
		clear(c.handlers[:])
		c.lines, c.handled = c.lines[:0], false
	}
	if c.taking != nil || c.translate != nil || c.mmu != nil {
		c.taking, c.translate, c.mmu, c.posted = nil, nil, nil, 0
	}
	c.reservation = false
	c.port.reset()
	if c.arena.end != 0 {
		c.arena.reset()
	}
	c.cur = c.idle
	if c.idle.ctx != nil || c.idle.wait == nil {
		c.idle.start(c, nil, idleBody)
		c.idle.wait = forInterrupt
	}
	c.op = Op{Kind: OpHalt}.pack()
}

// idleBody is what a CPU executes when there is nothing else.
func idleBody(t *Thread) {
	t.masked = true
	for {
		t.WaitForInterrupt()
	}
}

// refresh recomputes which of the CPU's agents can move.
func (c *cpu) refresh() {
	t := c.cur
	can := c.taking != nil || t.wait == nil
	if !can && t.wait != forInterrupt {
		if w := t.wait; w.fetches && !c.m.fabric.ending {
			c.m.fabric.ask(c, c.m.fabric.line(w.at[0].pa), w.blocked.Kind.Writes())
		}
		op, holds := t.wait.op()
		can = holds || t.wait.times
		t.wait.holds = holds
		c.op = op.pack()
	}
	c.m.set(c.bit, can, t.resting && c.taking == nil)
	if len(c.lines) > 0 {
		c.refreshLines()
	}
	if f := c.m.fabric; f != nil {
		f.recheck()
	}
}

// refreshLines recomputes which of the CPU's interrupts can land.
func (c *cpu) refreshLines() {
	m := c.m
	for _, l := range c.lines {
		can := l.pending() && c.taking == nil && !c.cur.masked
		spent := !l.sent && m.interrupts >= m.limits.Interrupts
		if can && spent && m.phase != fair {
			m.guessed = "more interrupts could land than Limits.Interrupts lets; raise it"
		}
		m.set(l.bit, can, spent)
	}
}

func (m *Machine) refreshAll() {
	for _, c := range m.cpus {
		c.refresh()
	}
}

// cpuSet has the agents that are CPUs.
func (m *Machine) cpuSet() Set { return Only(len(m.cpus)) - 1 }

// set puts an agent among those that can move, or among the reserve.
func (m *Machine) set(bit Set, can, reserve bool) {
	m.enabled &^= bit
	m.reserve &^= bit
	switch {
	case can && reserve:
		m.reserve |= bit
	case can:
		m.enabled |= bit
		if m.isTimed() {
			m.cut()
		}
	}
}

// install makes t the CPU's current thread.
func (c *cpu) install(t *Thread) {
	c.cur = t
	t.cpu, t.port = c, &c.port
	if c.m.isTimed() {
		c.port.wait(t.wentAt)
	}
	c.clearReservation()
	c.refresh()
}

func (c *cpu) reserve(a access) {
	if !c.reservation {
		c.reservation = true
		c.m.alert++
		c.m.watch()
	}
	c.reserved, c.granule = a, c.m.granuleOf(a)
}

func (c *cpu) clearReservation() {
	if c.reservation {
		c.reservation = false
		c.m.alert--
	}
}

func (m *Machine) granuleOf(a access) PA { return a.pa &^ PA(m.granule-1) }

// wrote tells waiters, spinners and monitors that memory was written.
func (m *Machine) wrote(by *cpu, a access, changed bool) {
	for _, c := range m.cpus {
		if c.reservation && c != by && m.granuleOf(a) == c.granule {
			c.clearReservation()
		}
		if !changed {
			continue
		}
		t := c.cur
		could := m.enabled.Has(c.id)
		if t.wait != nil && t.wait.watches(a.pa) {
			could = t.wait.holds
			c.refresh()
			could = could || !t.wait.holds
		}
		if t.resting && (t.restOn == anywhere || t.restOn == a.pa&^7) {
			t.wakeUp()
		}
		if !could && m.isTimed() && m.enabled.Has(c.id) {
			c.port.wait(by.port.clock())
		}
	}
}
