package machine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/machine"
)

// lottery answers all questions at random.
type lottery struct{ state uint64 }

func (l *lottery) Choose(c *machine.Choice) int {
	l.state = l.state*6364136223846793005 + 1442695040888963407
	return c.Options.Nth(int(l.state >> 33 % uint64(c.Options.Len())))
}

// onStorage is a machine of two nodes on a storage of messages.
func onStorage(t *testing.T, text string, cpus int, o machine.MemoryOrder) *machine.Machine {
	t.Helper()
	p, err := protocol.Parse("storage", text)
	if err != nil {
		t.Fatal(err)
	}
	pl := machine.Pairs(cpus)
	pl.Order, pl.Storage = o, p
	return newMachine(t, pl)
}

// share has every CPU add to two words of one line, write a line of its own, and read
// those of the others.
func share(m *machine.Machine, c machine.Chooser) machine.Result {
	m.Begin(c, machine.Limits{Evictions: 6})
	x := m.Alloc(64 * 9)
	var starts []machine.Start
	for cpu := range m.CPUs() {
		starts = append(starts, machine.Start{CPU: cpu, Body: func(t *machine.Thread) {
			for i := range machine.VA(3) {
				t.FetchAdd(x, machine.Size64, 1, machine.AcqRel)
				t.Store64(x+64+64*machine.VA(cpu)+8*i, uint64(i))
				t.Load64(x + 64 + 64*(machine.VA(cpu)^1))
				t.FetchAdd(x+8, machine.Size32, 1, machine.Plain)
			}
		}})
	}
	return m.Run(starts...)
}

// TestStorage: programs run on every protocol under every order, by any choices, and what
// they have added up is there.
func TestStorage(t *testing.T) {
	for _, name := range protocol.Names() {
		text, err := protocol.Text(name)
		if err != nil {
			t.Fatal(err)
		}
		for o := machine.SC; o <= machine.Native; o++ {
			m := onStorage(t, text, 2, o)
			for seed := range uint64(60) {
				var c machine.Chooser = &lottery{seed}
				if seed == 0 {
					c = machine.Natural{}
				}
				res := share(m, c)
				if res.Outcome != machine.Finished {
					t.Fatalf("%s, %s, seed %d: %v: %s", name, o, seed, res.Outcome, res.Detail)
				}
				if again := share(m, machine.Chooser(&lottery{seed})); seed > 0 && again.TraceHash != res.TraceHash {
					t.Fatalf("%s, %s, seed %d: the same choices make another run", name, o, seed)
				}
			}
		}
	}
}

// TestStorageSeesMistakes: programs find what is wrong with a protocol.
func TestStorageSeesMistakes(t *testing.T) {
	mesi, _ := protocol.Text("mesi")
	hdmdb, _ := protocol.Text("hdmdb")
	platform, _ := protocol.Text("platform")
	for _, c := range []struct{ text, old, new, want string }{
		{mesi, "E, M on Fwd-GetM: send Data(value, 0) to msg.requester; value := 0 -> I", "E, M on Fwd-GetM: send Data(value, 0) to msg.requester", "the copy of"},
		{mesi, "E, M on PutM if owner = sender: memory := msg.value;", "E, M on PutM if owner = sender:", "but 0x"},
		{mesi, "SI_A on Inv: send Inv-Ack to msg.requester;", "SI_A on Inv:", "deadlock"},
		{mesi, "channel forward to cache fifo forwards", "channel forward to cache bag forwards", "deadlock"},
		{hdmdb, "M on BISnp-Inv, BISnp-InvBlk: snoop := Inv; writes := yes; send MemWr(value) to device; value := 0 -> I", "M on BISnp-Inv, BISnp-InvBlk: value := 0; send BIRsp-I to device -> I", "but 0x"},
		{platform, "RE, RM on Inv-Data: clear waiting; send MemWr(msg.value) to home; value := 0 -> WI", "RE, RM on Inv-Data: clear waiting; snoop := none; send BIRsp-I to home; value := 0 -> I", "but 0x"},
	} {
		text := strings.Replace(c.text, c.old, c.new, 1)
		if text == c.text {
			t.Fatalf("the table has no %q", c.old)
		}
		m := onStorage(t, text, 2, machine.SC)
		found := ""
		for seed := uint64(1); seed < 3000 && found == ""; seed++ {
			if res := share(m, &lottery{seed}); res.Outcome != machine.Finished {
				found = fmt.Sprintf("%v: %s", res.Outcome, res.Detail)
			}
		}
		if !strings.Contains(found, c.want) {
			t.Errorf("%s: found %q, want %q", c.new, found, c.want)
		}
	}
}

