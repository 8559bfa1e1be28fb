// Package watch reloads a program when its source changes: it looks at the Go files that the program is made of, and has the
// session build it anew and move its ranks when they are as somebody has left them for a moment. While somebody else's reload goes on
// it waits for the end of that.
//
// It looks at times and sizes of files every now and then: that needs no more than what every system has, and a person who saves
// a file does not notice the difference. It builds nothing itself.
package watch
