package domain

import "slices"

// Language is a language of sheets, pages and phrases (BCP 47).
type Language string

// The languages.
const (
	ZhHant  Language = "zh-Hant"
	ZhHans  Language = "zh-Hans"
	English Language = "en"
)

// Languages lists every language, in the order in which they are shown.
func Languages() []Language { return []Language{ZhHant, ZhHans, English} }

// Known says whether l is one of the languages.
func (l Language) Known() bool { return slices.Contains(Languages(), l) }
