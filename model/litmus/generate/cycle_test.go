package generate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
)

// oracle is the folder with herd's tests, or the test is skipped.
func oracle(t *testing.T) string {
	t.Helper()
	dirs := []string{os.Getenv("STRAMASH_LITMUS"), "../../../../shared/litmus", "../../../../../shared/litmus"}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "aarch64")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("skipped: herd's tests are not there; put their folder into STRAMASH_LITMUS")
	return ""
}

// herdCycles are the cycles of the oracle's tests of one ISA, by file.
func herdCycles(t *testing.T, folder, mark string) map[string]string {
	files, err := filepath.Glob(filepath.Join(oracle(t), folder, "*.litmus"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", folder, err)
	}
	cycles := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		cycles[filepath.Base(f)] = mark + strings.Trim(strings.Split(string(text), "\n")[1], `"`)
	}
	return cycles
}

// Every cycle from which diy made a test of the oracle is read, and is of the shape
// after which diy's file is named.
func TestHerdsCycles(t *testing.T) {
	for folder, mark := range map[string]string{"x86_64": "x:", "aarch64": "a:"} {
		for file, cycle := range herdCycles(t, folder, mark) {
			c, err := ParseCycle(cycle)
			if err != nil {
				t.Errorf("%s/%s: %q: %v", folder, file, cycle, err)
				continue
			}
			want := strings.NewReplacer("3_", "3.", "4_", "4.", "Z6_", "Z6.", "2_2W", "2+2W", "_WR", "+WR", "W_RWC_4", "W+RWC4", "W_RWC", "W+RWC", "_2W", "+2W").
				Replace(strings.TrimSuffix(file, ".litmus"))
			got, _ := c.shape()
			if !strings.HasPrefix(want, got) {
				t.Errorf("%s/%s: %q is of shape %s", folder, file, cycle, got)
			}
		}
	}
}

var named = []struct{ cycle, name string }{
	{"PodWR Fre PodWR Fre", "SB"},
	{"PodWR Fre MFencedWR Fre", "SB+mfence+po"},
	{"MFencedWR Fre MFencedWR Fre", "SB+mfences"},
	{"a:DMB.STdWW Rfe DpAddrdR Fre", "MP+dmb.st+addr"},
	{"a:PodRR Fre PodWW Rfe", "MP"},
	{"a:PodWWPL RfeLQ PodRRQP Fre", "MP+popl+poqp"},
	{"x:PodWR Fre a:DMB.SYdWR Fre", "SB-ax+dmb.sy+po"},
	{"a:PodWR Fre x:MFencedWR Fre", "SB-ax+po+mfence"},
	{"x:PodWW Rfe a:DpCtrlIsbdR Fre", "MP-xa+po+ctrlisb"},
	{"a:Rfe DpDatadW Rfe DpAddrdR Fre", "WRC+data+addr"},
	{"a:RfeLP PodRR Fre Rfe DpAddrdR Fre", "IRIW+l+po+p+addr"},
	{"Exch PodWR Fre PodWR Exch Rfe", "MP+po-amo.swp+amo.swp-po"},
	{"PodWR Amo.Swp PodWR Fre PodWR Fre", "SB+po+po-amo.swp-po"},
	{"PodWW Rfi PodRR Fre PodWW PodWR Fre", "SB+po-rfi-po+po-w-po"},
	{"a:Wse DMB.SYdWW Wse DMB.SYdWW", "2+2W+dmb.sys"},
	{"PosWW Wse", "CoWW"},
	{"Rfe PosRR Fre", "CoRR"},
	{"a:PodRW Rfe PodRW Rfe PodRW Rfe", "3.LB"},
}

func TestNames(t *testing.T) {
	for _, n := range named {
		c, err := ParseCycle(n.cycle)
		if err != nil {
			t.Errorf("%q: %v", n.cycle, err)
			continue
		}
		if c.Name() != n.name {
			t.Errorf("%q is named %s, not %s", n.cycle, c.Name(), n.name)
		}
	}
}

// All rotations of a cycle's text give the same cycle, and so does its own text.
func TestRotationsAreOneCycle(t *testing.T) {
	for _, n := range named {
		c, err := ParseCycle(n.cycle)
		if err != nil {
			t.Fatal(err)
		}
		words, isa := strings.Fields(c.String()), "x:"
		for i, w := range words { // each edge says its ISA, so that any may come first
			if strings.Contains(w, ":") {
				isa = w[:2]
			} else {
				words[i] = isa + w
			}
		}
		for i := range words {
			text := strings.Join(rotate(words, i), " ")
			r, err := ParseCycle(text)
			if err != nil {
				t.Errorf("%q: %v", text, err)
			} else if r.String() != c.String() {
				t.Errorf("%q is %q, but its rotation %q is %q", n.cycle, c, text, r)
			}
		}
	}
}

