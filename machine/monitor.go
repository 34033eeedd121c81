package machine

// monitor is what the hashes of a run must know of a granule that a CPU has used
// with exclusives: whether a write by another CPU comes before or after such an
// access decides what happens, also if it is to another word of the granule.
type monitor struct {
	granule PA
	cpu     *cpu
	hash    uint64 // of the CPU's last exclusive access to it
}

// watchGranule accounts that t has made an exclusive access.
func (t *Thread) watchGranule(a access) {
	m, g := t.m, t.m.granuleOf(a)
	for i := range m.monitors {
		if w := &m.monitors[i]; w.granule == g && w.cpu == t.cpu {
			w.hash = t.ctx.hash
			return
		}
	}
	m.monitors = append(m.monitors, monitor{g, t.cpu, t.ctx.hash})
	m.alert++ // every write must look, until the end of the run
}

// passGranule accounts that c wrote in x, after the exclusive accesses that other
// CPUs have made to the granule.
func (m *Machine) passGranule(x *context, c *cpu, a access) {
	g, sum := m.granuleOf(a), uint64(0)
	for i := range m.monitors {
		if w := &m.monitors[i]; w.granule == g && w.cpu != c {
			sum += w.hash
		}
	}
	if sum != 0 {
		x.hash = mix(x.hash, sum)
	}
}
