package store

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/walkaround/domain"
)

// Names fill a phrase's placeholders. Any of them may be empty.
type Names struct {
	Advisor    string
	Customer   string
	Salutation string
	Store      string
}

const (
	holdAdvisor    = "{advisor}"
	holdCustomer   = "{customer}"
	holdSalutation = "{salutation}"
	holdStore      = "{store}"
)

var (
	braces   = regexp.MustCompile(`\{[^{}]*\}|[{}]`)
	together = regexp.MustCompile(`\{customer\} ?\{salutation\}|\{salutation\} ?\{customer\}`)
	clauses  = regexp.MustCompile(`[^，,、；;。.！!？?\n]*[，,、；;。.！!？?\n]*\s*`)
)

func checkPlaceholders(f *domain.Faults, pointer, text string) {
	for _, found := range braces.FindAllString(text, -1) {
		if !slices.Contains([]string{holdAdvisor, holdCustomer, holdSalutation, holdStore}, found) {
			f.Add(pointer, domain.CodeUnknown, "%q is not one of {advisor}, {customer}, {salutation} and {store}", found)
		}
	}
}

// Fill puts the names into a phrase. A clause that speaks of a name which is not known is left out, so that what remains
// is a sentence: 「不好意思，{customer}{salutation}，讓您久等了！」 becomes 「不好意思，讓您久等了！」. Name and
// salutation that stand together are put in the order of the salutation's own script: 陳大文先生, Mr Chan.
func Fill(text string, n Names) string {
	var kept []string
	starts, capital := true, false // whether a sentence starts here, and whether its own start was left out
	for _, clause := range clauses.FindAllString(text, -1) {
		ends := sentenceEnd(clause)
		if n.lacks(clause) {
			if starts {
				capital = true
			} else if ends != "" {
				kept = closeSentence(kept, ends)
			}
		} else {
			filled := n.fill(clause)
			if capital {
				filled = capitalized(filled)
			}
			kept, capital = append(kept, filled), false
		}
		starts = ends != "" || starts && n.lacks(clause)
		capital = capital && ends == ""
	}
	return strings.TrimSpace(strings.Join(kept, ""))
}

func (n Names) lacks(clause string) bool {
	has := func(hold string) bool { return strings.Contains(clause, hold) }
	return has(holdAdvisor) && n.Advisor == "" || has(holdStore) && n.Store == "" || has(holdCustomer) && n.Customer == "" ||
		has(holdSalutation) && n.Salutation == "" && !has(holdCustomer)
}

func (n Names) fill(clause string) string {
	// The address is put in through a placeholder of its own, so that no name is taken for one.
	clause = together.ReplaceAllLiteralString(clause, "{}")
	return strings.NewReplacer("{}", n.address(), holdAdvisor, n.Advisor, holdCustomer, n.Customer,
		holdSalutation, n.Salutation, holdStore, n.Store).Replace(clause)
}

// address is how a customer is called: the whole name as typed with its salutation.
func (n Names) address() string {
	switch {
	case n.Salutation == "" || n.Customer == "":
		return n.Customer
	case strings.ContainsFunc(n.Salutation, func(r rune) bool { return unicode.Is(unicode.Han, r) }):
		return n.Customer + n.Salutation
	default:
		return n.Salutation + " " + n.Customer
	}
}

// sentenceEnd gives what ends the sentence at the end of this clause, with the space behind it; empty if it goes on.
func sentenceEnd(clause string) string {
	mark := strings.IndexAny(clause, "。.！!？?\n")
	if mark < 0 {
		return ""
	}
	return clause[mark:]
}

// closeSentence ends the last clause in place of the comma that led to one that was left out.
func closeSentence(kept []string, ends string) []string {
	last := len(kept) - 1
	kept[last] = strings.TrimRight(kept[last], "，,、；; ") + ends
	return kept
}

func capitalized(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}
