//go:build !linux && !darwin

package main

func cannotSuspend() string { return "this system cannot suspend programs" }