// TestStorageLooksAtTheEnd: what no program looks at any more must be right, too.
func TestStorageLooksAtTheEnd(t *testing.T) {
	mesi, _ := protocol.Text("mesi")
	for _, c := range []struct{ old, new, want string }{
		{"E, M on PutM if owner = sender: memory := msg.value;", "E, M on PutM if owner = sender:", "at the end CPU"},
		{"S_D on Data-Dir: memory := msg.value -> S", "S_D on Data-Dir: memory := msg.value", "quiescence: line"},
	} {
		text := strings.Replace(mesi, c.old, c.new, 1)
		if text == mesi {
			t.Fatalf("the table has no %q", c.old)
		}
		m := onStorage(t, text, 1, machine.SC)
		found := false
		for seed := uint64(0); seed < 3000 && !found; seed++ {
			m.Begin(&lottery{seed}, machine.Limits{Evictions: 6})
			x := m.Alloc(64)
			res := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
				t.Store64(x, 1)
				t.Store64(x+8, 2)
			}}, machine.Start{CPU: 1, Body: func(t *machine.Thread) { t.Load64(x + 16) }})
			found = strings.Contains(res.Detail, c.want)
		}
		if !found {
			t.Errorf("%s: nothing says %q", c.new, c.want)
		}
	}
}

// TestSeveralTransactions: the stores that a CPU holds back have their lines under way at
// the same time.
func TestSeveralTransactions(t *testing.T) {
	text, _ := protocol.Text("mesi")
	m := onStorage(t, text, 1, machine.Native)
	most := 0
	for seed := range uint64(50) {
		under := map[machine.VA]bool{}
		m.SetTracer(func(e *machine.Event) {
			if e.Op.Kind == machine.OpMessage && strings.Contains(e.Note, "GetM arrives from cache1") {
				under[e.Op.Addr] = true
			}
			if e.Op.Kind == machine.OpMessage && strings.Contains(e.Note, "cache1: Data arrives") {
				delete(under, e.Op.Addr)
			}
			most = max(most, len(under))
		})
		m.Begin(&lottery{seed}, machine.Limits{})
		x := m.Alloc(256)
		m.Run(machine.Start{CPU: 1, Body: func(t *machine.Thread) {
			t.Store64(x, 1)
			t.Store64(x+64, 1)
			t.Store64(x+128, 1)
		}})
	}
	if most < 2 {
		t.Errorf("%d lines under way at most", most)
	}
}

func TestStorageThatDoesNotFit(t *testing.T) {
	p, err := protocol.Load("mesi")
	if err != nil {
		t.Fatal(err)
	}
	pl := machine.Pairs(5)
	pl.Storage = p
	if _, err := machine.New(pl); err == nil || !strings.Contains(err.Error(), "caches is 1 to 8, not 10") {
		t.Errorf("ten CPUs: error %v", err)
	}
	pl = machine.Pair()
	pl.Storage, pl.Hardware = p, machine.PaperHardware(pl)
	m := newMachine(t, pl)
	defer func() {
		if e := recover(); e == nil {
			t.Error("a timed run on a storage of messages")
		}
	}()
	m.Begin(machine.Earliest{}, machine.Limits{})
}
