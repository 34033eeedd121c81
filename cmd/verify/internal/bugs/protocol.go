package bugs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/coherence/protocol/tester"
	"github.com/fusedos/stramash/model/transition"
)

// System is a system of a protocol, such as "mesi caches=3".
type System struct {
	Text   string
	Name   string // of the protocol
	Config protocol.Config
}

// OfProtocol says whether the bug is one in the table of a protocol.
func (b Bug) OfProtocol() bool { return len(b.Models) > 0 }

// quiescence is the need of what shows by nothing but that the system can't come to rest.
const quiescence = transition.Quiescence

// completeModels reads the systems and the needs, and says what is wrong with them.
func (b *Bug) completeModels() error {
	if len(b.Needs) > 0 {
		b.Needs = fields(b.Needs)
	}
	switch {
	case b.OfProtocol() && len(b.Targets)+len(b.Orders) > 0:
		return errors.New("a bug with a model has no target and no orders: nothing is built and run")
	case !b.OfProtocol() && len(b.Needs) > 0:
		return errors.New("only a bug with a model has needs")
	}
	for i := range b.Models {
		m := &b.Models[i]
		if err := m.parse(); err != nil {
			return err
		}
		if m.Name != b.Models[0].Name {
			return fmt.Errorf("its models are of two protocols, %.60q and %.60q", b.Models[0].Name, m.Name)
		}
	}
	for _, n := range b.Needs {
		if n == quiescence {
			continue
		}
		if _, err := b.Models[0].without(n); err != nil {
			return err
		}
	}
	return nil
}

// parse reads NAME [PARAMETER=NUMBER]...
func (m *System) parse() error {
	words := strings.Fields(m.Text)
	if len(words) == 0 || !slices.Contains(protocol.Names(), words[0]) {
		return fmt.Errorf("the model %.60q begins with no protocol: use one of %s", m.Text, strings.Join(protocol.Names(), ", "))
	}
	m.Name, m.Config.Parameters = words[0], map[string]int{}
	for _, w := range words[1:] {
		name, n, err := setting(w)
		if err != nil {
			return err
		}
		if name == "addresses" {
			m.Config.Addresses = n
		} else {
			m.Config.Parameters[name] = n
		}
	}
	return nil
}

// setting is NAME=NUMBER.
func setting(s string) (name string, n int, err error) {
	name, value, ok := strings.Cut(s, "=")
	if n, err = strconv.Atoi(value); !ok || err != nil {
		return "", 0, fmt.Errorf("%.60q is not of the form parameter=number", s)
	}
	return name, n, nil
}

// without is the system with one less of what a need says: "caches=3" leaves 2.
func (m System) without(need string) (System, error) {
	name, n, err := setting(need)
	if err != nil {
		return m, fmt.Errorf("it needs %.60q: use %s, or parameter=number", need, quiescence)
	}
	m.Config.Parameters = maps.Clone(m.Config.Parameters)
	m.Text += fmt.Sprintf(" %s=%d", name, n-1)
	if name == "addresses" {
		m.Config.Addresses = n - 1
	} else {
		m.Config.Parameters[name] = n - 1
	}
	return m, nil
}

// Explored is what the exploration of one system came to.
type Explored struct {
	Model    string `json:"model"`
	Verdict  string `json:"verdict"`
	Property string `json:"property,omitempty"` // that is violated
	Depth    int    `json:"depth"`              // of the state that was being left then; see transition.Result
	States   int64  `json:"states"`
	Stuck    int64  `json:"stuck,omitempty"` // states from which quiescence can't be reached
	Trace    string `json:"-"`
}

// Tested is what the random tester came to.
type Tested struct {
	Model      string `json:"model"`
	Property   string `json:"property,omitempty"` // that the first seed violated
	Seeds      int    `json:"seeds"`
	FoundSeeds int    `json:"seeds_found"`
	Median     uint64 `json:"operations_median"`
	Max        uint64 `json:"operations_max"`
}

// ProtocolShown is what came of a bug of a protocol.
type ProtocolShown struct {
	Explored []Explored // each of the models
	Tested   []Tested   // the largest that has one address; or none
	Wrong    string     // what is not as it should be
}

