#!/usr/bin/env bash
# fxamacker/cbor and encoding/json: a time of a zone whose offset has seconds comes back as another instant.
#
# Version   github.com/fxamacker/cbor/v2 v2.10.0 (TimeRFC3339Nano), encoding/json of the same Go, Go 1.26.
# Guess     A time keeps its instant, to the nanosecond: RFC 3339 has no seconds in an offset, so what has them is
#           written in UTC, or refused as years beyond 9999 are.
# Happens   The offset is cut to whole minutes and the wall clock is kept: noon of 1930 in Amsterdam (+00:19:32) comes
#           back 32 s later from both, without an error.
# Matters   Arguments and results of endpoints are CBOR, and zones come from tzdata, which has such offsets for most of
#           the world before 1900 to 1940; time.FixedZone makes them too. So engine/internal/body moves the wall clock
#           with the offset, and the instant stays.
# Source    time/format.go: the layout Z07:00 divides the offset by 60; RFC 3339, section 5.6, time-numoffset.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/fxamacker/cbor/v2"
)

func main() {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		panic(err)
	}
	for _, t := range []time.Time{time.Date(1930, 1, 15, 12, 0, 0, 0, zone), time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3630))} {
		_, offset := t.Zone()
		enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
		if err != nil {
			panic(err)
		}
		b, err := enc.Marshal(t)
		var got time.Time
		if err == nil {
			err = cbor.Unmarshal(b, &got)
		}
		fmt.Printf("offset %d s: cbor moves it by %v, error %v\n", offset, got.Sub(t), err)
		b, err = json.Marshal(t)
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		fmt.Printf("offset %d s: json moves it by %v, error %v\n", offset, got.Sub(t), err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/fxamacker/cbor/v2@v2.10.0 >/dev/null 2>&1
seen=$(go run .)
echo "$seen"
want='offset 1172 s: cbor moves it by 32s, error <nil>
offset 1172 s: json moves it by 32s, error <nil>
offset 3630 s: cbor moves it by 30s, error <nil>
offset 3630 s: json moves it by 30s, error <nil>'
[ "$seen" = "$want" ] || { echo "this has changed; it was:"; echo "$want"; exit 1; }
