// Package command is the grammar of what people type on a pull request. It is
// pure: text in, a command or the reason why it is none out.
// [Grammar] is the way in, [Mentions] a cheap look beforehand.
//
//	/rollback [<target>] [--reason "<text>"] [--dry-run] [--force]
//	/rollback plan [<target>] [--reason "<text>"]
//	/rollback approve [<rollback id>]
//	/rollback cancel [<rollback id>]
//	/rollback status [<rollback id>]
//	/rollback reapply [<target>] [--reason "<text>"], in short /reapply [<target>] …
//	/rollback freeze [--for <time>] [--reason "<text>"]
//	/rollback unfreeze
//	/rollback help
//
//	<target>       a commit (7 to 40 hexadecimal digits) or a pull request (#12);
//	               none means the pull request that the comment stands on
//	<time>         a number and a unit: 90m, 2h, 1h30m, 3d; at most 30 days
//	<rollback id>  rb- and twelve hexadecimal digits, as Backout's comments name it
//
// # What counts as typed
//
// A comment commands only what its author plainly wrote as a command. The body
// is read as GitHub's Markdown, and a line is a command when it starts with
// "/rollback" or "/reapply", after spaces at most, and stands in a paragraph at the top level
// of the comment. Everything else is talk about a command, and stays without
// effect and without an answer:
//
//   - quotes, also those that a mail client or "Quote reply" makes;
//   - code, in a block, in a span, or indented;
//   - HTML comments, and everything between tags that quote, hide or strike out
//     (blockquote, details, pre, code, del, table, lists);
//   - emphasis and strikethrough that began on an earlier line, link texts;
//   - list items and tables, since they enumerate what could be done;
//   - headings written with #. A line that "---" underlines is a heading too, by
//     accident of the mail signature "-- ", and counts;
//   - "\/rollback", the way to write it without meaning it.
//
// rust-lang/bors reads comments in the same manner
// (https://github.com/rust-lang/bors/blob/main/src/bors/command/parser.rs);
// Prow matches lines and so acts on code blocks.
//
// # Direction of error
//
// A comment gives one command. Two that differ, a word too many, a quote that
// is not closed, an invisible character: nothing is done, and [bot.Malformed] says
// what to type instead. The same command twice is one command. What phones make
// of typing is understood: capitals, curly quotes, a dash for "--", a full stop
// at the end. A question mark is not: "/rollback?" asks, it does not order.
// "/rollback --dry-run" is "/rollback plan": who looks at the verb alone never
// acts on a dry run.
package command
