package axiomatic

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// final counts the final states of a program.
func final(b *testing.B, p *litmus.Program) (n int) {
	o, err := Run(p, memory.Budget{}, func(litmus.State) bool { n++; return true })
	if err != nil || !o.Complete {
		b.Fatal(o, err)
	}
	return n
}

// BenchmarkOracle is all tests of the oracle, without parsing them.
func BenchmarkOracle(b *testing.B) {
	dir := oracle(b)
	var programs []*litmus.Program
	for _, set := range []string{"x86_64", "aarch64", "mixed"} {
		for _, e := range expectations(b, filepath.Join(dir, set+".expected.jsonl")) {
			_, p := parse(b, filepath.Join(dir, set, e.File))
			programs = append(programs, p)
		}
	}
	for b.Loop() {
		for _, p := range programs {
			final(b, p)
		}
	}
	b.ReportMetric(float64(len(programs)), "tests/op")
}

// contended has n threads do the same at one location; %d is the thread's number, from 1.
func contended(b *testing.B, n int, code, observed string) *litmus.Program {
	s := shape{name: "contended", exists: "x=0"}
	for t := range n {
		s.threads = append(s.threads, fmt.Sprintf(code, t+1))
	}
	var refs []string
	for t := range n {
		refs = append(refs, fmt.Sprintf("%d:%s;", t, observed))
	}
	text := strings.Replace(s.text(), "exists", "locations ["+strings.Join(refs, " ")+" x;]\nexists", 1)
	test, err := litmus.Parse([]byte(text))
	if err != nil {
		b.Fatalf("%v\n%s", err, text)
	}
	p, err := test.Program(2)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkContended is what blows up with the number of threads at one location.
func BenchmarkContended(b *testing.B) {
	for _, c := range []struct {
		name, code, observed string
		threads, states      int
	}{
		{"CTR5", "MOV W4,#%d ; LDADD W5,W0,[X1]", "X0", 5, 120},
		{"CTR6", "MOV W4,#%d ; LDADD W5,W0,[X1]", "X0", 6, 720},
		{"WR4", "MOV W4,#%d ; STR W4,[X1] ; LDR W0,[X1]", "X0", 4, 200},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := contended(b, c.threads, c.code, c.observed)
			for b.Loop() {
				if n := final(b, p); n != c.states {
					b.Fatalf("%d states", n)
				}
			}
		})
	}
}
