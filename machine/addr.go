package machine

// VA is a virtual address: what a thread's loads and stores name.
type VA uint64

// PA is a physical address: what memory, caches and page tables hold. The
// two are different types so that no translation can be forgotten.
type PA uint64
