package checkers

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/fusedos/stramash/checkers/histories"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// compared are the specifications that the differential tests are about.
func compared() []spec.Spec[any] {
	return append(spec.All(), spec.Semaphore(2).Erase())
}

// TestDifferential compares all ways to decide on random histories, three
// quarters of them with mistakes. The command verify bench judges does so on more.
func TestDifferential(t *testing.T) {
	runs := 3_000
	if testing.Short() {
		runs = 600
	}
	for i, s := range compared() {
		t.Run(fmt.Sprint(i, " ", s.Name), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 4))
			model, judge, frontier := Porcupine(s), LinearizableWithin(1<<24, s), LinearizableBy(byFrontier, 1<<24, s)
			monitored := newMonitor(s.Kind, s.Initial) != nil
			monitor := frontier
			if monitored {
				monitor = LinearizableBy(byMonitor, 0, s)
			}
			illegal, declined := 0, 0
			for range runs {
				h := histories.Short(rng.IntN, s, object)
				legal := agree(t, judge, model, h)
				if !legal {
					illegal++
				}
				if v := frontier.Check(h); v.Unknown != "" || legal != (v.Violation == nil) {
					t.Fatalf("frontier: got %+v, want a pass: %v: %+v", v, legal, h)
				}
				switch v := monitor.Check(h); {
				case v.Unknown != "":
					declined++
				case legal != (v.Violation == nil):
					t.Fatalf("monitor: got %+v, want a pass: %v: %+v", v, legal, h)
				}
			}
			t.Logf("%d histories, %d of them illegal, %d declined by the monitor", runs, illegal, declined)
			least := runs / 10
			if monitored {
				least = runs / 5
			}
			if illegal < least || illegal > runs*4/5 {
				t.Errorf("%d of %d histories are illegal, which makes a poor test", illegal, runs)
			}
		})
	}
}

// TestDifferentialLong compares monitors and frontier on long histories with a
// mistake or two in the middle, where the frontier comes to a conclusion.
func TestDifferentialLong(t *testing.T) {
	runs := 40
	if testing.Short() {
		runs = 24
	}
	for i, s := range compared() {
		if newMonitor(s.Kind, s.Initial) == nil || s.Initial == uint64(0) && s.Kind == spec.SemaphoreKind {
			continue
		}
		t.Run(fmt.Sprint(i, " ", s.Name), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 8))
			monitor, frontier := LinearizableBy(byMonitor, 0, s), LinearizableBy(byFrontier, 1<<16, s)
			illegal, undecided := 0, 0
			for n := range runs {
				h := histories.Obeying(rng.IntN, s, histories.Shape{
					Object: object, Clients: 3, Operations: 200, Duration: 40, Think: 40, Open: rng.IntN(3),
				})
				for range n % 3 {
					histories.Spoil(rng.IntN, s, h, len(h)/2, len(h)/2+60)
				}
				m, f := monitor.Check(h), frontier.Check(h)
				switch {
				case m.Violation != nil:
					illegal++
				case m.Unknown == "" && n%3 == 0 && m.By != byMonitor:
					t.Fatalf("got %+v, want a pass by the monitor", m)
				}
				if m.Unknown != "" || f.Unknown != "" {
					undecided++
				} else if (m.Violation == nil) != (f.Violation == nil) {
					t.Fatalf("monitor says %+v, frontier %+v", m, f)
				}
			}
			t.Logf("%d histories, %d of them illegal, %d undecided", runs, illegal, undecided)
			if illegal < runs/5 || undecided > runs*3/4 {
				t.Errorf("%d of %d histories are illegal, %d undecided, which makes a poor test", illegal, runs, undecided)
			}
		})
	}
}

// TestLinearizableEqualsPorcupine compares the two on random histories with few
// values, two thirds of them with mistakes.
func TestLinearizableEqualsPorcupine(t *testing.T) {
	total := 20_000
	if testing.Short() {
		total = 4_000
	}
	for i, s := range spec.All() {
		t.Run(s.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			model, judge := Porcupine(s), Linearizable(s)
			illegal, runs := 0, total/len(spec.All())
			for n := range runs {
				h := generate(rng, s, 2+rng.IntN(4), 4+rng.IntN(10))
				if n%3 > 0 {
					mutate(rng, h)
				}
				if !agree(t, judge, model, h) {
					illegal++
				}
			}
			t.Logf("%d histories, %d of them illegal", runs, illegal)
			if illegal < runs/20 || illegal > runs*2/3 {
				t.Errorf("%d of %d histories are illegal, which makes a poor test", illegal, runs)
			}
		})
	}
}

// agree reports whether h is linearizable, on which both must agree.
func agree(t *testing.T, judge Judge, model porcupine.Model, h machine.History) bool {
	t.Helper()
	ops, err := Operations(h, object)
	if err != nil {
		t.Fatal(err)
	}
	want := porcupine.CheckOperations(model, ops)
	got := judge.Check(h)
	switch {
	case got.Unknown != "" || want != (got.Violation == nil):
		t.Fatalf("got %+v, porcupine says %v: %+v", got, want, h)
	case want:
		return true
	}
	// What came before the violation is explained.
	if v := judge.Check(h[:got.Violation.At]); v.Violation != nil || v.Unknown != "" {
		t.Fatalf("violation at %d, but before it there is %+v: %+v", got.Violation.At, v, h)
	}
	return false
}

// TestGenerated checks that what obeys the specification passes, at sizes that
// porcupine can't be asked about.
func TestGenerated(t *testing.T) {
	for i, s := range spec.All() {
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		passes(t, LinearizableWithin(1<<22, s), generate(rng, s, 4, 300))
	}
}

func TestConfirmBudget(t *testing.T) {
	s := spec.Register(0)
	h := machine.History{call(0, spec.RegisterWrite, 1), call(1, spec.RegisterWrite, 2),
		ret(0, 0, true), ret(1, 0, true), call(0, spec.RegisterRead), ret(0, 3, true)}
	ops, err := Operations(h, object)
	if err != nil {
		t.Fatal(err)
	}
	if ok, decided := confirm(Porcupine(s), ops, 100); ok || !decided {
		t.Errorf("with enough budget: ok %v, decided %v", ok, decided)
	}
	if ok, decided := confirm(Porcupine(s), ops, 3); ok || decided {
		t.Errorf("with too small a budget: ok %v, decided %v", ok, decided)
	}
}

func TestPorcupineDraws(t *testing.T) {
	s := spec.Queue()
	h := machine.History{call(0, spec.QueueEnqueue, 1), call(1, spec.QueueDequeue), ret(1, 1, true)}
	ops, err := Operations(h, object)
	if err != nil {
		t.Fatal(err)
	}
	_, info := porcupine.CheckOperationsVerbose(Porcupine(s), ops, 0)
	var page bytes.Buffer
	if err := porcupine.Visualize(Porcupine(s), info, &page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Enqueue(1) never returned", "Dequeue() = 1"} {
		if !bytes.Contains(page.Bytes(), []byte(want)) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	if _, err := Operations(machine.History{ret(0, 0, true)}, object); err == nil {
		t.Error("no error for a malformed history")
	}
}

// contradicts reports whether two ways to decide disagreed.
func contradicts(v Verdict) bool { return strings.Contains(v.Unknown, "finds no order and") }
