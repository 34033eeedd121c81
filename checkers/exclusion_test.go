package checkers

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

func TestExclusion(t *testing.T) {
	shared := func(r machine.Record) machine.Record {
		r.Arg2 = machine.SharedLock
		return r
	}
	expect(t, Exclusion(), []expectation{
		{name: "empty"},
		{name: "in turn", h: machine.History{acquired(0), released(0), acquired(1), released(1)}},
		{name: "two locks", h: join(machine.History{acquired(0)}, on(other, acquired(1)))},
		{name: "waiting is not holding", h: machine.History{
			acquired(0), note(1, machine.NoteAcquire, 0, 0), released(0), acquired(1)}},
		{name: "two holders", h: machine.History{acquired(0), released(0), acquired(0), acquired(1)},
			rule: ruleExclusion, at: 3,
			message: "client 1 (CPU 1) acquired lock 0x40 while client 0 (CPU 0) held it"},
		{name: "twice by one client", h: machine.History{acquired(0), acquired(0)},
			rule: ruleExclusion, at: 1},
		{name: "readers share", h: machine.History{
			shared(acquired(0)), shared(acquired(1)), shared(acquired(1)),
			shared(released(0)), shared(released(1)), shared(released(1)), acquired(0)}},
		{name: "writer among readers", h: machine.History{shared(acquired(0)), acquired(1)},
			rule: ruleExclusion, at: 1, message: "while client 0 (CPU 0) held it shared"},
		{name: "reader beside a writer", h: machine.History{acquired(0), shared(acquired(1))},
			rule: ruleExclusion, at: 1, message: "acquired lock 0x40 shared while"},

		{name: "stray release", h: machine.History{released(0)},
			rule: ruleRelease, at: 0, message: "client 0 (CPU 0) released lock 0x40 that it does not hold"},
		{name: "double release", h: machine.History{acquired(0), released(0), released(0)},
			rule: ruleRelease, at: 2},
		{name: "another's release", h: machine.History{acquired(0), released(1)},
			rule: ruleRelease, at: 1},
		{name: "release in another mode", h: machine.History{acquired(0), shared(released(0))},
			rule: ruleRelease, at: 1, message: "that it holds in another mode"},

		{name: "published", h: machine.History{
			acquired(0), saw(0, 0), wrote(0, 1), saw(0, 1), released(0), acquired(1), saw(1, 1)}},
		{name: "lost write", h: machine.History{
			acquired(0), wrote(0, 1), released(0), acquired(1), saw(1, 0)},
			rule: rulePublication, at: 4,
			message: "client 1 (CPU 1) read 0 from what lock 0x40 protects, but client 0 (CPU 0) had written 1 there"},
		{name: "out of the air", h: machine.History{shared(acquired(1)), saw(1, 7)},
			rule: rulePublication, at: 1, message: "nobody had written there"},
		{name: "data of another lock", h: join(
			machine.History{acquired(0), wrote(0, 1), released(0)}, on(other, acquired(1), saw(1, 0)))},
		{name: "read without the lock", h: machine.History{acquired(0), wrote(0, 1), saw(1, 0)}},
		{name: "written without the lock", h: machine.History{
			acquired(0), wrote(1, 1), saw(0, 0), wrote(0, 2), released(0), acquired(1), saw(1, 1)},
			rule: rulePublication, at: 6},
		{name: "other records", h: machine.History{call(0, 1), ret(5, 0, true), {Kind: 77}, note(1, machine.NoteUser, 0, 0)}},
	})
}
