package command

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
)

// maxReason is the longest reason, in characters: it goes into a commit
// message and a comment.
const maxReason = 500

// usage is the form of the main command, for hints.
const usage = `/rollback [<commit> | #<pull request>] [--reason "<text>"] [--dry-run]`

var (
	shaForm      = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	numberForm   = regexp.MustCompile(`^#([1-9][0-9]{0,9})$`)
	rollbackForm = regexp.MustCompile(`^rb-[0-9a-f]{12}$`)
)

// verbs are the words that may follow "/rollback".
func verbs() []string {
	var out []string
	for _, v := range []bot.CommandVerb{bot.CommandPlan, bot.CommandApprove, bot.CommandCancel, bot.CommandStatus, bot.CommandHelp} {
		out = append(out, string(v))
	}
	return out
}

// parseLine reads one line that opens with our word.
func parseLine(line string) (bot.Command, *fault) {
	for _, r := range line {
		if invisible(r) {
			return bot.Command{}, malformed("Type the command by hand instead of pasting it.",
				"The command holds an invisible character (U+%04X).", r)
		}
	}
	words, closed := split(line)
	if !closed {
		return bot.Command{}, malformed("Write `--reason \"like this\"`.", "A quotation mark in the command is opened and not closed.")
	}
	p := parser{line: line, words: words[1:], cmd: bot.Command{Verb: bot.CommandRollback, Line: line}}
	asks := p.trimEnd(words)
	p.verb()
	if asks && slices.Contains([]bot.CommandVerb{bot.CommandRollback, bot.CommandApprove, bot.CommandCancel}, p.cmd.Verb) {
		return bot.Command{}, malformed("Leave the question mark out to order it, or ask with `/rollback plan`.",
			"The command ends with a question mark.")
	}
	return p.arguments()
}

// parser holds a line while it is read.
type parser struct {
	line  string
	words []word // those not read yet
	cmd   bot.Command
	seen  struct{ reason, dryRun bool }
}

// trimEnd cuts punctuation after the last word and reports whether it asks a
// question. Words of a reason keep theirs, since a reason is cut from the line.
func (p *parser) trimEnd(all []word) (asks bool) {
	last := &all[len(all)-1]
	if last.quoted {
		return false
	}
	for _, w := range p.words {
		if name, _, _ := flag(w); name == "reason" {
			return false
		}
	}
	text := trimStop(last.text)
	asks = strings.Contains(last.text[len(text):], "?")
	if text != "" || len(p.words) == 0 {
		last.text = text
		return asks
	}
	p.words = p.words[:len(p.words)-1] // it was punctuation only
	return asks
}

// verb reads the verb if there is one.
func (p *parser) verb() {
	if len(p.words) == 0 || p.words[0].quoted {
		return
	}
	v := strings.ToLower(p.words[0].text)
	if slices.Contains(verbs(), v) {
		p.cmd.Verb, p.words = bot.CommandVerb(v), p.words[1:]
	}
}

// arguments reads all that follows the verb.
func (p *parser) arguments() (bot.Command, *fault) {
	switch p.cmd.Verb {
	case bot.CommandHelp:
		return p.cmd, nil // whoever asks for help gets it, whatever follows
	case bot.CommandApprove, bot.CommandCancel, bot.CommandStatus:
		if len(p.words) > 0 && !p.isFlag(p.words[0]) {
			id := strings.ToLower(p.words[0].text)
			if !rollbackForm.MatchString(id) {
				return bot.Command{}, malformed("Rollback IDs look like `rb-0123456789ab`; without one, the Rollback of this pull request is meant.",
					"%s is not the ID of a Rollback.", quote(p.words[0].text))
			}
			p.cmd.Rollback, p.words = bot.RollbackID(id), p.words[1:]
		}
		if len(p.words) > 0 {
			return bot.Command{}, malformed("Leave out what follows.", "`/rollback %s` does not take %s.", p.cmd.Verb, quote(p.words[0].text))
		}
		return p.cmd, nil
	}
	for len(p.words) > 0 {
		w := p.words[0]
		p.words = p.words[1:]
		var m *fault
		if p.isFlag(w) {
			m = p.flag(w)
		} else {
			m = p.target(w)
		}
		if m != nil {
			return bot.Command{}, m
		}
	}
	if p.seen.dryRun {
		p.cmd.Verb = bot.CommandPlan
	}
	p.cmd.DryRun = p.cmd.Verb == bot.CommandPlan
	return p.cmd, nil
}

