package axiomatic

import (
	"slices"

	"github.com/fusedos/stramash/model/litmus"
)

// The axioms. An execution is allowed if
//
//	internal   acyclic (po-loc | rmw | rf | co | fr)
//	atomic     empty   (rmw & (fre; coe))
//	external   acyclic (obs | lob),   obs = rfe | coe | fre
//
// where fr relates a read to the writes that come after the one it reads, the e's
// are their parts between different threads, and lob is what each thread's own
// architecture keeps in order: the rules below. Both architectures are multi-copy
// atomic, so nothing else orders events of different threads (A. Goens et al.,
// "Compound Memory Models", PLDI 2023). If all threads are of x86-64 this is
// x86-TSO (S. Owens, S. Sarkar and P. Sewell, TPHOLs 2009; herd7's x86tso with the
// read and the write of one locked instruction in order); if all are of AArch64, it
// is the architecture's own model (Arm ARM, B2.3; herd7 7.58's aarch64.cat without
// translation, tags and instruction fetch).

// rule is one reason why a thread's architecture keeps two of its events in order.
type rule struct {
	name  string // in the manner of the cat files
	words string // what it says, behind "because"
	edges func(x *thread) relation
}

// x86Rules are TSO: what program order has stays in order, but a later read may go
// ahead of an earlier write. herd7 counts lfence and sfence as mfence here, which
// the manuals do not promise.
var x86Rules = []rule{
	{"po \\ WR", "x86 keeps program order but for a write and a later read", func(x *thread) relation {
		return union(x.po.from(x.reads).to(x.accesses), x.po.from(x.writes).to(x.writes))
	}},
	{"mfence", "a fence stands between", func(x *thread) relation { return x.across(x.writes, x.anyFence, x.reads) }},
	{"locked", "a locked instruction is a full fence", func(x *thread) relation {
		return union(x.po.from(x.writes).to(x.reads.and(x.locked)), x.po.from(x.writes.and(x.locked)).to(x.reads))
	}},
	{"rmw", "a locked instruction reads before it writes", func(x *thread) relation { return x.rmw }},
}

// armRules are the locally-ordered-before of Armv8, without what pickRules add.
var armRules = []rule{
	{"lws", "a later write to the same location stays behind", func(x *thread) relation { return x.sameLoc.to(x.writes) }},

	// Dependency-ordered-before.
	{"addr", "its address depends on the read", func(x *thread) relation { return x.addr }},
	{"data", "the value written depends on the read", func(x *thread) relation { return x.data }},
	{"ctrl", "the read decides whether the write is executed", func(x *thread) relation { return x.ctrl.to(x.writes) }},
	{"addr; po", "the read makes the address of an access before the write", func(x *thread) relation { return x.addr.then(x.po).to(x.writes) }},
	{"(addr | data); lrs", "it reads what a write that depends on the read has left", func(x *thread) relation {
		return union(x.addr, x.data).then(x.readsNext)
	}},

	// Pick-ordered-before: what selects a value orders writes.
	{"pick-addr", "its address was picked by the read", func(x *thread) relation { return x.pickAddr.to(x.writes) }},
	{"pick-data", "the value written was picked by the read", func(x *thread) relation { return x.pickData.to(x.writes) }},
	{"pick-ctrl", "what the read has picked decides whether the write is executed", func(x *thread) relation { return x.pickCtrl.to(x.writes) }},
	{"pick-addr; po", "the read picks the address of an access before the write", func(x *thread) relation { return x.pickAddr.then(x.po).to(x.writes) }},

	// Atomic-ordered-before.
	{"rmw", "a read-modify-write reads before it writes", func(x *thread) relation { return x.rmw }},
	{"rmw; lrs; [A | Q]", "an acquire that reads what a read-modify-write has left", func(x *thread) relation {
		return x.rmw.then(x.readsNext).to(x.acquire.or(x.acquirePC))
	}},

	// Barrier-ordered-before.
	{"DMB SY", "a full barrier stands between", func(x *thread) relation { return x.across(x.accesses, x.full, x.accesses) }},
	{"DMB LD", "a load barrier stands between", func(x *thread) relation {
		return x.across(x.reads.without(x.silent), x.loads, x.accesses)
	}},
	{"DMB ST", "a store barrier stands between", func(x *thread) relation { return x.across(x.writes, x.stores, x.writes) }},
	{"DSB ST", "a completed store barrier stands between", func(x *thread) relation { return x.across(x.writes, x.storesAll, x.accesses) }},
	{"[L]; po; [A]", "an acquire stays behind an earlier release", func(x *thread) relation { return x.po.from(x.release).to(x.acquire) }},
	{"[A | Q]; po", "what is behind an acquire stays behind it", func(x *thread) relation {
		return x.po.from(x.acquire.or(x.acquirePC)).to(x.accesses)
	}},
	{"po; [L]", "what is before a release stays before it", func(x *thread) relation { return x.po.from(x.accesses).to(x.release) }},
	{"[A]; amo; [L]; po", "a read-modify-write that acquires and releases is a full barrier for what is behind", func(x *thread) relation {
		both := newRelation(len(x.events))
		for j := range x.events {
			if e := &x.events[j]; e.Kind == Write && e.Release && e.One && x.acquire.has(j-e.Pair) {
				copy(both.row(j), x.po.row(j))
			}
		}
		return both.to(x.accesses)
	}},
	{"(ctrl | addr; po); [ISB]; po", "an ISB behind a branch, or behind an access whose address, depends on the read", func(x *thread) relation {
		depends := union(x.ctrl, x.pickCtrl, x.addr.then(x.po), x.pickAddr.then(x.po))
		return depends.to(x.isb).then(x.po).to(x.accesses)
	}},
}

// pickRule closes the dependencies that pick: whatever a picked event is ordered
// before, if that is a write, stays behind the read as well.
const (
	pickName  = "pick; lob; [W]"
	pickWords = "what the read has picked is kept before the write"
)

// rulesOf are the rules of an instruction set.
func rulesOf(isa litmus.ISA) []rule {
	if isa == litmus.X86_64 {
		return x86Rules
	}
	return armRules
}

// lob is what a thread keeps in order of its own accesses. All pairs but those of
// pickRule are given by one rule each. The rules in without, which are named behind
// their instruction set, are left out.
func lob(x *thread, without ...string) relation {
	if len(x.events) == 0 {
		return newRelation(0)
	}
	isa := x.events[0].ISA
	out := newRelation(len(x.events))
	for _, r := range rulesOf(isa) {
		if len(without) == 0 || !slices.Contains(without, isa.String()+" "+r.name) {
			out.include(r.edges(x))
		}
	}
	if picks := x.picks(); !picks.empty() && !slices.Contains(without, isa.String()+" "+pickName) {
		out.include(picks.then(out.closure()).to(x.writes))
	}
	return out
}

// why is the rule by which a thread keeps two events in order, and what it says.
func why(x *thread, i, j int) (name, words string) {
	isa := x.events[0].ISA
	for _, r := range rulesOf(isa) {
		if r.edges(x).has(i, j) {
			return isa.String() + " " + r.name, r.words
		}
	}
	return isa.String() + " " + pickName, pickWords
}

// picks is all pick dependencies. Herd leaves out those within one instruction, which
// the rule of rmw has anyway.
func (x *thread) picks() relation { return union(x.pick, x.pickAddr, x.pickData, x.pickCtrl) }
