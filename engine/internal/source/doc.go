// Package source finds out what people wrote about a method that a program can call: the name of its argument, its doc
// comment and where it stands. It reads the source file where that is still there, and takes the name of the argument
// from the debug information of the executable where it is not (-trimpath, another machine). A stripped executable
// without its sources has neither, and nothing is an error: what cannot be found is left empty.
package source
