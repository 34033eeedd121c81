package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// litmusRounds is how often a test is measured at most.
const litmusRounds = 3

// scaleTest is a litmus test of which the number of executions explodes with
// its size, and what is known of it.
type scaleTest struct {
	name   string
	text   string
	states int
	limit  float64 // seconds of CPU; 0 if there is none
}

// scaleTests are of AArch64, which allows most.
func scaleTests() []scaleTest {
	return []scaleTest{
		{"ctr5", counters(5), 120, 0.5},
		{"ctr6", counters(6), 720, 1},
		{"wr4", writers(4), 200, 0.5},
		{"mpn3", messages(3), 216, 0.5},
		{"sb7", ring(7), 128, 0.2},
	}
}

// table is a test with a column for each thread.
func litmusTable(name, init, observed string, threads [][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "AArch64 %s\n{ %s }\n", name, init)
	for row := -1; row < len(threads[0]); row++ {
		for i, t := range threads {
			cell := fmt.Sprintf("P%d", i)
			if row >= 0 {
				cell = t[row]
			}
			fmt.Fprintf(&b, "%s %s ", map[bool]string{true: "", false: "|"}[i == 0], cell)
		}
		b.WriteString(";\n")
	}
	fmt.Fprintf(&b, "locations [%s]\nexists (x=0)\n", observed)
	return b.String()
}

// counters is n threads that add to one location.
func counters(n int) string {
	var init, observed string
	var threads [][]string
	for i := range n {
		init += fmt.Sprintf("%d:X1=x; ", i)
		observed += fmt.Sprintf("%d:X2; ", i)
		threads = append(threads, []string{"MOV W0,#1", "LDADD W0,W2,[X1]"})
	}
	return litmusTable(fmt.Sprint("CTR", n), init, observed+"x;", threads)
}

// writers is n threads that write to one location, and read it.
func writers(n int) string {
	var init, observed string
	var threads [][]string
	for i := range n {
		init += fmt.Sprintf("%d:X1=x; ", i)
		observed += fmt.Sprintf("%d:X2; ", i)
		threads = append(threads, []string{fmt.Sprintf("MOV W0,#%d", i+1), "STR W0,[X1]", "LDR W2,[X1]"})
	}
	return litmusTable(fmt.Sprint("WR", n), init, observed+"x;", threads)
}

// messages is a thread that writes k locations twice, and one that reads them
// backwards, then forwards.
func messages(k int) string {
	var init, observed string
	writer, reader := []string{"MOV W0,#1"}, []string{}
	for i := range k {
		init += fmt.Sprintf("0:X%[1]d=%[2]s; 1:X%[1]d=%[2]s; ", i+1, location(i))
		observed += fmt.Sprintf("1:X%d; 1:X%d; ", 10+i, 20+i)
		writer = append(writer, fmt.Sprintf("STR W0,[X%d]", i+1))
		reader = append(reader, fmt.Sprintf("LDR W%d,[X%d]", 10+k-1-i, k-i))
	}
	writer = append(writer, "MOV W9,#2")
	for i := range k {
		writer = append(writer, fmt.Sprintf("STR W9,[X%d]", i+1))
		reader = append(reader, fmt.Sprintf("LDR W%d,[X%d]", 20+i, i+1))
	}
	return litmusTable(fmt.Sprint("MPN", k), init, observed, [][]string{writer, append(reader, "", "")})
}

// ring is n threads, each of which writes a location and reads the next one's.
func ring(n int) string {
	var init, observed string
	var threads [][]string
	for i := range n {
		init += fmt.Sprintf("%d:X1=%s; %d:X2=%s; ", i, location(i), i, location((i+1)%n))
		observed += fmt.Sprintf("%d:X3; ", i)
		threads = append(threads, []string{"MOV W0,#1", "STR W0,[X1]", "LDR W3,[X2]"})
	}
	return litmusTable(fmt.Sprint("SB", n), init, observed, threads)
}

// location is the name of location i: x, y, z, a, b …
func location(i int) string { return string("xyzabcdefghijkl"[i]) }

// litmusBenchLine is the JSON of a test's or a folder's time.
type litmusBenchLine struct {
	Type       string  `json:"type"`
	Test       string  `json:"test"`
	Engine     string  `json:"engine"`
	Tests      int     `json:"tests"`
	StateCount int     `json:"state_count"`
	Explored   int64   `json:"explored"`
	Steps      int64   `json:"steps"`
	CPUSeconds float64 `json:"cpu_seconds"`
}

// benchLitmus measures the engines: the tests that explode, and those of a folder
// if the flag names one. Times are of CPU, and the shortest of the rounds.
func benchLitmus(b *bench) ([]figure, error) {
	var figures []figure
	for _, e := range b.engines {
		for _, s := range scaleTests() {
			l, err := b.timed(e, s.name, [][]byte{[]byte(s.text)}, min(b.rounds, litmusRounds))
			if err != nil {
				return nil, err
			}
			if b.stop() {
				return nil, nil
			}
			if l.StateCount != s.states {
				return nil, fmt.Errorf("%s finds %d states of %s, which has %d", e.name, l.StateCount, s.name, s.states)
			}
			b.result(l, l.text())
			figures = append(figures, figure{e.name + "_" + s.name + "_seconds", l.CPUSeconds, fmt.Sprintf("of CPU for %s states; at most %g", grouped(uint64(s.states)), s.limit)})
		}
		if len(b.tests) == 0 {
			continue
		}
		l, err := b.timed(e, "all", b.tests, 1)
		if err != nil {
			return nil, err
		}
		if b.stop() {
			return nil, nil
		}
		b.result(l, l.text())
		figures = append(figures, figure{e.name + "_all_seconds", l.CPUSeconds, fmt.Sprintf("of CPU for %s", counted(l.Tests, "test"))})
	}
	return figures, nil
}

func (l litmusBenchLine) text() string {
	return fmt.Sprintf("%-9s %-5s %s, %s, %.3f s of CPU", l.Engine, l.Test, counted(l.Tests, "test"), counted(l.StateCount, "state"), l.CPUSeconds)
}

// timed measures one engine on tests, from their text to their states.
func (b *bench) timed(e engine, name string, tests [][]byte, rounds int) (litmusBenchLine, error) {
	best := math.Inf(1)
	var l litmusBenchLine
	for range rounds {
		l = litmusBenchLine{Type: "result", Test: name, Engine: e.name, Tests: len(tests)}
		began := cpuTime()
		for _, text := range tests {
			if b.stop() {
				return l, nil
			}
			if err := l.add(e, text); err != nil {
				return l, err
			}
		}
		best = min(best, (cpuTime() - began).Seconds())
	}
	l.CPUSeconds = math.Round(best*1e6) / 1e6
	return l, nil
}

func (l *litmusBenchLine) add(e engine, text []byte) error {
	t, err := litmus.Parse(text)
	if err != nil {
		return err
	}
	p, err := t.Program(litmusUnroll)
	if err != nil {
		return err
	}
	c := collect(context.Background(), e, p, memory.Budget{Entries: litmusMemory << 20 / entryBytes})
	l.StateCount += len(c.states)
	l.Explored += c.Explored
	l.Steps += c.Steps
	if c.err == nil && !c.Complete {
		return fmt.Errorf("%s: %s is inconclusive: %s", t.Name, e.name, c.Why)
	}
	return c.err
}
