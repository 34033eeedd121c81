// Package fuzz finds runs that violate what a target promises, makes them
// small, and writes them down so that they can be run again.
package fuzz
