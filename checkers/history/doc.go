// Package history reads histories that were recorded elsewhere, so that they
// can be judged: what the clients of a database, a queue or a lock service did.
// [Parse] takes one of three forms.
//
// # JSON lines
//
// One JSON object a line, in the order of time; blank lines are skipped. The
// first line names the model, which is one of the specifications of package
// spec (register, cas register, counter, kv, queue, stack, set, mutex, rwlock …):
//
//	{"model":"queue"}
//	{"client":1,"event":"call","object":"q","op":"enqueue","value":7}
//	{"client":2,"event":"call","object":"q","op":"dequeue"}
//	{"client":1,"event":"return"}
//	{"client":2,"event":"return","value":7,"ok":true}
//
// A client is a number and has one operation in progress at most. Its events are
//
//	call    it invokes an operation
//	return  the operation answered
//	fail    the operation is known not to have taken effect: it is left out
//	info    nobody knows whether it has taken effect, or will: the client is
//	        done, and whoever goes on in its place needs a new number
//
// An operation whose call is never answered counts as one with info. The fields
//
//	op      of a call: the operation. Case, hyphens, blanks and underscores do
//	        not matter: trylock, TryLock and try_lock are the same.
//	object  of a call: which object, by name, if there are several
//	key     of a call on a kv: the key; each key is an object of its own
//	value   of a call: its argument, or the list of its two, as in [4, 2] for a
//	        compare-and-set from 4 to 2. Of a return: the answer, if it has one.
//	ok      of a return: false if the operation refused (a try-lock of a lock
//	        that is held, a dequeue from an empty queue); true if left out
//
// Values are numbers from 0 to 2⁶⁴-1, those of a kv strings. At first, a cas
// register is unset, the text of a key empty, a lock free and a queue empty. What
// a register, a counter or a semaphore begins with is zero unless field initial of
// the first line says otherwise, as in {"model":"semaphore","initial":3}.
//
// # Logs of Jepsen
//
// Lines such as these, of clients of one register ([spec.CASRegister]), as
// K. Kingsbury's Jepsen logged them in its tests of etcd (2014):
//
//	INFO  jepsen.util - 0  :invoke :cas  [4 2]
//	INFO  jepsen.util - 0  :ok     :cas  [4 2]
//
// and maps in Jepsen's notation edn, with the operations :read, :write and :cas
// of such a register, or :get, :put and :append of a store ([spec.KV]):
//
//	{:process 0, :type :invoke, :f :get, :key "x", :value nil}
//	{:process 0, :type :ok, :f :get, :key "x", :value "1"}
//
// The types are :invoke (a call), :ok (a return), :fail and :info (see above).
// A :cas that comes back as :fail with its own pair was refused; any other
// operation that fails was left undone. Lines of the process :nemesis and the
// fields :time, :index and :error are no part of the history; an :error on a
// failed :cas says that it was left undone rather than refused.
//
// # Limits
//
// A line has at most 1 MiB, a history at most 2,097,152 events and 64 MiB of
// different strings. What is malformed or contradicts itself is an [Error],
// which names the line and how to mend it.
package history
