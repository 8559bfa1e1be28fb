// Package faults holds tests only: real worker processes, and what can become of them. Each test asserts that the fault has
// really happened. What can be tested within one package is tested there; the table in matrix_test.go names a test for each row
// of the two lists below.
//
// It is no library, and nothing imports it.
package faults