func TestErrorsOfCycles(t *testing.T) {
	for _, e := range []struct{ cycle, err string }{
		{"", "a cycle of 0 edges; it must have 2 to 24"},
		{"PodWW Rfx", `edge 2, "Rfx": has "x" where e or i`},
		{"Pad Rfe", `edge 1, "Pad": is no edge`},
		{"PodW Rfe", `edge 1, "PodW": has "" where a direction must stand`},
		{"PodWRX Fre", `edge 1, "PodWRX": ends in "X"; annotations`},
		{"z:PodWR Fre", `edge 1, "z:PodWR": its thread is of ISA "z"; write x: for x86-64`},
		{"PodWR Rfe", "edge 1, Po, ends in direction R but edge 2, Rf, begins in W"},
		{"a:PodWWPL RfePP PodRR Fre", "edge 1, Po, ends in annotation L but edge 2, Rf, begins in P"},
		{"PodWR PodRW", "no edge is external"},
		{"PodWR PosRR Fre", "one edge only leads to another location"},
		{"PodWR PodRR Fre", "one external edge only"},
		{"DMB.SYdWR Fre PodWR Fre", "DMB.SY is no edge of x86_64; begin its thread with a:"},
		{"a:MFencedWR Fre PodWR Fre", "MFence is no edge of aarch64; begin its thread with x:"},
		{"a:PodWR x:PodRR Fre PodWR Fre", "x:Po: its thread is marked a: before"},
		{"PodWRPA Fre PodWR Fre", "has annotation A; on x86_64 it may be one of P"},
		{"a:PodWRLQ Fre PodWRQP Fre", "the write before Po has annotation Q; on aarch64 it may be one of PL"},
		{"a:PodWW DpAddrdR Fre PodWR Fre", "edge 2, DpAddr, is a dependency on no read"},
		{"a:Amo.StAdd DpAddrdR Fre PodWW Rfe", "DpAddr depends on Amo.StAdd, which returns nothing"},
		{"a:PodRR DpDatadR Fre PodWW Rfe", "DpData leads to a read, which takes no data"},
		{strings.Repeat("PosWW ", 24) + "Coe", "a cycle of 25 edges"},
		{strings.Repeat("Rfe PosRW ", 9), "9 threads"},
		{strings.Repeat("x", 5000), "a cycle of 5000 bytes"},
	} {
		_, err := ParseCycle(e.cycle)
		switch {
		case err == nil:
			t.Errorf("%q is accepted", e.cycle)
		case !strings.Contains(err.Error(), e.err) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%q: %q, which does not say %q in one line", e.cycle, err, e.err)
		}
	}
}

// Cycles that are made are different, are of their shape, and have names of their
// own within their ISAs; what is made twice is the same.
func TestGenerate(t *testing.T) {
	list := func(s Spec) (all []string) {
		cycles, err := Generate(s)
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]string{}
		for c := range cycles {
			name := c.Name()
			if !mixed(c.isas) {
				name += letters(c.isas)
			}
			if names[name] != "" {
				t.Errorf("%s is the name of both %q and %q", name, names[name], c)
			}
			names[name] = c.String()
			all = append(all, c.String())
			if len(all) == 400 {
				break
			}
		}
		return all
	}
	for _, shape := range Shapes() {
		s := Spec{Shapes: []string{shape}}
		got := list(s)
		if len(got) < 5 {
			t.Errorf("%s: only %d cycles", shape, len(got))
		}
		if again := list(s); strings.Join(got, "\n") != strings.Join(again, "\n") {
			t.Errorf("%s: what is made twice differs", shape)
		}
		for _, text := range got {
			if c, err := ParseCycle(text); err != nil || c.String() != text {
				t.Errorf("%q is read as %v, %v", text, c, err)
			} else if s, _ := c.shape(); s != shape {
				t.Errorf("%q is of shape %s, not %s", text, s, shape)
			}
		}
	}
	// Two links in two threads are 3 cycles of one ISA, and 4 of both.
	if n := len(list(Spec{Shapes: []string{"SB"}, Links: []string{"Pod**", "Pod*W Rfi PodR*"}})); n != 3+3+4 {
		t.Errorf("%d cycles of SB by two links, not 10", n)
	}
	if _, err := Generate(Spec{Shapes: []string{"MQ"}}); err == nil || !strings.Contains(err.Error(), `"MQ" is no shape`) {
		t.Errorf("shape MQ: %v", err)
	}
}

// Every default link is used in some shape.
func TestEveryLinkFits(t *testing.T) {
	count := func(links ...string) (n int) {
		cycles, err := Generate(Spec{Links: links, Shapes: []string{"SB", "MP", "LB", "2+2W", "CoRR", "CoWR", "CoRW1", "CoWW"}})
		if err != nil {
			t.Fatal(err)
		}
		for range cycles {
			n++
		}
		return n
	}
	plain := count("Pod**", "Pos**")
	for _, l := range Links()[2:] {
		if count(l, "Pod**", "Pos**") == plain {
			t.Errorf("link %q makes no cycle", l)
		}
	}
}

// A cycle that is read has a test that is read, or is refused in one line.
func FuzzParseCycle(f *testing.F) {
	for _, n := range named {
		f.Add(n.cycle)
	}
	f.Add("a:PodWR LxSxAL CoeLP x:PodWWPA CoeAP")
	f.Add("a:PodWR Amo.LdClr Rfe x:Amo.Cas PodWR Fri Coe")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCycle(text)
		if err == nil {
			if again, err := ParseCycle(c.String()); err != nil || again.String() != c.String() {
				t.Fatalf("%q is %q, which is read as %v, %v", text, c, again, err)
			}
			var test *litmus.Test
			if test, err = c.Test(); err == nil {
				_, err = test.Program(1)
			}
			if err != nil && !strings.Contains(err.Error(), "registers; make it shorter") {
				t.Fatalf("%q: %v", c, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("%q: an error of several lines: %v", text, err)
		}
	})
}
