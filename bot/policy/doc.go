// Package policy decides what Backout may do. It is pure: a case in, a
// decision with named reasons out. Every rule can only make the decision more
// careful, and whatever can't be understood counts against acting.
package policy
