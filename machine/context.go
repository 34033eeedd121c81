package machine

import "strconv"

// context is something that takes decisions in an order of its own: the
// set-up, a thread, or one activation of a handler.
type context struct {
	name    ContextName
	index   uint32              // events so far
	visits  [choiceKinds]uint16 // questions since the last event, by kind of choice
	hash    uint64              // of its events and all that they depend on
	busy    bool                // visits or pending are not empty
	irq     bool                // it is part of handling an interrupt
	num     int32
	spawned uint32
	path    string
	parent  *context // whom a handler interrupted
	frame   Frame    // of a handler
	wait    waiting  // of its Await
	stall   waiting  // for its CPU's store buffer
	late    bool     // it stalls since a handler held something back
	said    said
	pending []Record // to be recorded when its next operation is executed
}

// said is what a context has said of its next access, and what the value of its last
// read depends on; see Thread.Address and Thread.Read.
type said struct {
	addr, data, read Dep
	silent           bool
}

const setupPath = "s"

var setupName = NameOf(setupPath)

func (m *Machine) newContext(path string, name ContextName, parent *context) *context {
	if m.nctx == len(m.contexts) {
		m.contexts = append(m.contexts, new(context))
	}
	c := m.contexts[m.nctx]
	c.path, c.name, c.parent = path, name, parent
	c.index, c.visits, c.hash, c.busy = 0, [choiceKinds]uint16{}, uint64(name), false
	c.irq, c.spawned, c.pending = false, 0, c.pending[:0]
	c.said, c.late = said{}, false
	c.num = int32(m.nctx)
	m.nctx++
	return c
}

// advance moves on to the next place.
func (c *context) advance() {
	c.index++
	c.visits = [choiceKinds]uint16{}
}

// paths of the first contexts, so that a run need not compute them.
var (
	rootPaths, idlePaths, bufferPaths = pathTable("t"), pathTable("i"), pathTable("b")
	tlbPaths, cachePaths              = pathTable("m"), pathTable("c")
	homePath                          = namedPath{"c", NameOf("c")}
)

type namedPath struct {
	path string
	name ContextName
}

func pathTable(prefix string) (table [MaxCPUs]namedPath) {
	for i := range table {
		p := prefix + strconv.Itoa(i)
		table[i] = namedPath{p, NameOf(p)}
	}
	return table
}

// spawnPath names the next thread that a context spawns.
func (c *context) spawnPath() string {
	p := c.path + "." + strconv.Itoa(int(c.spawned))
	c.spawned++
	return p
}

// handlerPath names the next activation by where it interrupts c.
func (c *context) handlerPath(v Vector) string {
	b := append(make([]byte, 0, 32), c.path...)
	b = append(b, '@')
	b = strconv.AppendUint(b, uint64(c.index), 10)
	if n := c.visits[activations]; n > 0 {
		b = append(b, '+')
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	c.visits[activations]++
	c.busy = true
	b = append(b, 'v')
	return string(strconv.AppendUint(b, uint64(v), 10))
}

// activations is the slot of context.visits that counts handlers entered;
// no kind of choice has it.
const activations = 0
