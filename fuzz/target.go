package fuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/machine"
)

// Target is something to verify: a platform, a program for it, and judges of
// what the program does. It is a value; the same targets serve go test, go test
// -fuzz and the command.
type Target struct {
	// Name identifies the target in reports and tokens: lower-case words,
	// with a slash between a group and its members. It must not contain '@'
	// or white space.
	Name string
	// Doc says in a sentence what is verified.
	Doc string
	// Platform is the machine to run on.
	Platform machine.Platform
	// Limits bound each run; what is zero takes machine.DefaultLimits.
	Limits machine.Limits
	// Setup builds the program of one run, anew each time. It may ask the
	// machine what to try (machine.Machine.Choose), and must depend on
	// nothing else.
	Setup func(m *machine.Machine) Program
	// Judges judge the history of each run. Progress, panics, data races
	// and the use of the heap are judged unasked.
	Judges []checkers.Judge
	// IntendedRaces says that the program is one of atomic accesses, though it
	// does not mark them: data races are not judged. To say so of one access,
	// see machine.Relaxed.
	IntendedRaces bool

	_ struct{}
}

// Under is the target under a memory order, in place of its platform's. Its name
// says so: locks/mcs+native. Under machine.SC it is the name without.
func (t Target) Under(o machine.MemoryOrder) Target {
	t.Platform.Order = o
	return t.named()
}

// On is the target on a storage, in place of its platform's: a coherence protocol, or nil
// for flat memory. Its name says so: locks/mcs+native+mesi.
func (t Target) On(p *protocol.Protocol) Target {
	t.Platform.Storage = p
	return t.named()
}

// named is the target with a name that says on what it runs.
func (t Target) named() Target {
	t.Name, _, _ = strings.Cut(t.Name, "+")
	if o := t.Platform.Order; o != machine.SC {
		t.Name += "+" + o.String()
	}
	if p := t.Platform.Storage; p != nil {
		t.Name += "+" + p.Name
	}
	return t
}

// CutName parts the name of a target from the memory order and the storage that Under and
// On have added, of which the latter must be built in.
func CutName(name string) (target string, o machine.MemoryOrder, storage *protocol.Protocol, err error) {
	target, rest, _ := strings.Cut(name, "+")
	for _, part := range strings.Split(rest, "+") {
		switch {
		case part == "" || err != nil:
		case slices.Contains(protocol.Names(), part):
			storage, err = protocol.Load(part)
		default:
			o, err = machine.ParseMemoryOrder(part)
		}
	}
	return target, o, storage, err
}

// Program is what one run executes.
type Program struct {
	// Threads run from the beginning; see [Each].
	Threads []machine.Start
	// After checks the final state, where every thread has finished: nil, or
	// what is wrong. It may be nil.
	After func() error
}

// Each is a thread with the given body on every CPU of the machine.
func Each(m *machine.Machine, body func(*machine.Thread)) []machine.Start {
	return Some(m, m.CPUs(), body)
}

// Some is a thread with the given body on each of the first n CPUs.
func Some(m *machine.Machine, n int, body func(*machine.Thread)) []machine.Start {
	if n > m.CPUs() {
		panic(fmt.Sprintf("fuzz.Some of %d threads: the platform has %d CPUs", n, m.CPUs()))
	}
	threads := m.Starts(n)
	for i := range threads {
		threads[i] = machine.Start{CPU: i, Body: body}
	}
	return threads
}

// Want is nil if a value is the wanted one, or an error that tells both.
func Want[T comparable](got, want T) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("got %v, want %v", got, want)
}
