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
