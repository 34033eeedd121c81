package machine

import "fmt"

// Device is a device with registers. It belongs to one node, and CPUs of all nodes
// reach it: what QEMU redirects to the instance that has the device (section 7.4).
// Its state is no memory of the machine; each access to any of its registers
// conflicts with every other one.
type Device interface {
	// Reset is called when a run begins.
	Reset()
	// Read answers the register at an offset, which is aligned to the size.
	Read(b Bus, offset uint64, s Size) uint64
	// Write changes it.
	Write(b Bus, offset uint64, s Size, v uint64)
}

// Bus is how a device sees who accesses it, and how it interrupts.
type Bus struct{ t *Thread }

// CPU is the CPU that accesses the device.
func (b Bus) CPU() int { return b.t.cpu.id }

// Now is the time of the CPU that accesses the device, in cycles; zero in a run that
// is not a timed one, where accounting changes nothing.
func (b Bus) Now() uint64 {
	if !b.t.m.isTimed() {
		return 0
	}
	return uint64(b.t.port.clock()) / 1000
}

// ArmTimer is [Thread.ArmTimerIn] for the CPU that accesses the device, if it handles
// VectorTimer.
func (b Bus) ArmTimer(cycles uint64) {
	if b.t.cpu.handlers[VectorTimer] != nil {
		b.t.ArmTimerIn(cycles)
	}
}

// Interrupt has a CPU take an interrupt; in a timed run, after so many cycles. What
// has no handler is lost, as on a real machine. One that is raised again before it
// has landed lands once.
func (b Bus) Interrupt(cpu int, v Vector, after uint64) {
	m := b.t.m
	if cpu < 0 || cpu >= len(m.cpus) {
		return
	}
	for _, l := range m.cpus[cpu].lines {
		if l.vector == v {
			b.t.raise(l, 1000*int64(min(after, maxCycles)))
			b.t.account(Op{Kind: OpSend, Addr: interruptAddr(cpu, v)})
			l.hash = b.t.ctx.hash
			b.t.tells(Op{Kind: OpSend, Addr: interruptAddr(cpu, v)})
		}
	}
}

// deviceBytes is the size of a device's window in the physical address space; the
// windows lie above all memory.
const deviceBytes = 4096

// attached is a device with its place.
type attached struct {
	Device
	node  int
	state location
}

// Attach gives a node a device, in the set-up, and answers the address of its
// registers.
func (m *Machine) Attach(node int, d Device) VA {
	m.mustBeSettingUp("Attach")
	if node < 0 || node >= len(m.platform.Nodes) {
		panic(fmt.Sprintf("machine: Attach to node %d of %d", node, len(m.platform.Nodes)))
	}
	d.Reset()
	m.devices = append(m.devices, &attached{Device: d, node: node})
	return maxAddress + VA(len(m.devices)-1)*deviceBytes
}

// ReadDevice reads a register of a device: readl of Linux. It waits for the CPU's
// earlier stores, as accesses to device memory do.
func (t *Thread) ReadDevice(a VA, s Size) uint64 {
	d, offset := t.toDevice(a, s)
	v := d.Read(Bus{t}, offset, s) & s.mask()
	t.usedDevice(d, a, v)
	return v
}

// WriteDevice writes a register of a device: writel of Linux. See ReadDevice.
func (t *Thread) WriteDevice(a VA, s Size, v uint64) {
	d, offset := t.toDevice(a, s)
	d.Write(Bus{t}, offset, s, v&s.mask())
	t.usedDevice(d, a, v)
}

