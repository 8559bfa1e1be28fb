// Package filter is the language of the filter line: `pong from:pinger[3] took:>5ms !kind:reply /want \w+/`.
//
// A filter is a row of terms that must all hold; `!` negates one. A term without a key is looked for in everything that
// is shown: a word as a part of the text or, loosely, as the beginnings of a name's pieces (`hewo` finds HelloWorld), a quoted
// text as it stands, `/…/` as a regular expression. With a key it judges one field, and several values are alternatives:
//
//	from: to: endpoint: mesh: text:    a part of the text, a pattern with *, "exact", /regular expression/
//	state: kind: stream:               a word, or its beginning
//	level:                             a level, `level:>=warn`
//	rank:                              3  1,4-7  2:8 (without 8)  >7
//	call: family:                      the number of a call, 41 or 3.41; all that a call led to
//	took:                              >5ms  <=1s; a time alone is the least
//
// Capital letters count where a pattern has one. The package knows no pane: a pane says which keys mean something there
// and hands over Fields. It does no I/O.
//
// Invariants, named where tests hold them:
//
//   - INV-CANON: the text of a filter parses to a filter of the same text, which lets the same rows through.
//   - INV-COLUMN: an Error's column lies in the text, at the rune where the trouble begins.
//   - INV-HOSTILE: whatever is typed and whatever is matched, nothing panics, and the work is linear in both.
package filter
