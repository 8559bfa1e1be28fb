// Command monarch-tui explores, debugs and scripts actor meshes.
package main

import (
	"context"
	"os"

	"github.com/monarch-tui/monarch-tui/demos"
	"github.com/monarch-tui/monarch-tui/engine"
)

func main() {
	demos.Register()
	engine.RunWorker() // this binary is the worker of its own meshes
	os.Exit(execute(context.Background(), newRoot(), os.Args[1:]))
}
