// Package tuitest drives the explorer as a person does and looks at what a person sees: keys and clicks go into the real
// program, its output goes into a terminal emulator, and tests talk about the screen.
//
//	app := tuitest.Start(t, cfg, 120, 40)
//	app.Press("x").See("Call toys.HelloWorld on 4 ranks").Type("hi").Press("enter").See("4 → done")
//
// Nothing sleeps: See reads what the program has drawn until the words are there, or fails after a generous time with
// the screen as it was.
package tuitest
