package machine

import (
	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine/firmware"
	"github.com/fusedos/stramash/machine/order"
)

// PaperPlatform is the paper's platform of a hardware model (section 3): a node with
// one x86-64 CPU, a Xeon Gold, beside a node with one AArch64 CPU, a ThunderX2, which
// learn from their firmware what memory they have. Of Shared, what a node has beside
// the pool is private; of Fully Shared, the one L3 is as large as those of both nodes.
func PaperPlatform(model firmware.Model) Platform {
	p := Pair()
	p.Hardware = PaperHardware(p)
	if p.Hardware.SharedL3 = model == firmware.FullyShared; p.Hardware.SharedL3 {
		c := coherence.Config{Nodes: p.Hardware.Nodes}
		p.Hardware.Nodes = c.WithL3(2 * c.Nodes[0].L3.Size).Nodes
	}
	x86, arm := firmware.Paper(model)
	for i, ranges := range [][]firmware.Range{x86, arm} {
		encode := firmware.EncodeTree
		if p.Nodes[i].ISA.Rules == order.X86 {
			encode = firmware.EncodeE820
		}
		table, err := encode(ranges)
		if err != nil {
			panic("machine: the paper's own memory map: " + err.Error())
		}
		p.Nodes[i].Table, p.Nodes[i].Private = table, model == firmware.Shared
	}
	return p
}
