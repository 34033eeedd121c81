package protocol

import (
	"fmt"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

func bfs(t *testing.T, m *transition.Model, sym bool) (states, rules, depth int) {
	seen := map[string]bool{}
	w := m.NewWorker()
	var cur, next []string
	for _, s := range m.Initial {
		seen[string(s)] = true
		cur = append(cur, string(s))
	}
	for len(cur) > 0 {
		depth++
		next = nil
		for _, s := range cur {
			states++
			w.Next([]byte(s), func(st transition.Step, n []byte, v int) {
				rules++
				if v < 0 {
					v = w.Check(n)
				}
				if v >= 0 {
					for _, p := range m.Describe([]byte(s)) {
						fmt.Println(p)
					}
					for _, p := range m.Describe(n) {
						fmt.Println(p)
					}
					t.Fatal(m.Properties[v], m.StepName(st), depth)
				}
				if sym {
					w.Canonical(n)
				}
				if !seen[string(n)] {
					seen[string(n)] = true
					next = append(next, string(n))
				}
			})
		}
		cur = next
	}
	return
}

func TestQuick(t *testing.T) {
	for _, c := range []struct {
		name string
		c    Config
	}{
		{"mesi", Config{Parameters: map[string]int{"caches": 2}}},
		{"mesi", Config{Parameters: map[string]int{"caches": 3}}},
		{"hdmdb", Config{Parameters: map[string]int{"hosts": 2}}},
		{"hdmdb", Config{Parameters: map[string]int{"hosts": 3}}},
		{"hdmdb", Config{Parameters: map[string]int{"hosts": 2, "upgrades": 1}}},
		{"hdmdb", Config{Parameters: map[string]int{"hosts": 2, "blocks": 1}}},
		{"hdmdb", Config{Parameters: map[string]int{"hosts": 1, "blocks": 1}, Addresses: 2}},
	} {
		p, err := Load(c.name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Build(c.c)
		if err != nil {
			t.Fatal(err)
		}
		st, r, d := bfs(t, s.Model(nil), false)
		t.Log(c, s.size, st, r, d)
		st, r, d = bfs(t, s.Model(nil), true)
		t.Log("symmetry", st, r, d)
	}
}
