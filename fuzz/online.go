package fuzz

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// onlineRecords is how long a history gets before judges watch the rest of the
// run as it goes, and end it at the record that breaks it. Short runs are judged
// when they are over, once for all that record the same.
const onlineRecords = 1024

// online is the judges that watch a long run.
type online struct {
	sessions []checkers.Session
	records  int // of this run
}

func newOnline(judges []checkers.Judge) (o online) {
	for _, j := range judges {
		if j, ok := j.(checkers.Online); ok {
			o.sessions = append(o.sessions, j.Watch())
		}
	}
	return o
}

// recorded is told of each record of a run.
func (r *runner) recorded(rec *machine.Record) {
	o := &r.online
	o.records++
	switch {
	case o.records < onlineRecords:
	case o.records == onlineRecords:
		for _, s := range o.sessions {
			s.Reset()
		}
		for _, rec := range r.machine.History() {
			o.watch(r.machine, rec)
		}
	default:
		o.watch(r.machine, *rec)
	}
}

// watch ends the run if a record breaks it.
func (o *online) watch(m *machine.Machine, rec machine.Record) {
	for _, s := range o.sessions {
		if v := s.Record(rec); v != nil {
			m.Stop(v.Message)
		}
	}
}
