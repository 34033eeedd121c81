package checkers

import (
	"reflect"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// recordSize is the number of bytes that make one record in a fuzzed history.
const recordSize = 4

// decode turns any bytes into a history: four bytes a record, so that to remove
// four bytes removes a record.
func decode(data []byte) (h machine.History) {
	for ; len(data) >= recordSize; data = data[recordSize:] {
		kind, what, value, who := data[0], data[1], data[2], data[3]
		r := machine.Record{
			Kind:    machine.RecordKind(kind % 4),
			OK:      kind&4 != 0,
			InIRQ:   kind&8 != 0,
			IRQsOff: kind&16 != 0,
			Object:  machine.VA(kind >> 5 & 3),
			CPU:     who >> 4,
			Client:  int32(who % 16),
			Step:    int32(len(h)),
			Val:     uint64(value % 4),
			Arg:     uint64(value % 8),
			Arg2:    uint64(value / 64),
		}
		switch r.Kind {
		case machine.CallRecord:
			r.Op = spec.Op(what % 9)
		case machine.NoteRecord:
			r.Note = machine.NoteKind(what % 7)
		}
		h = append(h, r)
	}
	return h
}

// judges returns one of each judge, with small budgets.
func judges() []Judge {
	js := []Judge{Exclusion(), LockOrder()}
	for _, s := range spec.All() {
		js = append(js, LinearizableWithin(1<<12, s))
	}
	return js
}

// FuzzJudges feeds arbitrary histories to all judges: none may panic or hang,
// each must say the same twice, and say it well. Judges check each other too:
// if our checker and porcupine disagree, the verdict is unknown and says so.
func FuzzJudges(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x01\x01\x00\x00\x01\x01\x00\x01\x06\x00\x00\x00\x06\x00\x00\x01")) // two holders of a mutex
	f.Add([]byte("\x03\x02\x00\x00\x03\x02\x00\x01"))                                 // two holders, by notes
	f.Add([]byte("\x03\x02\x00\x00\x23\x02\x01\x00\x03\x02\x01\x01\x23\x02\x00\x01")) // ABBA
	f.Add([]byte("\x03\x02\x00\x00\x0b\x02\x00\x01"))                                 // interrupt context
	f.Add([]byte("0000000000000000"))
	all := judges()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 256*recordSize {
			return
		}
		h := decode(data)
		for _, j := range all {
			v := j.Check(h)
			if again := j.Check(h); !reflect.DeepEqual(v, again) {
				t.Fatalf("%s says %+v, then %+v", j.Name(), v, again)
			}
			checkForm(t, j, h, v)
		}
	})
}

// checkForm checks what every verdict must look like.
func checkForm(t *testing.T, j Judge, h machine.History, v Verdict) {
	t.Helper()
	if v.Violation == nil {
		if contradicts(v) {
			t.Fatalf("%s: %s", j.Name(), v.Unknown)
		}
		return
	}
	x := v.Violation
	if v.Unknown != "" || x.Judge != j.Name() || x.Rule == "" || x.Message == "" || x.At < 0 || x.At >= len(h) {
		t.Fatalf("%s says %+v, %+v", j.Name(), v, *x)
	}
}

// play turns bytes into a history of s, two bytes a record: a client that is
// idle calls, one that is not returns. Values are written once, and answers are
// mostly values that were written, so that monitors seldom decline.
func play(s spec.Spec[any], data []byte) (h machine.History) {
	values, busy := []uint64{0}, map[int32]spec.Op{}
	for ; len(data) >= 2; data = data[2:] {
		who, what := int32(data[0]%5), data[1]
		value := values[int(what)%len(values)]
		if op, waits := busy[who]; waits {
			delete(busy, who)
			sig := s.Ops[op-1]
			r := ret(who, 0, sig.Failure == "" || what&64 == 0)
			if sig.Value == spec.ValueAlways || sig.Value == spec.ValueIfOK && r.OK {
				r.Val = value
			}
			h = append(h, r)
			continue
		}
		op := spec.Op(1 + int(data[0]/5)%len(s.Ops))
		busy[who] = op
		r := call(who, op)
		fresh := uint64(100 + len(values))
		switch sig := s.Ops[op-1]; {
		case s.Kind == spec.SetKind:
			r.Arg = uint64(what % 2)
		case sig.Args == 1:
			r.Arg = fresh
		case sig.Args == 2:
			r.Arg, r.Arg2 = value, fresh
		}
		if r.Arg == fresh || r.Arg2 == fresh {
			values = append(values, fresh)
		}
		h = append(h, r)
	}
	return h
}

// FuzzMonitors lets each monitor, the frontier and porcupine judge histories:
// who comes to a conclusion must come to the same one. A session must find what
// the frontier finds.
func FuzzMonitors(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x01\x00\x00\x00\x01\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x05\x00\x05\x01\x06\x00\x06\x40\x01\x00\x02\x00\x01\x01\x02\x02"))
	var specs []spec.Spec[any]
	var monitors, frontiers, judges, hasty []Judge
	var sessions []Session
	for _, s := range compared() {
		if newMonitor(s.Kind, s.Initial) == nil {
			continue
		}
		specs = append(specs, s)
		monitors = append(monitors, LinearizableBy(byMonitor, 0, s))
		frontiers = append(frontiers, LinearizableBy(byFrontier, 1<<14, s))
		judges = append(judges, LinearizableWithin(1<<14, s))
		hasty = append(hasty, LinearizableWithin(0, s)) // asks the monitor last
		sessions = append(sessions, LinearizableWithin(1<<18, s).(Online).Watch())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2*64 {
			return
		}
		for i, s := range specs {
			h := play(s, data)
			m, f, all := monitors[i].Check(h), frontiers[i].Check(h), judges[i].Check(h)
			if m.Unknown == "" && f.Unknown == "" && (m.Violation == nil) != (f.Violation == nil) {
				t.Fatalf("monitor says %+v, frontier %+v: %+v", m, f, h)
			}
			if v := hasty[i].Check(h); m.Unknown == "" && len(h) > 0 && (m.Violation == nil) != (v.Violation == nil) {
				t.Fatalf("monitor says %+v, and asked last %+v: %+v", m, v, h)
			}
			checkForm(t, monitors[i], h, m)
			checkForm(t, judges[i], h, all)
			if v, _ := watchAll(sessions[i], h); f.Unknown == "" && (v == nil) != (f.Violation == nil) {
				t.Fatalf("session says %+v, frontier %+v: %+v", v, f, h)
			}
		}
	})
}
