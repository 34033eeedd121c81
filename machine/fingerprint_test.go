package machine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"pgregory.net/rapid"
)

// dependence is the canonical form of a run, computed by brute force from its
// events: what each context did, in order, and for each two events that
// conflict, which came first.
type dependence struct {
	m      *machine.Machine
	events []depEvent
	counts map[string]int
	fired  map[string]string // the last delivery of each line
	pairs  []string
}

type depEvent struct {
	id     string // context and number within it, with what it did
	object string // the word, the interrupt line or what was recorded
	write  bool
	span   machine.Span // of a record
	// Exclusives and writes conflict in a whole granule, between CPUs.
	granule   string
	cpu       int
	exclusive bool
}

func (a *depEvent) conflicts(b *depEvent) bool {
	switch {
	case a.span != machine.Beside || b.span != machine.Beside:
		return a.object == b.object && (a.span == machine.Begins && b.span == machine.Ends ||
			a.span == machine.Ends && b.span == machine.Begins || a.span == machine.Alone && b.span == machine.Alone)
	case a.object != "" && a.object == b.object && (a.write || b.write):
		return true
	}
	return a.granule != "" && a.granule == b.granule && a.cpu != b.cpu && (a.exclusive && b.write || a.write && b.exclusive)
}

func (d *dependence) record(r *machine.Record) {
	e := machine.Event{Client: r.Client}
	context := d.m.ContextOf(&e)
	d.events = append(d.events, depEvent{
		id:     fmt.Sprintf("%s#%d:record %d", context, d.counts[context], r.Kind),
		object: fmt.Sprintf("object %d", r.Object), span: r.Span(),
	})
	d.counts[context]++
}

func (d *dependence) add(e *machine.Event) {
	context := d.m.ContextOf(e)
	ev := depEvent{id: fmt.Sprintf("%s#%d:%v/%v", context, d.counts[context], e.Op, e.OK)}
	d.counts[context]++
	line := fmt.Sprintf("line %d", e.Op.Addr)
	switch k := e.Op.Kind; {
	case k == machine.OpSend || k == machine.OpDeliver:
		ev.object, ev.write = line, true
		if k == machine.OpDeliver {
			d.fired[line] = ev.id
		}
	case k == machine.OpVector && e.Op.Addr >= machine.VA(machine.FirstInterrupt):
		d.pairs = append(d.pairs, ev.id+" by "+d.fired[fmt.Sprintf("line %d", e.CPU<<8|int(e.Op.Addr))])
	case k.Reads() || k.Writes() || k == machine.OpTimeout:
		ev.object, ev.granule, ev.cpu = fmt.Sprintf("word %d", e.Op.Addr&^7), fmt.Sprint(e.Op.Addr&^63), e.CPU
		ev.write = k.Writes() && e.OK
		ev.exclusive = k == machine.OpLoadEx || k == machine.OpStoreEx
	}
	d.events = append(d.events, ev)
}

func (d *dependence) canonical() string {
	var lines []string
	for j, b := range d.events {
		lines = append(lines, b.id)
		for _, a := range d.events[:j] {
			if a.conflicts(&b) {
				d.pairs = append(d.pairs, a.id+" < "+b.id)
			}
		}
	}
	lines = append(lines, d.pairs...)
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestFingerprint: two runs have one fingerprint just if they have one
// canonical form.
func TestFingerprint(t *testing.T) {
	runs := 100
	if testing.Short() {
		runs = 30
	}
	used := machines{}
	merged, all := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		p := parse(randomProgram(rt, slices.Concat(memoryOps, interruptOps, recordOps)...))
		p.platform.Order = machine.SC // package fuzz compares the classes of the others
		m := used.of(t, p)
		forms, prints := map[uint64]string{}, map[string]uint64{}
		traces := map[uint64]bool{}
		for seed := range uint64(runs) {
			d := &dependence{m: m, counts: map[string]int{}, fired: map[string]string{}}
			m.SetTracer(d.add)
			m.SetRecorder(d.record)
			_, res := p.run(m, newRandom(seed))
			m.SetTracer(nil)
			m.SetRecorder(nil)
			form := d.canonical()
			if old, ok := forms[res.Fingerprint]; ok && old != form {
				rt.Fatalf("fingerprint %x of two forms:\n%s\n\n%s", res.Fingerprint, old, form)
			}
			if old, ok := prints[form]; ok && old != res.Fingerprint {
				rt.Fatalf("fingerprints %x and %x of one form:\n%s", old, res.Fingerprint, form)
			}
			forms[res.Fingerprint], prints[form], traces[res.TraceHash] = form, res.Fingerprint, true
		}
		all, merged = all+len(traces), merged+len(traces)-len(forms)
	})
	if merged == 0 {
		t.Errorf("of %d different runs no two were equivalent: the test tests nothing", all)
	}
	t.Logf("%d different runs, %d of them equivalent to another", all, merged)
}

// TestFingerprintOfNeighbours swaps two adjacent events.
func TestFingerprintOfNeighbours(t *testing.T) {
	for _, test := range []struct {
		first, second string
		equal         bool
	}{
		{"load x", "load x", true},
		{"load x", "store y 1", true},
		{"store x 1", "store y 1", true},
		{"store x 1", "load x", false},
		{"store x 1", "store x 1", false},
		{"cas x 7 1", "load x", true},
		{"cas x 0 1", "load x", false},
		{"store32 x 1", "store32 x+4 1", false},     // words conflict as a whole
		{"await-any x==1 y==0", "store x 2", false}, // it saw that x is not 1
		{"await-any x==0 y==0", "store y 2", true},
		{"spawn b", "spawn b", false}, // the handles are given in order
		{"fence", "store x 1", true},
		{"send 0 v33", "send 1 v33", true},
		{"send 1 v33", "send 1 v33", false},
	} {
		text := "cpus arm arm\nvar x y\nhandler * v33\n load x\nbody b\n fence\nthread 0\n %s\nthread 1\n %s\n"
		a := fingerprint(t, fmt.Sprintf(text, test.first, test.second))
		b := fingerprint(t, fmt.Sprintf(text+"except s@0 move cpu1\nexcept t1@1 move cpu0\n", test.first, test.second))
		if (a == b) != test.equal {
			t.Errorf("%s and %s: equal fingerprints: %t, want %t", test.first, test.second, a == b, test.equal)
		}
	}
}

// TestFingerprintOfLongerRuns changes what came before the last event.
func TestFingerprintOfLongerRuns(t *testing.T) {
	for name, test := range map[string]string{
		"three that send": "cpus arm arm arm\nhandler * v33\n fence\nthread 0\n send 2 v33\nthread 1\n send 2 v33\nthread 2\n mask\n send 2 v33\n",
		// One thread, taken on first by t0 and then by t1, or the reverse.
		"two that switch": "cpus arm arm\nvar x\nspawn w\nspawn v\nbody w\n load x\n switch v\n load x\nbody v\n halt\n" +
			"thread 0\n switch w\nthread 1\n switch w\n",
	} {
		a := fingerprint(t, test)
		b := fingerprint(t, test+"except s@0 move cpu1\nexcept t1@1 move cpu0\n")
		if a == b {
			t.Errorf("%s: one fingerprint for two orders", name)
		}
	}
}

func fingerprint(t *testing.T, text string) uint64 {
	p := parse(text)
	_, res := p.run(newMachine(t, p.platform), scripted(p.except))
	return res.Fingerprint
}
