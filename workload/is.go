package workload

// is ranks integer keys by counting sort (NAS-95-020, section 2.5), with the
// buckets that the reference has unless told otherwise.
var is = Kernel{
	Name: "IS", About: "integer sort: ranks of random keys, with random writes of 4 bytes",
	sizes: func(c Class) []uint64 {
		p := isClasses[c]
		return []uint64{4 << p.keys, 4 << p.keys, 4 << p.span, 4 << p.buckets, 4 << p.buckets}
	},
	run: func(e *execution, c Class) bool { return newIS(e, c).run() },
}

// isClass is a class of IS.
type isClass struct {
	keys, span, buckets uint // the logarithms of their numbers
	// Where the keys are whose ranks are checked, and what their ranks are, but
	// for the iteration number; see isWant.
	index [isTests]uint32
	rank  [isTests]int
}

const (
	isTests      = 5
	isIterations = 10
)

var isClasses = map[Class]isClass{
	S: {16, 11, 9, [isTests]uint32{48427, 17148, 23627, 62548, 4431}, [isTests]int{0, 18, 346, 64917, 65463}},
	W: {20, 16, 10, [isTests]uint32{357773, 934767, 875723, 898999, 404505}, [isTests]int{1249, 11698, 1039987, 1043896, 1048018}},
	A: {23, 19, 10, [isTests]uint32{2112377, 662041, 5336171, 3642833, 4250760}, [isTests]int{104, 17523, 123928, 8288932, 8388264}},
}

// isWant is the rank of test key i in an iteration: each iteration puts two other
// keys in, which moves those of the small keys up and those of the big ones down.
func isWant(c Class, p *isClass, i, iteration int) int {
	switch {
	case c == W && i < 2:
		return p.rank[i] + iteration - 2
	case c == W:
		return p.rank[i] - iteration
	case c == A:
		iteration--
	}
	if i <= 2 {
		return p.rank[i] + iteration
	}
	return p.rank[i] - iteration
}

// isRun is IS with its arrays.
type isRun struct {
	*execution
	class Class
	p     isClass

	keys    Uint32s // as they were generated
	sorted  Uint32s // by bucket
	counts  Uint32s // of each key; then of the keys up to it
	sizes   Uint32s // of the buckets
	cursors Uint32s // where the next key of a bucket goes; then where the bucket ends
}

func newIS(e *execution, c Class) *isRun {
	return &isRun{e, c, isClasses[c], e.ints(0), e.ints(1), e.ints(2), e.ints(3), e.ints(4)}
}

func (r *isRun) run() bool {
	r.generate()
	r.rank(1, false) // untimed: touches all
	r.start()
	for i := 1; i <= isIterations; i++ {
		r.edge()
		r.rank(i, true)
		r.edge()
	}
	r.stop()
	r.verify()
	return r.result.Checks == isTests*isIterations+1
}

// generate makes the keys: each the mean of four random numbers.
func (r *isRun) generate() {
	x, k := seed, float64(uint64(1)<<r.p.span/4)
	for i := range 1 << r.p.keys {
		sum := x.next()
		sum += x.next()
		sum += x.next()
		sum += x.next()
		r.keys.Set(r.t, i, uint32(k*sum))
	}
}

// Instructions of IS that touch no memory, for each element of a loop: its index,
// its end and its branch, and what is said.
const (
	isLoop    = 3
	isCount   = isLoop + 2 // the shift to the bucket, the increment
	isScatter = isLoop + 3 // and the copy of the cursor
)

// rank finds how many keys are not above each key, after it has put in two keys of
// the iteration's own, and checks some if told to.
func (r *isRun) rank(iteration int, check bool) {
	t, p := r.t, &r.p
	r.keys.Set(t, iteration, uint32(iteration))
	r.keys.Set(t, iteration+isIterations, uint32(1<<p.span-iteration))
	var tested [isTests]uint32
	for i, at := range p.index {
		tested[i] = r.keys.At(t, int(at))
	}
	r.sortByBucket()
	r.count()
	if !check {
		return
	}
	for i, k := range tested {
		if k == 0 || k >= 1<<p.span {
			continue // no key of this range: the check is missing in the end
		}
		got, want := int(r.counts.At(t, int(k)-1)), isWant(r.class, p, i, iteration)
		r.check(got == want, "iteration %d: the rank of test key %d is %d, official %d", iteration, i, got, want)
	}
}

// sortByBucket copies the keys, those of the lowest bucket first.
func (r *isRun) sortByBucket() {
	t, n, buckets := r.t, 1<<r.p.keys, 1<<r.p.buckets
	shift := r.p.span - r.p.buckets
	for i := range buckets {
		r.sizes.Set(t, i, 0)
	}
	for i := range n {
		b := int(r.keys.At(t, i) >> shift)
		r.sizes.Set(t, b, r.sizes.At(t, b)+1)
	}
	compute(t, buckets*isLoop+n*isCount)
	at := uint32(0)
	r.cursors.Set(t, 0, 0)
	for i := 1; i < buckets; i++ {
		at += r.sizes.At(t, i-1)
		r.cursors.Set(t, i, at)
	}
	for i := range n {
		k := r.keys.At(t, i)
		b := int(k >> shift)
		at := r.cursors.At(t, b)
		r.cursors.Set(t, b, at+1)
		r.sorted.Set(t, int(at), k)
	}
	compute(t, buckets*(isLoop+1)+n*isScatter)
}

// count counts the keys, and adds the counts up.
func (r *isRun) count() {
	t, n, keys := r.t, 1<<r.p.keys, 1<<r.p.span
	for i := range keys {
		r.counts.Set(t, i, 0)
	}
	for i := range n {
		k := int(r.sorted.At(t, i))
		r.counts.Set(t, k, r.counts.At(t, k)+1)
	}
	sum := r.counts.At(t, 0)
	for i := 1; i < keys; i++ {
		sum += r.counts.At(t, i)
		r.counts.Set(t, i, sum)
	}
	compute(t, keys*isLoop+n*(isLoop+1)+keys*(isLoop+1))
}

// verify puts every key where its rank says, and checks that the keys are in
// order.
func (r *isRun) verify() {
	t, n := r.t, 1<<r.p.keys
	for i := range n {
		k := r.sorted.At(t, i)
		at := r.counts.At(t, int(k)) - 1
		r.counts.Set(t, int(k), at)
		r.keys.Set(t, int(at), k)
	}
	wrong := 0
	for i := 1; i < n; i++ {
		if r.keys.At(t, i-1) > r.keys.At(t, i) {
			wrong++
		}
	}
	r.check(wrong == 0, "%d keys are out of order, official 0", wrong)
}
