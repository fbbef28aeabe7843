// Package condition judges the guards that owners write themselves, in CEL
// (https://cel.dev), over a typed view of what a revert changes. Pure: a case
// in, raised or not and why out.
//
// An expression is compiled once, when the policy is loaded, against [Schema]:
// a name that is not in it is an error with its position then, not a guard that
// never speaks at night. It must be true or false.
//
// Whatever goes wrong later raises the guard, and says what went wrong: a value
// that is missing, an object that can't be read, a change too large to judge, an
// expression that takes too long, a panic.
//
// # Bounds
//
// Who may write a policy file must not be able to stop the bot. The view is
// bounded in bytes and values, and an evaluation in CEL's cost and in time. CEL
// bounds neither how large the values are that an expression builds nor what a
// comparison of two such values costs, so expressions may not build lists of
// lists, nor maps, nor add lists (shape.go); lists of plain values and the macros
// all, exists, exists_one, filter and map remain. For the same reason none of
// CEL's extension libraries is there.
package condition
