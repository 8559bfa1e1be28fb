//go:build !linux

package quicnet

func newWaker() waker { return newGoTimer() }
