// Package font holds the one font of papers and pictures: TTF is WenQuanYi Micro Hei, with ASCII and all of GB2312 and Big5.
// README.md tells where it comes from, LICENSE.txt its licence. It imports nothing.
package font

import _ "embed"

// TTF is the font as a TrueType file of 4.6 MB; it is not to be changed.
//
//go:embed wqy-microhei.ttf
var TTF []byte
