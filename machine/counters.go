package machine

import "github.com/fusedos/stramash/coherence"

// Counters are what a CPU has done, and what it took, in cycles where it is time. They are
// those that the paper's artifact prints (appendix A.5): L1, L2 and L3 hits and accesses,
// write-backs, local and remote hits, broadcasts, IPIs, instructions and runtime; and more.
type Counters struct {
	coherence.Counters
	Instructions   uint64
	IPIs           uint64 // sent to CPUs of other nodes
	NodeIPIs       uint64 // sent to CPUs of the same node
	DeviceAccesses uint64 // to devices of the same node
	RemoteDevices  uint64 // to devices of other nodes
	Waited         uint64 // cycles in which the CPU waited for others, which are no part of Runtime
	Runtime        uint64 // cycles
	Rest           uint64 // thousandths of a cycle beyond Runtime
}

// Add adds what another CPU has done.
func (c *Counters) Add(d Counters) {
	c.Counters.Add(d.Counters)
	c.plus(&d, 1)
}

// sub is what was done since d.
func (c Counters) sub(d Counters) Counters {
	c.Counters = c.Counters.Sub(d.Counters)
	c.plus(&d, ^uint64(0))
	return c
}

// plus adds times d, modulo 2^64, to what is not counted by the caches.
func (c *Counters) plus(d *Counters, times uint64) {
	c.Instructions += times * d.Instructions
	c.IPIs += times * d.IPIs
	c.NodeIPIs += times * d.NodeIPIs
	c.DeviceAccesses += times * d.DeviceAccesses
	c.RemoteDevices += times * d.RemoteDevices
	c.Waited += times * d.Waited
	c.Runtime += times * d.Runtime
	c.Rest += times * d.Rest
	c.setTime(1000*c.Runtime + c.Rest)
}

// setTime sets Runtime and Rest.
func (c *Counters) setTime(thousandths uint64) {
	c.Runtime, c.Rest = thousandths/1000, thousandths%1000
}

// Residual is what Runtime and Rest are more than what the other counters say, in
// thousandths of a cycle, for CPUs of one node: instructions at their rate, each
// level's hits, snoops and write-backs at their latency, interrupts and devices. It is
// always zero. (The sample of the artifact's appendix A.5 obeys the same law.)
func (c Counters) Residual(h *Hardware, node int) int64 {
	rate := uint64(1000)
	if len(h.MilliCPI) > 0 {
		rate = h.MilliCPI[node]
	}
	cycles := c.Cost(h.Nodes[node].Latency) +
		c.IPIs*h.IPI + c.NodeIPIs*h.NodeIPI + c.DeviceAccesses*h.Device + c.RemoteDevices*h.RemoteDevice
	return int64(1000*c.Runtime + c.Rest - c.Instructions*rate - 1000*cycles)
}

// Counters are those of a CPU: of the run so far, without what was done while
// StopCounters had ended it. They are zero without Platform.Hardware.
func (m *Machine) Counters(cpu int) Counters {
	m.mustBeCPU(cpu)
	h := m.timing
	if h == nil {
		return Counters{}
	}
	now := h.stopped[cpu]
	if h.counts {
		now = m.now(cpu)
	}
	return now.sub(h.before[cpu])
}

// NodeCounters are those of all CPUs of a node.
func (m *Machine) NodeCounters(node int) (sum Counters) {
	for _, c := range m.cpus {
		if c.node == node {
			sum.Add(m.Counters(c.id))
		}
	}
	return sum
}

// RunCounters are all that a CPU has done in the run so far, whatever was started,
// stopped or cleared. They are zero without Platform.Hardware.
func (m *Machine) RunCounters(cpu int) Counters {
	m.mustBeCPU(cpu)
	if m.timing == nil {
		return Counters{}
	}
	return m.now(cpu)
}

func (m *Machine) now(cpu int) Counters {
	p := &m.cpus[cpu].port
	p.settle()
	m.timing.catchUp()
	out := Counters{
		Counters: m.timing.caches.Counters(cpu), Instructions: p.insts,
		NodeIPIs: p.sends[0], IPIs: p.sends[1], DeviceAccesses: p.devices[0], RemoteDevices: p.devices[1],
		Waited: uint64(p.waited) / 1000,
	}
	out.setTime(uint64(p.clock() - p.waited))
	return out
}

// CacheConfig is what the caches of the machine's platform were made of: a zero one
// without Platform.Hardware.
func (m *Machine) CacheConfig() coherence.Config {
	if m.timing == nil {
		return coherence.Config{}
	}
	return m.timing.config
}

// StartCounters has the counters of all CPUs go on from here, if they do not
// already: the artifact's switch. A run begins with counters that go.
func (t *Thread) StartCounters() { t.switchCounters(true) }

// StopCounters has them rest. Caches and clocks go on all the same.
func (t *Thread) StopCounters() { t.switchCounters(false) }

func (t *Thread) switchCounters(on bool) {
	m := t.m
	h := m.timing
	if h == nil || h.counts == on {
		return
	}
	m.idleUntil(t.port.clock())
	for i := range m.cpus {
		if now := m.now(i); on {
			h.before[i].Add(now.sub(h.stopped[i]))
		} else {
			h.stopped[i] = now
		}
	}
	h.counts = on
}

// idleUntil has the clocks of idle CPUs of a timed run be not before now, so that what
// they have waited before is counted as such.
func (m *Machine) idleUntil(now int64) {
	for _, c := range m.cpus {
		if m.isTimed() && c.cur == c.idle && !m.enabled.Has(c.id) {
			c.port.wait(now)
		}
	}
}

// ClearCounters sets the counters of all CPUs to zero.
func (t *Thread) ClearCounters() {
	if h := t.m.timing; h != nil {
		t.m.idleUntil(t.port.clock())
		for i := range h.before {
			h.stopped[i] = t.m.now(i)
			h.before[i] = h.stopped[i]
		}
	}
}

// hashCounters is the trace hash of a timed run.
func (m *Machine) hashCounters() (hash uint64, steps int) {
	for i := range m.cpus {
		c := m.now(i)
		for _, v := range []uint64{
			c.L1IHits, c.L1IAccesses, c.L1DHits, c.L1DAccesses, c.L2Hits, c.L2Accesses, c.L3Hits, c.L3Accesses,
			c.LocalHits, c.RemoteHits, c.Transfers, c.SnoopData, c.SnoopInvalidate, c.BackInvalidate, c.CoreSnoops,
			c.L2Backs, c.L3Backs, c.MemoryBacks, c.InclusionVictims, c.Cycles,
			c.Instructions, c.IPIs, c.NodeIPIs, c.DeviceAccesses, c.RemoteDevices, c.Waited, c.Runtime, c.Rest,
		} {
			hash = mix(hash, v)
		}
		steps += int(c.Instructions)
	}
	return hash, steps
}
