package config

import (
	"cmp"
	"fmt"
	"strings"
)

// Markdown is the configuration table of the README, ending in a line break.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | flag | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, o := range table {
		fallback := "`" + o.fallback + "`"
		if o.fallback == "" {
			fallback = "empty: " + o.unset
		}
		fmt.Fprintf(&b, "| `%s` | `--%s` | %s | %s |\n", o.env, o.flagName(), fallback, o.meaning)
	}
	return b.String()
}

// Usage is the same for a terminal, two lines an option.
func Usage() string {
	var b strings.Builder
	for _, o := range table {
		fmt.Fprintf(&b, "  --%s (%s)\n        %s; default: %s\n",
			o.flagName(), o.env, strings.ReplaceAll(o.meaning, "`", ""), cmp.Or(o.fallback, o.unset))
	}
	return b.String()
}
