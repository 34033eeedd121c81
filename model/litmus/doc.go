// Package litmus reads and writes litmus tests in herd's format, for x86-64, for
// AArch64, and for machines that have both, and lowers them to programs that the
// engines of model/memory run. (The format: J. Alglave, L. Maranget, M.
// Tautschnig, "Herding cats", TOPLAS 36(2), 2014, and herdtools7's manual.)
package litmus
