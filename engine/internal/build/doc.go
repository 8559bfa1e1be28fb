// Package build makes a new executable of a program that runs, from the source as it is now: the same package, with the same
// settings, by the go command of the machine. It reads what the compiler complains about.
//
// It watches the files of a package too. It runs nothing that it has built.
package build