// flag splits "--name=value". A dash by which a phone replaced "--" counts.
func flag(w word) (name, value string, hasValue bool) {
	if w.quoted {
		return "", "", false
	}
	for _, dashes := range []string{"--", "—", "–"} {
		if rest, ok := strings.CutPrefix(w.text, dashes); ok {
			name, value, hasValue = strings.Cut(rest, "=")
			return strings.ToLower(name), value, hasValue
		}
	}
	return "", "", false
}

// isFlag reports whether a word is a flag, known or not. A dash alone is not:
// it may stand in a reason.
func (p *parser) isFlag(w word) bool {
	name, _, _ := flag(w)
	return name != ""
}

// flag reads one flag and its value.
func (p *parser) flag(w word) *fault {
	name, _, hasValue := flag(w)
	switch {
	case name == "dry-run" && hasValue:
		return malformed("Write `--dry-run` alone, or leave it out.", "`--dry-run` takes no value.")
	case name == "dry-run" && p.seen.dryRun, name == "reason" && p.seen.reason:
		return malformed("Give it once.", "`--%s` is given twice.", name)
	case name == "dry-run":
		p.seen.dryRun = true
		return nil
	case name == "reason":
		p.seen.reason = true
		return p.reason(w)
	}
	if near := nearest(name, []string{"reason", "dry-run"}); near != "" {
		return malformed(fmt.Sprintf("Did you mean `--%s`?", near), "%s is not a flag of this command.", quote(w.text))
	}
	return malformed("The flags are `--reason` and `--dry-run`.", "%s is not a flag of this command.", quote(w.text))
}

// reason reads the value of --reason: one quoted word, or the words as they
// stand up to the next flag. Unquoted, it must not swallow what could be a
// target: the wrong change would be taken back.
func (p *parser) reason(w word) *fault {
	_, text, hasValue := flag(w)
	from, to := w.end, w.end
	quoted := false
	switch {
	case hasValue:
		from = w.start + strings.IndexByte(p.line[w.start:], '=') + 1
		r, _ := utf8.DecodeRuneInString(p.line[from:])
		quoted = from < len(p.line) && r != '`' && closers(r) != ""
	case len(p.words) > 0 && p.words[0].quoted:
		text, quoted = p.words[0].text, true
		p.words = p.words[1:]
	}
	if !quoted {
		for len(p.words) > 0 && !p.isFlag(p.words[0]) {
			next := p.words[0]
			if t := strings.ToLower(trimStop(next.text)); !p.aimed() && (numberForm.MatchString(t) || shaForm.MatchString(t)) {
				return malformed("Put the reason in quotation marks: `--reason \"<text>\"`.",
					"It is not clear whether %s belongs to the reason or says what to take back.", quote(next.text))
			}
			to = next.end
			p.words = p.words[1:]
		}
		text = p.line[from:to]
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return malformed("Write `--reason \"<text>\"`.", "`--reason` is given without a text.")
	case utf8.RuneCountInString(text) > maxReason:
		return malformed("Say the rest in a comment of its own.", "The reason is longer than %d characters.", maxReason)
	}
	p.cmd.Reason = text
	return nil
}

// aimed reports whether a target was named.
func (p *parser) aimed() bool { return p.cmd.SHA != "" || p.cmd.PR != 0 }

// target reads a commit or a pull request.
func (p *parser) target(w word) *fault {
	text := strings.ToLower(strings.TrimRight(w.text, ".,;:!"))
	var sha string
	var pr int
	if m := numberForm.FindStringSubmatch(text); m != nil {
		pr, _ = strconv.Atoi(m[1]) // ten digits at most
	} else if shaForm.MatchString(text) {
		sha = text
	} else {
		return unknownWord(w.text)
	}
	if p.aimed() && (p.cmd.SHA != sha || p.cmd.PR != pr) {
		return malformed("Give one command per change.", "The command names two targets.")
	}
	p.cmd.SHA, p.cmd.PR = sha, pr
	return nil
}
