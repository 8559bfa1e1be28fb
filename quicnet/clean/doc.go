// Package clean makes text from another process safe to show: a terminal acts on control characters and escape
// sequences, and direction marks and invisible characters make a text look like another one. All text from outside is
// hostile until one of these rules has been applied.
//
// Dangerous is the only place that says which characters are dangerous: C0 and DEL, C1, the format characters (Unicode
// Cf: bidirectional marks, zero-width characters, U+FEFF, tags), the line and paragraph separators, and the rest of the
// tag block. U+200D, the zero-width joiner, is excepted, because emoji are made with it. The rules differ only in what
// they do with a dangerous character, and in how much text they let through.
//
//	rule       newline  tab    C0, DEL  C1, format  bad UTF-8  escape sequence  length
//	Line       ␊        space  ␇ ␛ ␡    U+FFFD      U+FFFD     removed          the caller's
//	Shown      ␊        moves  ␇ ␛ ␡    U+FFFD      U+FFFD     removed          the caller's
//	Text       kept     kept   ␇ ␛ ␡    U+FFFD      U+FFFD     its ESC as ␛     the caller's
//	OneLine    space    space  U+FFFD   U+FFFD      U+FFFD     its ESC U+FFFD   bytes, then …
//	Name       U+FFFD   U+FFFD U+FFFD   U+FFFD      U+FFFD     its ESC U+FFFD   runes
//	Escape     \n       \t     \u001b   \u202e      \xff       its ESC \u001b   the caller's
//	EscapeCut  as Escape                                                        runes, then …
//	JSON       as Escape, and \" and \\                                         runes
//	Quote      \n       \t     \x1b     \u202e      \xff       its ESC \x1b     runes, then …, in quotes
//	Clip       kept     kept   kept     kept        kept       kept             bytes, then how many more
//
// U+FFFD stands for a whole run of bytes that are no UTF-8, and \xff for each one of them. The rules that escape drop
// nothing, so they can afford to escape U+200D too, and all else that does not print (unassigned characters, spaces other
// than U+0020).
//
// Who uses which, and why:
//
//   - Line: the engine, for names in messages. A carriage return in a name must not hide what is before it.
//   - Shown: the engine, for what workers print. Programs colour their output, so sequences go without a trace, and draw
//     over their lines, so carriage returns and backspaces do what they do on a terminal; other control characters stay
//     visible because they may be what a person looks for.
//   - Text: debugger/script, for reports. Their texts have several lines and are indented with tabs.
//   - OneLine: quicnet, for the reasons of closed connections. They travel in one packet and stand in log lines.
//   - Name: engine/control, for the names of clients. They stand in everybody's tables and status lines.
//   - Escape, EscapeCut, JSON: engine/schema. A literal is read back to the same value, so nothing may be lost.
//   - Quote, EscapeCut: engine/shape, for the words of a selection or a shape that an error repeats.
//   - Clip: the engine, for texts that it keeps or sends. It cleans nothing: who shows such a text applies another rule.
//
// The package is pure: no I/O, no state. It does not measure how wide a text is on a screen; that is for tui/paint.
//
// Invariants, named by the tests:
//   - INV-SAFE: what a rule other than Clip returns is valid UTF-8 and holds no dangerous character, but for the newlines
//     and tabs of Text.
//   - INV-LOSSLESS: what JSON returns can be read back to the same bytes, valid UTF-8 or not.
//   - INV-BOUND: a rule with a limit returns no more than the limit allows, however long the text is.
package clean
