// Package firmware holds the tables by which each group of CPUs learns which
// memory is its own, as the firmware of a real machine hands them over: an e820
// map for x86-64 ([EncodeE820], [ParseE820]) and a flattened device tree for
// AArch64 ([EncodeTree], [ParseTree]). Both say the same: a list of [Range].
// [Paper] gives the lists of the paper's hardware models, and [Usable] what is
// left of a list for the CPUs to use.
//
// # Formats
//
// The e820 map is the array of the Linux boot protocol (struct boot_e820_entry in
// arch/x86/include/uapi/asm/setup_data.h, at most E820_MAX_ENTRIES_ZEROPAGE of them
// in struct boot_params): address and size of 64 bits and a type of 32, packed,
// little-endian. Type 1 is RAM; 2 reserved, 3 ACPI tables, 4 ACPI
// non-volatile storage, 5 unusable and 7 persistent memory are Reserved; 0xefffffff,
// Linux's own "soft reserved" (enum e820_type in arch/x86/include/asm/e820/types.h),
// is Pool: memory set apart for a special purpose, which is how Linux marks
// the memory of a CXL expander that it must not take for its own.
//
// The device tree is the one of the Devicetree Specification v0.4: its chapter 5 for
// the format, 3.4 for memory nodes and 3.5 for /reserved-memory. RAM is a child
// of the root with device_type "memory"; Pool is the same with the empty property
// "stramash,pool", which is ours; Reserved is the memory reservation block
// and the children of /reserved-memory. A memory node or a reservation whose status is
// neither "okay" nor "ok" does not count, as in Linux (drivers/of/fdt.c).
//
// # Strictness
//
// A table comes from a file, so what it says is checked before it is believed: the
// parsers read at most [MaxBytes], in time and memory proportional to the
// input, and what is wrong is an error of one line that says what, where, and how to
// mend it. A list that parses is encoded to a table that parses to the same list.
package firmware
