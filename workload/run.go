package workload

import "github.com/fusedos/stramash/machine"

// Run runs the kernel by itself on a machine whose platform has Hardware, on CPU 0,
// as a timed run. If migrating is set it goes over to the first CPU of another node
// where a procedure begins, and back where it ends, as in section 9.2 of the paper;
// its data are then where both nodes reach them. Counters begin with the timed part
// and end with it: see [machine.Machine.Counters].
func (k Kernel) Run(m *machine.Machine, c Class, migrating bool, e machine.Earliest) (Result, machine.Result) {
	m.Begin(e, machine.Limits{})
	o := Options{
		Started: func(t *machine.Thread) { t.ClearCounters() },
		Stopped: func(t *machine.Thread) { t.StopCounters() },
	}
	if migrating {
		away := 0
		for m.NodeOf(away) == m.NodeOf(0) && away < m.CPUs()-1 {
			away++
		}
		o.Alloc = m.AllocShared
		o.Move = func(t *machine.Thread, phase int) { t.MoveTo((1 - phase%2) * away) }
	}
	body, result := k.Program(m, c, o)
	res := m.Run(machine.Start{CPU: 0, Body: body})
	return *result, res
}
