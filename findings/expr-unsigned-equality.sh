#!/usr/bin/env bash
# expr-lang/expr: a uint64 above the range of int equals a negative number.
#
# Version   github.com/expr-lang/expr v1.17.8, Go 1.26.
# Guess     Comparing max (a uint64 of 18446744073709551615) with -1 is false, and max > 0 is true: expr has unsigned
#           types in its documentation, and Go itself refuses the comparison when it compiles.
# Happens   max == -1 is true and max > 0 is false. Every unsigned operand is converted to int first, in ==, in <, in
#           arithmetic, and in sort, max and sum: sort([max, 1]) puts max first.
# Matters   Expectations and breakpoint conditions use expr. An actor whose counter is a uint64 would pass a test that it
#           fails. So engine/eval replaces the operators and the functions that compare, and judges by value.
# Source    vm/runtime/helpers[generated].go of that version: case uint64 with case int is int(x) == y.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"math"

	"github.com/expr-lang/expr"
)

func main() {
	env := map[string]any{"max": uint64(math.MaxUint64)}
	for _, text := range []string{"max == -1", "max > 0", "sort([max, 1])[0] == max"} {
		v, err := expr.Eval(text, env)
		if err != nil {
			fmt.Println(text, "is an error:", err)
			continue
		}
		fmt.Println(text, "is", v)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/expr-lang/expr@v1.17.8 >/dev/null 2>&1
seen=$(go run .)
echo "$seen"
want='max == -1 is true
max > 0 is false
sort([max, 1])[0] == max is true'
[ "$seen" = "$want" ] || { echo "this has changed; it was:"; echo "$want"; exit 1; }
