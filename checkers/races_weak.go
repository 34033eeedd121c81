package checkers

import "github.com/fusedos/stramash/machine"

// raceWrite is what a write releases, under a weak memory order. There a write may
// take effect later than it was executed, and be read when it is no longer the
// newest one; reads find it by its number.
type raceWrite struct {
	held  clock    // what it passes on, while it is held back
	chain releases // what its word then had released to it; empty until it takes effect
}

// write is the write of a number.
func (d *Races) write(number uint32) *raceWrite {
	d.weak = true
	for int(number) >= len(d.writes) {
		if n := len(d.writes); n < cap(d.writes) {
			d.writes = d.writes[:n+1]
			w := &d.writes[n]
			w.held, w.chain = w.held[:0], w.chain[:0]
		} else {
			d.writes = append(d.writes, raceWrite{})
		}
	}
	return &d.writes[number]
}

// releasedTo is what was released to the word of a read, by the write that it reads
// and those before it. A read of the CPU's own store that is held back acquires
// nothing: it is of one thread.
func (d *Races) releasedTo(c *raceCell, e *machine.Event) releases {
	if !d.weak {
		return c.released
	}
	return d.write(e.From).chain
}

// tookEffect accounts that a write took effect, which passes a clock on. One that
// is not part of an update ends the chain of those before it.
func (d *Races) tookEffect(c *raceCell, e *machine.Event, passes clock, ends bool) {
	bytes := bytesOf(e)
	if ends {
		c.released.cut(bytes)
	}
	if len(passes) > 0 {
		c.released.put(bytes, passes)
	}
	if e.Write != 0 {
		w := d.write(e.Write)
		w.chain = w.chain[:0]
		for i := range c.released {
			w.chain.add(c.released[i].bytes).clock.set(c.released[i].clock)
		}
	}
}

// walker accounts what a table walker does. It is no access of a program's, and so
// races with none; but the accesses through a translation come after what was released
// to the entries that it is made of, and an entry that the walker marks has what was
// released to it before.
func (d *Races) walker(e *machine.Event) {
	c, fresh := d.words.at(e.PA)
	if !fresh {
		c.accesses, c.released = c.accesses[:0], c.released[:0]
	}
	d.current(e).read(c.released, bytesOf(e), machine.Acquire)
	if e.Op.Kind == machine.OpMark && e.OK {
		d.tookEffect(c, e, nil, false)
	}
}

// invalidated accounts that a CPU has done an invalidation, which another thread has
// posted: it uses the translation no more.
func (d *Races) invalidated(e *machine.Event) {
	if t := d.last[e.CPU]; t != nil {
		d.thread(e.Thread).gone.join(t.now)
		t.tick()
	}
}

// drained accounts that a store took effect that had been held back.
func (d *Races) drained(e *machine.Event) {
	c, fresh := d.words.at(e.PA)
	if !fresh {
		c.accesses, c.released = c.accesses[:0], c.released[:0]
	}
	d.tookEffect(c, e, d.write(e.Write).held, true)
}
