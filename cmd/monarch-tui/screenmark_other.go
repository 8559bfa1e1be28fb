//go:build !linux && !darwin

package main

func holdScreen() (done func()) { return func() {} }

func leftScreen() string { return "" }
