// Package protocol holds cache coherence protocols message by message: controllers that
// exchange messages through channels, and a table of rules for each kind of controller.
// A table is a text, and the single source of its protocol: [System.Model] is what the
// checker of model/transition explores, package machine runs programs on a [System],
// [Protocol.Markdown] prints the tables, and [System.Murphi] writes them out for another
// checker.
//
// # The text
//
// A text is lines; # begins a comment, and a line that begins with white space goes on
// with the one before. This is a protocol of one cache and a memory:
//
//	protocol tiny
//	about Loads only.
//	parameter caches 2 from 1 to 8
//	kind cache many caches
//	kind memory
//	channel up from cache to memory bag 1 per sender
//	channel down to cache fifo 1
//	message Get on up
//	message Data(value: value) on down
//	states cache stable I V
//	states cache transient W
//	variable cache value: value
//	rules cache
//	I on load: send Get to memory -> W
//	W on load: stall
//	W on Data: value := msg.value -> V
//	V on load: hit
//	V on evict: value := 0 -> I
//	states memory stable M
//	variable memory data: value
//	rules memory
//	M on Get: send Data(data) to sender
//
// The lines are:
//
//	protocol NAME
//	about TEXT
//	parameter NAME DEFAULT from MIN to MAX
//	kind NAME [many PARAMETER] [in KIND] [holds LINES]
//	channel NAME [from KIND] to KIND bag|fifo SIZE [per sender] [for block]
//	message NAME[(FIELD: TYPE, …)] on CHANNEL
//	states KIND stable|transient STATE …
//	variable KIND NAME: TYPE
//	event KIND NAME [for block]
//	rules KIND
//	STATE, … on EVENT, … [if CONDITION and …]: ACTION; … [-> STATE]
//
// A kind of controller exists once, or as often as a parameter says ("many caches"), and
// that in each controller of another kind if it is inside one ("many caches in l3"). Each
// controller has a state and its variables for every address. In the first of its states
// it holds nothing; of one that "holds 2" a processor's load or store finds no place there
// while two other lines are in other states.
//
// A variable or a field of a message has one of these types:
//
//	value           what a line holds: a number below the parameter values
//	count           a number from -128 to 127
//	count to 4      one from 0 to 4, or to a parameter
//	cache           a controller of that kind, or none
//	set of cache    a set of them
//	one of a b c    one of the names, of which the first is the initial one
//
// A channel belongs to the controller that receives from it, or, per sender, to the one
// that sends into it. A bag delivers in any order, a fifo in the order of sending; the
// number is how many messages fit for one address, which the rules must not exceed. A fifo
// is one for all addresses, so that the order is kept between them; a bag is one for each
// address.
//
// The messages of a channel that ends in "for block" are about all lines at once: one
// arrives when no line would stall it, and what is done for line 0 sends it. So is an
// event that ends in it.
//
// A rule says for states ("*": all) and events, and perhaps under a condition, what is
// done and which state follows. An event is the arrival of a message; or, of a controller
// that a processor uses, load, store or evict; or one that the kind declares to happen by
// itself ("event memory reclaim"). Of the rules for a state and an event the first whose
// condition holds applies; if there is none, the event is impossible there, and that it
// happens is an error. "stall" leaves the message in the channel, or the processor
// waiting. "hit" performs the load or the store of the processor on the variable named
// value; it has no condition, as the state alone says what a copy is good for.
//
// Conditions and actions, of expressions X and sets S, are
//
//	X = Y   X != Y   X in S   X not in S   S is empty   S is not empty
//	VARIABLE := X   VARIABLE := S   add X to VARIABLE   remove X from VARIABLE
//	clear VARIABLE   send MESSAGE[(X, …)] to KIND   … to X   … to S
//
// where X is a number, a variable, msg.FIELD, sender, self, none, a parameter, a name of
// the type, "count S", or the sum or difference of two; and S is a variable or "all KIND",
// either perhaps "except X". A send to a kind is to the only one, or the one that the
// sender is in; to a set, one message to each of its members.
package protocol

import "strconv"

// Protocol is a protocol as its text says it.
type Protocol struct {
	Name       string
	About      string // what it is and where it comes from
	Parameters []Parameter

	kinds    []*kind
	channels []*channel
	messages []*message
}

// kind is a kind of controller.
type kind struct {
	name   string
	number int
	many   string // the parameter that says how many; empty for one
	in     *kind  // each of which has so many; or nil
	holds  bound  // lines that one holds at most; zero for any number
	states []string
	stable []bool // of states
	vars   []variable
	rows   []row
	events []ownEvent
}

// ownEvent is an event that happens by itself; block says that it does for all lines.
type ownEvent struct {
	name  string
	block bool
}

// typ is the type of a variable or a field.
type typ struct {
	base  base
	of    *kind    // of ids and sets
	to    bound    // of counts that are never negative; or zero
	names []string // of enumerations
}

type base uint8

const (
	baseValue base = iota
	baseCount
	baseID
	baseSet
	baseEnum
)

type variable struct {
	name string
	typ  typ
}

type channel struct {
	name      string
	number    int
	from      *kind // of a channel per sender
	to        *kind
	fifo      bool
	capacity  bound
	messages  []*message
	perSender bool
	block     bool // its messages are about all lines
}

// bound is a number, or the parameter that says it.
type bound struct {
	number int
	name   string
}

// String is the bound as the text says it.
func (b bound) String() string {
	if b.name != "" {
		return b.name
	}
	return strconv.Itoa(b.number)
}

// owner is the kind that the channel belongs to.
func (c *channel) owner() *kind {
	if c.perSender {
		return c.from
	}
	return c.to
}

type message struct {
	name   string
	number int
	in     *channel
	typ    int // within the channel, from 1
	fields []variable
}

// row is a rule.
type row struct {
	line    int
	text    string
	states  []int
	events  []event
	guard   []cond
	actions []action
	how     how
	next    int // state, or -1 to stay
}

type how uint8

const (
	acts how = iota
	stalls
	hits
)

// event is what a rule is about: a message or, if that is nil, what happens by itself.
type event struct {
	msg  *message
	name string
}

// The events of a controller that a processor uses.
const (
	eventLoad  = "load"
	eventStore = "store"
	eventEvict = "evict"
)

// expr is one term, or the sum of two.
type expr []term

type term struct {
	minus bool
	op    termOp
	n     int // a constant; a variable's index; a field's is found by its name
	name  string
	set   *setExpr
}

type termOp uint8

const (
	termConst termOp = iota
	termParam
	termVar
	termField
	termSender
	termSelf
	termCount // of a set
)

// setExpr is a set variable or, if that is negative, all of a kind, perhaps without a member.
type setExpr struct {
	variable int
	of       *kind
	except   expr // nil for nobody
}

type cond struct {
	op   condOp
	not  bool
	a, b expr
	set  *setExpr
}

type condOp uint8

const (
	condEqual condOp = iota
	condIn
	condEmpty
)

type action struct {
	op       actionOp
	variable int
	a        expr // assigned, added or removed
	msg      *message
	args     []expr
	to       *kind    // a controller of which there is one to send to
	id       expr     // or the receiver
	set      *setExpr // or the receivers; or the set assigned
}

type actionOp uint8

const (
	doAssign actionOp = iota
	doAssignSet
	doAdd
	doRemove
	doClear
	doSend
)
