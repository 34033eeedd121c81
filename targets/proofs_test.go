package targets_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/targets"
)

var (
	longProofs  = flag.Bool("proofs.long", false, "do the proofs that take minutes, too")
	writeProofs = flag.Bool("proofs.write", false, "write the counts of the proofs that were done to the golden file")
)

// effort is how long a proof takes.
type effort int

const (
	brief effort = iota // also with -short
	usual
	long // with -proofs.long only
	huge // not done: more states than a search keeps, or hours
)

// proof is a target, of a lock unless it has its whole name, with answers to its workload questions; what is not
// pinned is branched over.
type proof struct {
	lock string
	pins string // NAME=NUMBER, separated by commas
	// efforts of 2 threads × 2 acquisitions over all schedules, and of 3 threads ×
	// 1 and × 2 over those with at most 3 preemptions.
	pair, three, threeTwice effort
}

// Where the questions of a target make too many programs for one search, each row
// answers one of them.
var proofs = []proof{
	{"tas", "try=0", brief, brief, usual},
	{"tas", "", brief, usual, long},
	{"ticket", "try=0,before-wrap=1", brief, brief, long},
	{"ticket", "", usual, usual, huge},
	{"mcs", "try=0", brief, usual, long},
	{"mcs", "", usual, long, huge},
	{"qspinlock", "try=0", brief, usual, long},
	{"qspinlock", "", usual, long, huge},
	{"rwlock", "try=0,role=0", brief, brief, long},
	{"rwlock", "try=0,role=1", brief, usual, long},
	{"rwlock", "try=0,role=2", brief, usual, long},
	{"rwlock", "try=0,role=3", brief, usual, long},
	{"rwlock", "try=1,role=0", brief, usual, long},
	{"seqlock", "role=0", usual, brief, long},
	{"seqlock", "role=1", usual, usual, long},
	{"freelist", "blocks=1", usual, long, huge},
	{"order", "back-off=0", brief, usual, long},
	{"order", "back-off=1", usual, long, huge},
	{"irq", "interrupts=0,locks=0", usual, long, huge},
	{"irq", "interrupts=0,locks=1", brief, long, long},
	{"kernel/shootdown", "", usual, long, huge},
}

func (p proof) options(threads, rounds int) fuzz.ExhaustOptions {
	o := fuzz.ExhaustOptions{Workers: 2, Pins: []machine.Pin{{Name: "threads", Value: threads - 2}, {Name: "rounds", Value: rounds - 1}}}
	for _, pin := range strings.Split(p.pins, ",") {
		if name, value, ok := strings.Cut(pin, "="); ok {
			o.Pins = append(o.Pins, machine.Pin{Name: name, Value: int(value[0] - '0')})
		}
	}
	return o
}

const goldenProofs = "testdata/proofs.txt"

// TestProofs proves the locks, and compares how many classes and runs that took.
func TestProofs(t *testing.T) {
	data, err := os.ReadFile(goldenProofs)
	if err != nil && !*writeProofs {
		t.Fatal(err)
	}
	golden := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 7 && !strings.HasPrefix(line, "#") {
			golden[strings.Join(f[:5], " ")] = f[5] + " " + f[6]
		}
	}
	var keys []string
	for _, p := range proofs {
		for _, size := range []struct {
			threads, rounds int
			bound           string
			effort          effort
		}{{2, 2, "all", p.pair}, {3, 1, "3", p.three}, {3, 2, "3", p.threeTwice}} {
			key := fmt.Sprintf("%s %s %d %d %s", p.lock, max(p.pins, "-"), size.threads, size.rounds, size.bound)
			keys = append(keys, key)
			if size.effort == huge || size.effort == long && !*longProofs || size.effort == usual && testing.Short() {
				continue
			}
			o := p.options(size.threads, size.rounds)
			o.Bounded, o.Preemptions = size.bound != "all", 3
			t.Run(key, func(t *testing.T) {
				got := prove(t, p.lock, o)
				if *writeProofs && !t.Failed() {
					golden[key] = got
				} else if got != golden[key] {
					t.Errorf("classes and runs are %s, want %s; -proofs.write writes %s", got, golden[key], goldenProofs)
				}
			})
		}
	}
	if *writeProofs {
		write(t, keys, golden)
	}
}

// prove answers the classes and the runs of a search that finds nothing.
func prove(t *testing.T, lock string, o fuzz.ExhaustOptions) string {
	for _, target := range targets.All() {
		if target.Name != "locks/"+lock && target.Name != lock {
			continue
		}
		x, err := fuzz.Exhaust(target, o)
		if err != nil || !x.Passed() {
			t.Errorf("%s: error %v, finding %v, %s", x.Claim(), err, x.Finding, x.Inconclusive())
		}
		return fmt.Sprintf("%d %d", x.Classes, x.Runs)
	}
	t.Fatalf("no target locks/%s", lock)
	return ""
}

func write(t *testing.T, keys []string, golden map[string]string) {
	var b strings.Builder
	b.WriteString("# lock  pins  threads  acquisitions  preemptions  classes  runs; go test ./targets -run Proofs -proofs.long -proofs.write\n")
	for _, k := range keys {
		if counts, ok := golden[k]; ok {
			b.WriteString(k + " " + counts + "\n")
		}
	}
	if err := os.WriteFile(goldenProofs, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
