//go:build !linux && !darwin

package main

func leftRaw(uintptr) bool { return false }
