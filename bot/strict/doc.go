// Package strict looks at YAML documents that people write, before they are
// decoded into structs: a key that is not known, a key that stands twice and a
// value of the wrong form are each found, all at once, with the line and with
// what was probably meant. The decoder alone would name neither.
package strict