// toDevice announces an access to a device.
func (t *Thread) toDevice(a VA, s Size) (*attached, uint64) {
	if s == 0 || s > Size64 || s&(s-1) != 0 || a&VA(s-1) != 0 {
		panic(fmt.Sprintf("access of %d bytes to a device at %#x: use 1, 2, 4 or 8, aligned", s, uint64(a)))
	}
	op := Op{Kind: OpDevice, Size: s, Addr: a}
	t.ready(op.pack())
	n := uint64(a-maxAddress) / deviceBytes
	if a < maxAddress || n >= uint64(len(t.m.devices)) {
		t.m.abort(Panicked, "access to a device at %#x, where there is none: use the address that Machine.Attach answers", uint64(a))
	}
	if o := t.m.order; o != nil {
		o.meets(t, op)
		o.fence(t, FullFence)
	}
	return t.m.devices[n], uint64(a-maxAddress) % deviceBytes
}

// usedDevice accounts an access to a device.
func (t *Thread) usedDevice(d *attached, a VA, v uint64) {
	m, op := t.m, Op{Kind: OpDevice, Addr: a &^ (deviceBytes - 1)}
	m.hashWrite(t.ctx, op.pack(), &d.state, v)
	t.spinLoc, m.calm = anywhere, m.steps+m.calmSteps()
	if h := m.timing; h != nil {
		h.device(t.cpu, d.node)
	}
	t.tells(op)
}

// tells tells the tracer of an event that has been accounted.
func (t *Thread) tells(op Op) {
	if t.m.tracer != nil {
		t.trace(op, 0, 0, 0, true)
	}
}

// device accounts an access to a device of a node.
func (h *timing) device(c *cpu, node int) {
	cost, kind := h.Device, 0
	if c.node != node {
		cost, kind = h.RemoteDevice, 1
	}
	h.compute(c, 1)
	c.port.devices[kind]++
	c.port.spend(1000 * int64(cost))
}

// Console is a device that keeps what is written to its register at offset 0, byte
// for byte, up to a megabyte.
type Console struct{ Output []byte }

// Reset forgets the output.
func (d *Console) Reset() { d.Output = d.Output[:0] }

// Read answers how much has been written.
func (d *Console) Read(Bus, uint64, Size) uint64 { return uint64(len(d.Output)) }

// Write appends a byte.
func (d *Console) Write(_ Bus, offset uint64, _ Size, v uint64) {
	if offset == 0 && len(d.Output) < 1<<20 {
		d.Output = append(d.Output, byte(v))
	}
}

// Timer is a device that all nodes see the same time by. Its registers, of 8 bytes:
// the time in cycles at offset 0; at 8, how many cycles from now the writer's
// VectorTimer shall fire, once; see [Thread.ArmTimerIn].
type Timer struct{}

// Reset does nothing.
func (Timer) Reset() {}

// Read answers the time at offset 0, else zero.
func (Timer) Read(b Bus, offset uint64, _ Size) uint64 {
	if offset != 0 {
		return 0
	}
	return b.Now()
}

// Write arms the timer of the CPU that writes.
func (Timer) Write(b Bus, offset uint64, _ Size, v uint64) {
	if offset == 8 {
		b.ArmTimer(v)
	}
}

// Doorbell is the device by which a CPU of one instruction set interrupts one of
// another (section 7.2): the artifact's vintc, after QEMU's ivshmem. Its registers, of
// 4 bytes: at 4, how many times it was rung since this was last read; at 8, the number
// of the CPU that reads; writing cpu<<16 | vector at 12 rings.
type Doorbell struct {
	// Latency is how many cycles after it was rung the interrupt lands.
	Latency uint64
	rings   uint64
}

// Reset forgets what has happened.
func (d *Doorbell) Reset() { d.rings = 0 }

// Read answers a register.
func (d *Doorbell) Read(b Bus, offset uint64, _ Size) uint64 {
	switch offset {
	case 4:
		n := d.rings
		d.rings = 0
		return n
	case 8:
		return uint64(b.CPU())
	}
	return 0
}

// Write changes a register, or rings.
func (d *Doorbell) Write(b Bus, offset uint64, _ Size, v uint64) {
	if offset == 12 {
		d.rings++
		b.Interrupt(int(v>>16&0xffff), Vector(v), d.Latency)
	}
}
