package firmware

import "fmt"

// Model is a hardware model of the paper's section 3: how the memory of the machine
// stands to its two nodes.
type Model string

// The hardware models.
const (
	// Separated: each node has memory of its own, and reaches the other's over the
	// interconnect.
	Separated Model = "separated"
	// Shared: besides its own memory each node has a pool that is remote to both.
	Shared Model = "shared"
	// FullyShared: all memory is local to both nodes.
	FullyShared Model = "fully-shared"
)

// ParseModel reads the name of a model: separated, shared or fully-shared.
func ParseModel(s string) (Model, error) {
	switch m := Model(s); m {
	case Separated, Shared, FullyShared:
		return m, nil
	}
	return "", fmt.Errorf("no hardware model is called %q: use separated, shared or fully-shared", s)
}

// Bounds of the paper's memory maps, in bytes.
const (
	gib       = 1 << 30
	lowSplit  = 3 * gib / 2 // below it the x86-64 node's low memory
	lowEnd    = 3 * gib     // of the AArch64 node's; devices are up to 4 GB
	high      = 4 * gib
	highSplit = 6 * gib
	highEnd   = 8 * gib
)

// Paper returns the physical memory maps of the paper's section 8.1, for the x86-64 node
// and for the AArch64 node, by ascending base. Nil for what is not a [Model].
//
//	               x86-64 node                AArch64 node
//	Separated      RAM 0-1.5, 4-6 GB          RAM 1.5-3, 6-8 GB
//	Shared         RAM 0-1.5, pool 4-8 GB     RAM 1.5-3, pool 4-8 GB
//	Fully Shared   RAM 0-3, 4-8 GB            RAM 0-3, 4-8 GB
//
// GB are of 2^30 bytes. Page 0 and 0xa0000 to 0xfffff are reserved in each map that has
// them, as in trim_bios_range of Linux's arch/x86/kernel/setup.c: there a PC has what
// the BIOS left, video memory and ROM.
//
// Figure 4 puts the AArch64 node's low memory at 0xa0000000, not 0x60000000: QEMU's virt
// machine has its RAM 0x40000000 higher (VIRT_MEM in its hw/arm/virt.c). Here a byte
// has one address on all nodes. The artifact splits the high memory at 5.25 GB; the
// paper, at 6 GB, is what is followed.
func Paper(model Model) (x86, arm []Range) {
	switch model {
	case Separated:
		return append(lowMemory(lowSplit), between(high, highSplit, RAM)),
			[]Range{between(lowSplit, lowEnd, RAM), between(highSplit, highEnd, RAM)}
	case Shared:
		return append(lowMemory(lowSplit), between(high, highEnd, Pool)),
			[]Range{between(lowSplit, lowEnd, RAM), between(high, highEnd, Pool)}
	case FullyShared:
		return append(lowMemory(lowEnd), between(high, highEnd, RAM)),
			append(lowMemory(lowEnd), between(high, highEnd, RAM))
	}
	return nil, nil
}

// lowMemory is RAM from 0 to end with a PC's holes.
func lowMemory(end uint64) []Range {
	const page, video, rest = 0x1000, 0xa0000, 0x100000
	return []Range{
		between(0, page, Reserved), between(page, video, RAM),
		between(video, rest, Reserved), between(rest, end, RAM),
	}
}

func between(base, end uint64, kind Kind) Range { return Range{base, end - base, kind} }

// Models lists the hardware models.
func Models() []Model { return []Model{Separated, Shared, FullyShared} }