// ShowProtocol explores the bug's systems, those which have not what it needs, and has
// the random tester look for it with each seed.
func (b Bug) ShowProtocol(ctx context.Context, p Patched, e Effort) (ProtocolShown, error) {
	s, err := b.showProtocol(ctx, p, e)
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	if err != nil {
		return s, fmt.Errorf("bug %s: %w", b.Name, err)
	}
	return s, nil
}

func (b Bug) showProtocol(ctx context.Context, p Patched, e Effort) (s ProtocolShown, err error) {
	table, err := b.table(p)
	if err != nil {
		return s, err
	}
	blame := func(format string, args ...any) {
		if s.Wrong == "" {
			s.Wrong = fmt.Sprintf(format, args...)
		}
	}
	for _, m := range b.Models {
		x, err := m.explore(ctx, table)
		if err != nil {
			return s, err
		}
		s.Explored = append(s.Explored, x)
		switch {
		case x.Property == "":
			blame("%s: %s, not violated", m.Text, x.Verdict)
		case !b.shownBy(x.Property):
			blame("%s: %s, not %s", m.Text, x.Property, strings.Join(b.Shows, " or "))
		case (x.Property == quiescence) != slices.Contains(b.Needs, quiescence):
			blame("%s: %s, and its needs say otherwise", m.Text, x.Property)
		}
	}
	for _, n := range b.Needs {
		if n == quiescence {
			continue
		}
		m, _ := b.Models[0].without(n)
		if x, err := m.explore(ctx, table); err != nil {
			return s, err
		} else if x.Verdict != transition.Holds.String() {
			blame("%s: %s %s, though it should need %s", m.Text, x.Verdict, x.Property, n)
		}
	}
	if err := b.test(ctx, table, e, &s); err != nil {
		return s, err
	}
	for _, t := range s.Tested {
		if t.FoundSeeds < t.Seeds {
			blame("the random tester found it with %d of %d seeds", t.FoundSeeds, t.Seeds)
		}
	}
	return s, nil
}

// table is the protocol with the bug.
func (b Bug) table(p Patched) (*protocol.Protocol, error) {
	name := b.Models[0].Name + ".protocol"
	file := path.Join("coherence/protocol", name)
	if len(p) != 1 || p[file] == nil {
		return nil, fmt.Errorf("its diff must change %s, of which its models are, and nothing else", file)
	}
	t, err := protocol.Parse(name, string(p[file]))
	if err != nil {
		return nil, fmt.Errorf("with its diff the table is none: %w", err)
	}
	return t, nil
}

// explore explores the system of a table, with everything that symmetry allows to check.
func (m System) explore(ctx context.Context, table *protocol.Protocol) (Explored, error) {
	s, err := table.Build(m.Config)
	if err != nil {
		return Explored{}, err
	}
	r, err := transition.Check(ctx, s.Model(nil), transition.Options{
		Workers: 1, Symmetry: true, Quiescence: true, MaxStates: maxStates, MaxBytes: transition.Unlimited,
	})
	x := Explored{Model: m.Text, Verdict: r.Verdict.String(), Property: r.Property, Depth: r.Found, States: r.States, Stuck: r.Stuck}
	for i, t := range r.Trace {
		if i > 0 {
			x.Trace += fmt.Sprintf("%3d  %s\n", i, t.Step)
		}
	}
	return x, err
}

// maxStates bounds the exploration of a bug's system.
const maxStates = 20_000_000

// test has the random tester look for the bug in the last system that has one address.
func (b Bug) test(ctx context.Context, table *protocol.Protocol, e Effort, s *ProtocolShown) error {
	for _, m := range slices.Backward(b.Models) {
		if m.Config.Addresses > 1 {
			continue
		}
		m.Config.Values = 255
		system, err := table.Build(m.Config)
		if err != nil {
			return err
		}
		t := Tested{Model: m.Text, Seeds: int(e.Seeds)}
		var operations []uint64
		for i := range e.Seeds {
			r, err := tester.Run(ctx, system, tester.Options{Operations: e.Operations, Seed: e.First + i})
			if err != nil {
				return err
			}
			if r.Violation == nil {
				continue
			}
			if t.FoundSeeds++; t.Property == "" {
				t.Property = r.Violation.Property
			}
			operations = append(operations, r.Operations)
		}
		if len(operations) > 0 {
			t.Median, t.Max = middle(operations), operations[len(operations)-1]
		}
		s.Tested = append(s.Tested, t)
		return nil
	}
	return nil
}
