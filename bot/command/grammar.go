package command

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/backout-dev/backout/bot"
)

// maxReason is the longest reason, in characters: it goes into a commit
// message and a comment.
const maxReason = 500

// usage is the form of the main command, for hints.
const usage = `/rollback [<commit> | #<pull request>] [--reason "<text>"] [--dry-run] [--force]`

var (
	shaForm      = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	numberForm   = regexp.MustCompile(`^#([1-9][0-9]{0,9})$`)
	rollbackForm = regexp.MustCompile(`^rb-[0-9a-f]{12}$`)
)

// verbs are the words that may follow "/rollback".
func verbs() []string {
	var out []string
	for _, v := range []bot.CommandVerb{
		bot.CommandPlan, bot.CommandApprove, bot.CommandCancel, bot.CommandStatus, bot.CommandReapply, bot.CommandFreeze, bot.CommandUnfreeze, bot.CommandHelp,
	} {
		out = append(out, string(v))
	}
	return out
}

// orders are the verbs that change something.
var orders = []bot.CommandVerb{
	bot.CommandRollback, bot.CommandApprove, bot.CommandCancel, bot.CommandReapply, bot.CommandFreeze, bot.CommandUnfreeze,
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
	p := parser{line: line, words: words[1:], cmd: bot.Command{Verb: bot.CommandRollback, Line: line}, seen: map[string]bool{}}
	asks := p.trimEnd(words)
	if firstWord(line) == reapply {
		p.cmd.Verb = bot.CommandReapply
	} else {
		p.verb()
	}
	if asks && slices.Contains(orders, p.cmd.Verb) {
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
	seen  map[string]bool // flags
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
	case bot.CommandUnfreeze:
		if len(p.words) > 0 {
			return bot.Command{}, p.surplus()
		}
		return p.cmd, nil
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
			return bot.Command{}, p.surplus()
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
	if p.seen["dry-run"] {
		p.cmd.Verb = bot.CommandPlan
	}
	p.cmd.DryRun = p.cmd.Verb == bot.CommandPlan
	return p.cmd, nil
}

// aimed reports whether a target was named.
func (p *parser) aimed() bool { return p.cmd.SHA != "" || p.cmd.PR != 0 }

// target reads a commit or a pull request.
func (p *parser) target(w word) *fault {
	if p.cmd.Verb == bot.CommandFreeze {
		return malformed("Write `/rollback freeze --for 2h --reason \"<text>\"`; it stops all of the repository.", "`/rollback freeze` does not take %s.", quote(w.text))
	}
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
