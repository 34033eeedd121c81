package checkers

import (
	"fmt"
	"slices"
	"sync"

	"github.com/fusedos/stramash/machine"
)

const (
	ruleExclusion   = "mutual exclusion"
	ruleRelease     = "release without holding"
	rulePublication = "publication"
)

// Exclusion returns a judge of critical sections, by the notes
// [machine.NoteAcquired], [machine.NoteRelease], [machine.NoteWrite] and
// [machine.NoteRead]. A client is in a critical section of a lock from the
// first of these notes to the second; what it only tries or waits for does not
// matter. The rules are:
//
//   - "mutual exclusion": while a client holds a lock exclusively, nobody
//     acquires it, and while others share it, nobody acquires it exclusively. A
//     client that acquires a lock exclusively that it holds breaks the rule, too.
//   - "release without holding": a client releases only what it holds, in the
//     mode in which it holds it, and once for each time it acquired it.
//   - "publication": what a holder reads from the data that the lock protects is
//     what the last holder wrote there, in the order of the critical sections.
//     At first it is zero.
//
// To turn a shared hold into an exclusive one, or the reverse, note the release
// of the one and then the acquisition of the other. A read by a client that does
// not hold the lock is not judged. A write by a client that does not hold the
// lock exclusively is in no order of critical sections, so nothing is expected
// of reads from there to the next exclusive holder's write: that write is for a
// judge of data races.
func Exclusion() Judge {
	j := &exclusion{}
	j.scratch.New = func() any { return &sections{} }
	return j
}

type exclusion struct {
	scratch sync.Pool // of *sections
}

func (j *exclusion) Name() string { return "exclusion" }

func (j *exclusion) Check(h machine.History) Verdict {
	s := j.scratch.Get().(*sections)
	defer j.scratch.Put(s)
	s.reset()
	for at := range h {
		if v := j.record(s, h, at); v != nil {
			return Verdict{Violation: v}
		}
	}
	return Verdict{}
}

// record takes one record into account and answers what is wrong with it.
func (j *exclusion) record(s *sections, h machine.History, at int) *Violation {
	r := &h[at]
	if r.Kind != machine.NoteRecord {
		return nil
	}
	rule, message := s.note(h, r, at)
	if rule == "" {
		return nil
	}
	return &Violation{Judge: j.Name(), Rule: rule, Object: r.Object, At: at, Message: message}
}

// Watch makes the judge [Online].
func (j *exclusion) Watch() Session { return &guarding{judge: j} }

// guarding is a session of exclusion.
type guarding struct {
	judge *exclusion
	sections
	history machine.History
	over    bool
}

func (g *guarding) Reset() {
	g.sections.reset()
	g.history, g.over = g.history[:0], false
}

func (g *guarding) Record(r machine.Record) *Violation {
	if g.over {
		return nil
	}
	g.history = append(g.history, r)
	v := g.judge.record(&g.sections, g.history, len(g.history)-1)
	g.over = v != nil
	return v
}

// sections is what is known about the critical sections of all locks.
type sections struct {
	objects table[machine.VA]
	locks   []section
}

// section is what is known about one lock and the data that it protects.
type section struct {
	holders []holder // one that is not shared is alone
	value   uint64   // of the data
	wrote   int      // index of the record of the last write; -1 if there was none
	vague   bool     // somebody else wrote since
}

type holder struct {
	client int32
	shared bool
	since  int // index of the record of the acquisition
}

func (s *sections) reset() {
	s.objects.reset()
	s.locks = s.locks[:0]
}

// lock returns what is known about the lock at address object.
func (s *sections) lock(object machine.VA) *section {
	n, fresh := s.objects.find(object)
	switch {
	case fresh && n < cap(s.locks): // keep the slice of holders
		s.locks = s.locks[:n+1]
		s.locks[n] = section{holders: s.locks[n].holders[:0], wrote: -1}
	case fresh:
		s.locks = append(s.locks, section{wrote: -1})
	}
	return &s.locks[n]
}

// note takes record r into account and says which rule it breaks, if any.
func (s *sections) note(h machine.History, r *machine.Record, at int) (rule, message string) {
	switch r.Note {
	case machine.NoteAcquired:
		return s.lock(r.Object).acquire(h, r, at)
	case machine.NoteRelease:
		return s.lock(r.Object).release(r)
	case machine.NoteWrite:
		s.lock(r.Object).write(r, at)
	case machine.NoteRead:
		return s.lock(r.Object).read(h, r)
	}
	return "", ""
}

func (l *section) acquire(h machine.History, r *machine.Record, at int) (rule, message string) {
	shared := r.Arg2&machine.SharedLock != 0
	// Holders are all of one mode, so the first speaks for them.
	if len(l.holders) > 0 && !(shared && l.holders[0].shared) {
		first := l.holders[0]
		return ruleExclusion, fmt.Sprintf("%s acquired lock %#x%s while %s held it%s",
			who(*r), uint64(r.Object), mode(shared), who(h[first.since]), mode(first.shared))
	}
	l.holders = append(l.holders, holder{r.Client, shared, at})
	return "", ""
}

// mode words the difference between the modes of a lock.
func mode(shared bool) string {
	if shared {
		return " shared"
	}
	return ""
}

func (l *section) release(r *machine.Record) (rule, message string) {
	shared := r.Arg2&machine.SharedLock != 0
	i := slices.IndexFunc(l.holders, func(x holder) bool {
		return x.client == r.Client && x.shared == shared
	})
	if i >= 0 {
		l.holders = slices.Delete(l.holders, i, i+1)
		return "", ""
	}
	what := "that it does not hold"
	if l.find(r.Client) != nil {
		what = "that it holds in another mode"
	}
	return ruleRelease, fmt.Sprintf("%s released lock %#x%s %s",
		who(*r), uint64(r.Object), mode(shared), what)
}

// find returns a hold of the client, or nil.
func (l *section) find(client int32) *holder {
	for i := range l.holders {
		if l.holders[i].client == client {
			return &l.holders[i]
		}
	}
	return nil
}

func (l *section) write(r *machine.Record, at int) {
	x := l.find(r.Client)
	l.value, l.wrote, l.vague = r.Arg, at, x == nil || x.shared
}

func (l *section) read(h machine.History, r *machine.Record) (rule, message string) {
	if l.vague || l.value == r.Arg || l.find(r.Client) == nil {
		return "", ""
	}
	value := "nobody had written there"
	if l.wrote >= 0 {
		value = fmt.Sprintf("%s had written %d there", who(h[l.wrote]), l.value)
	}
	return rulePublication, fmt.Sprintf("%s read %d from what lock %#x protects, but %s",
		who(*r), r.Arg, uint64(r.Object), value)
}
