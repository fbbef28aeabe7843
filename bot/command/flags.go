package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backout-dev/backout/bot"
)

// flagsOf are the flags that a verb takes.
func flagsOf(v bot.CommandVerb) []string {
	switch v {
	case bot.CommandFreeze:
		return []string{"for", "reason"}
	case bot.CommandReapply:
		return []string{"reason"}
	default:
		return []string{"reason", "dry-run", "force"}
	}
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

// surplus says that the next word is one too many.
func (p *parser) surplus() *fault {
	return malformed("Leave out what follows.", "`/rollback %s` does not take %s.", p.cmd.Verb, quote(p.words[0].text))
}

// flag reads one flag and its value.
func (p *parser) flag(w word) *fault {
	name, value, hasValue := flag(w)
	known := flagsOf(p.cmd.Verb)
	switch {
	case !slices.Contains(known, name):
		hint := "The flags are `--" + strings.Join(known, "`, `--") + "`."
		if near := nearest(name, known); near != "" {
			hint = fmt.Sprintf("Did you mean `--%s`?", near)
		} else if len(known) == 1 {
			hint = fmt.Sprintf("The only flag is `--%s`.", known[0])
		}
		return malformed(hint, "%s is not a flag of this command.", quote(w.text))
	case p.seen[name]:
		return malformed("Give it once.", "`--%s` is given twice.", name)
	case (name == "dry-run" || name == "force") && hasValue:
		return malformed(fmt.Sprintf("Write `--%s` alone, or leave it out.", name), "`--%s` takes no value.", name)
	}
	p.seen[name] = true
	switch name {
	case "force":
		p.cmd.Force = true
	case "reason":
		return p.reason(w)
	case "for":
		return p.duration(value, hasValue)
	}
	return nil
}

// maxFreeze is the longest freeze that has an end.
const maxFreeze = 30 * 24 * time.Hour

// duration reads the value of --for, "90m" or "2h" or "3d".
func (p *parser) duration(text string, hasValue bool) *fault {
	if !hasValue && len(p.words) > 0 && !p.isFlag(p.words[0]) {
		text = p.words[0].text
		p.words = p.words[1:]
	}
	text = strings.ToLower(trimStop(text))
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, bad := strconv.ParseUint(days, 10, 16); bad == nil {
			d, err = time.Duration(n)*24*time.Hour, nil
		}
	}
	switch {
	case err != nil:
		return malformed("Write `--for 2h`, `--for 90m` or `--for 3d`.", "%s is not a length of time.", quote(text))
	case d <= 0 || d > maxFreeze:
		return malformed("Give more than nothing and at most 30 days, or leave `--for` out: then it lasts until `/rollback unfreeze`.", "%s is not a length that a freeze can have.", quote(text))
	}
	p.cmd.For = d
	return nil
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
