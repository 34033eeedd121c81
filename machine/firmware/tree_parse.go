package firmware

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// maxDepth is how deep nodes may nest, the root being 1.
const maxDepth = 64

// The properties that are read; of others only the form is checked.
const (
	propAddressCells = iota
	propSizeCells
	propReg
	propDeviceType
	propStatus
	propRanges
	propPool
	numProps
)

var propNames = [numProps]string{
	"#address-cells", "#size-cells", "reg", "device_type", "status", "ranges", "stramash,pool",
}

// treeNode is a node that is being read; a property that it lacks is nil.
type treeNode struct {
	name     string
	props    [numProps][]byte
	children bool // one has begun: no property may follow
}

// treeReader walks the structure block once, with the nodes that are open on a stack.
type treeReader struct {
	blocks
	at   int // in the structure block
	open []treeNode
	list []placed
}

// ParseTree reads a flattened device tree and returns its ranges by ascending base;
// Reserved ranges that overlap are one, and [Usable] takes them from RAM and Pool.
// Nodes and properties that say nothing of memory are passed over.
//
// Its errors name the offset or the node: a magic number or version that is not of
// this format, blocks that the file does not hold or that overlap, strings
// without end, nodes nested deeper than 64 or not closed, a memory node without
// device_type or reg, cells other than 1 or 2, reservations without a fixed place, and
// those of [EncodeE820].
func ParseTree(b []byte) ([]Range, error) {
	parts, err := split(b)
	if err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	r := &treeReader{blocks: parts, list: parts.reserved}
	if err := r.walk(); err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	ranges, err := canonical(r.list)
	if err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	return ranges, nil
}

// fail returns an error that names the offset in the file of the place at in the
// structure block, and the open node.
func (r *treeReader) fail(at int, format string, args ...any) error {
	return fmt.Errorf("offset %#x in %s: %s", r.structureAt+at, r.path(), fmt.Sprintf(format, args...))
}

// path names the innermost open node; a long one is cut, as an error is a line.
func (r *treeReader) path() string {
	if len(r.open) < 2 {
		return "/"
	}
	var b strings.Builder
	for _, n := range r.open[1:] {
		b.WriteString("/" + n.name)
	}
	if s := b.String(); len(s) > 2*maxName {
		return "…" + s[len(s)-2*maxName:]
	}
	return b.String()
}

// cell reads 32 bits; what says what they are.
func (r *treeReader) cell(what string) (uint32, error) {
	if len(r.structure)-r.at < 4 {
		return 0, r.fail(r.at, "the structure block ends before %s: correct its size, or end it with FDT_END", what)
	}
	v := binary.BigEndian.Uint32(r.structure[r.at:])
	r.at += 4
	return v, nil
}

// skip passes over n bytes and the padding behind them.
func (r *treeReader) skip(n int, what string) error {
	padded := (n + 3) &^ 3
	if padded > len(r.structure)-r.at {
		return r.fail(r.at, "the structure block ends in %s: correct its length", what)
	}
	r.at += padded
	return nil
}

func (r *treeReader) walk() error {
	closed := false // the root is
	for {
		at := r.at
		token, err := r.cell("the next token")
		if err != nil {
			return err
		}
		switch {
		case token == tokenNop:
		case token == tokenEnd && closed && r.at == len(r.structure):
			return nil
		case token == tokenEnd && closed:
			return r.fail(at, "%d bytes follow FDT_END: correct the size of the structure block", len(r.structure)-r.at)
		case token == tokenEnd:
			return r.fail(at, "FDT_END while a node is open: close it with FDT_END_NODE")
		case closed:
			return r.fail(at, "token %#x behind the root: end the tree with FDT_END", token)
		case token == tokenBeginNode:
			err = r.begin(at)
		case len(r.open) == 0:
			return r.fail(at, "token %#x before the root: begin with FDT_BEGIN_NODE", token)
		case token == tokenProp:
			err = r.prop(at)
		case token == tokenEndNode:
			err = r.finish()
			r.open = r.open[:len(r.open)-1]
			closed = len(r.open) == 0
		default:
			return r.fail(at, "there is no token %#x: use 1, 2, 3, 4 or 9", token)
		}
		if err != nil {
			return err
		}
	}
}

func (r *treeReader) begin(at int) error {
	if len(r.open) == maxDepth {
		return r.fail(at, "nodes nest deeper than %d: make the tree flatter", maxDepth)
	}
	name, err := text(r.structure[r.at:])
	if err != nil {
		return r.fail(r.at, "%v", err)
	}
	if len(r.open) == 0 {
		if name != "" {
			return r.fail(r.at, "the root is called %q: leave its name empty", name)
		}
	} else if err := checkNodeName(name); err != nil {
		return r.fail(r.at, "%v", err)
	}
	if err := r.skip(len(name)+1, "a name"); err != nil {
		return err
	}
	if n := len(r.open); n > 0 {
		r.open[n-1].children = true
	}
	r.open = append(r.open, treeNode{name: name})
	return nil
}

func (r *treeReader) prop(at int) error {
	node := &r.open[len(r.open)-1]
	size, err := r.cell("a property's length")
	if err != nil {
		return err
	}
	nameAt, err := r.cell("a property's name")
	if err != nil {
		return err
	}
	if uint64(nameAt) >= uint64(len(r.strings)) {
		return r.fail(at, "a property's name is at %#x of the strings block, which has %#x bytes: correct one of them", nameAt, len(r.strings))
	}
	name, err := text(r.strings[nameAt:])
	if err != nil {
		return r.fail(at, "at %#x of the strings block: %v", nameAt, err)
	}
	if node.children {
		return r.fail(at, "property %q behind a child: put properties first", name)
	}
	if uint64(size) > uint64(len(r.structure)-r.at) {
		return r.fail(at, "property %q has %d bytes, more than are left of the structure block: correct its length", name, size)
	}
	value := r.structure[r.at : r.at+int(size)]
	if i := slices.Index(propNames[:], name); i >= 0 {
		if node.props[i] != nil {
			return r.fail(at, "a second property %q: leave one of them", name)
		}
		node.props[i] = value
	}
	return r.skip(int(size), "a property")
}
