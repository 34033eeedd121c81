package locks

import "github.com/fusedos/stramash/machine"

// SeqLock is a sequence lock: writers exclude each other, and readers write
// nothing but read again if a writer has come between (C. Lameter, "Effective
// synchronization on Linux/NUMA systems", 2005; Linux's include/linux/seqlock.h;
// the orders follow H.-J. Boehm, "Can seqlocks get along with programming
// language memory models?", MSPC 2012).
//
// Acquire, TryAcquire and Release are the writer's, and guard the data words;
// [SeqLock.Read] is the reader's.
//
// Memory: u32 at 0, the writer's lock, a [TAS]; u32 sequence at 4, odd while the
// data is being written; the data, u64 each, from 8.
type SeqLock struct {
	place
	writer TAS
	words  int
}

const (
	seqSequence = 4
	seqData     = 8
)

// NewSeqLock makes a free lock with the given number of data words, which are
// zero, in the set-up.
func NewSeqLock(m *machine.Machine, h Home, words int) *SeqLock {
	p := h.settle(m, uint64(seqData+8*words), "seqlock")
	return &SeqLock{p, TAS{p}, words}
}

// Words is the number of data words.
func (l *SeqLock) Words() int { return l.words }

// Word is the address of data word i, counted from 0.
func (l *SeqLock) Word(i int) machine.VA { return l.at + seqData + machine.VA(8*i) }

// Acquire waits until no other writer holds the lock and turns readers away.
func (l *SeqLock) Acquire(t *machine.Thread) {
	l.writer.Acquire(t)
	l.begin(t)
}

// TryAcquire is Acquire if no other writer holds the lock, and answers whether
// it was.
func (l *SeqLock) TryAcquire(t *machine.Thread) bool {
	ok := l.writer.TryAcquire(t)
	if ok {
		l.begin(t)
	}
	return ok
}

// begin makes the sequence odd. The fence, which pairs with that of ReadRetry, keeps
// the writes to the data behind it, which a release would not: else a reader sees
// some of them under the old sequence (smp_wmb in Linux's write_seqcount_begin).
func (l *SeqLock) begin(t *machine.Thread) {
	sequence := uint64(t.Load32(l.at + seqSequence))
	t.Store(l.at+seqSequence, machine.Size32, sequence+1, machine.Relaxed)
	t.Fence(machine.StoreFence)
}

// Release makes the sequence even again and lets others write. Its store releases
// the data, for ReadBegin: else a reader sees old data under the new sequence (smp_wmb
// in Linux's write_seqcount_end).
func (l *SeqLock) Release(t *machine.Thread) {
	sequence := t.Load32(l.at + seqSequence)
	t.Store(l.at+seqSequence, machine.Size32, uint64(sequence+1), machine.Release)
	l.writer.Release(t)
}

// Write writes all data words at once. It takes as many values as there are.
func (l *SeqLock) Write(t *machine.Thread, values ...uint64) {
	l.Acquire(t)
	for i, v := range values[:l.words] {
		t.Store64(l.Word(i), v)
	}
	l.Release(t)
}

// ReadBegin waits while a writer is active, and answers the sequence for
// ReadRetry. It acquires what the last writer released: else it reads old data under
// the new sequence (smp_rmb in Linux's read_seqcount_begin).
func (l *SeqLock) ReadBegin(t *machine.Thread) (sequence uint32) {
	return uint32(until(t, l.at+seqSequence, machine.Size32, 1, 0, machine.AcquirePC))
}

// ReadRetry answers whether a writer came since ReadBegin, so that what was read
// must be read again. The fence, which pairs with that of begin, keeps the reads of
// the data before it: else they see a writer's data, and the sequence is the one
// before it (smp_rmb in Linux's read_seqcount_retry).
func (l *SeqLock) ReadRetry(t *machine.Thread, sequence uint32) bool {
	t.Fence(machine.LoadFence)
	return uint32(t.Load(l.at+seqSequence, machine.Size32, machine.Relaxed)) != sequence
}

// Read reads all data words as one writer left them, into dst, which must have
// room for them. It waits for writers, but does not keep them waiting.
func (l *SeqLock) Read(t *machine.Thread, dst []uint64) {
	for {
		sequence := l.ReadBegin(t)
		for i := range dst[:l.words] {
			dst[i] = t.Load(l.Word(i), machine.Size64, machine.Relaxed) // it may race with a writer
		}
		if !l.ReadRetry(t, sequence) {
			return
		}
	}
}
