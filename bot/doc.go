// Package bot is Backout itself: the nouns, the ports, and the flow from an
// incident to a verified revert.
package bot
