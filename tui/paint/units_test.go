package paint

import (
	"testing"
	"time"
)

func TestUnitsKeepTheirWidth(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Duration(850), "850ns"}, {Duration(12100), "12µs"}, {Duration(1200 * time.Microsecond), "1.2ms"}, {Duration(999600 * time.Microsecond), "1.0s"},
		{Duration(12 * time.Second), "12s"}, {Duration(725 * time.Second), "12m05s"}, {Duration(200 * time.Minute), "3h20m"}, {Duration(52 * time.Hour), "2d04h"}, {Duration(0), "0s"},
		{Count(999), "999"}, {Count(1000), "1.0k"}, {Count(12400), "12.4k"}, {Count(999_999), "1.0M"}, {Count(int64(120_000_000_000)), "120G"},
		{Exact(0), "0"}, {Exact(999), "999"}, {Exact(1204), "1,204"}, {Exact(1234567), "1,234,567"}, {Exact(123456), "123,456"}, {Of(7, 4096), "7 of 4,096"},
		{Bytes(31), "31 B"}, {Bytes(4300), "4.2 KiB"}, {Bytes(3 << 30), "3.0 GiB"},
		{Plural(1, "rank"), "1 rank"}, {Plural(24, "rank"), "24 ranks"}, {Plural(2, "process"), "2 processes"},
		{Spark([]int{0, 1, 4, 8}), "▁▁▄█"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestASpanIsWrittenAsItIsTyped(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 10 * time.Minute: "10m", time.Hour: "1h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 2*time.Hour + 5*time.Second: "2h0m5s"} {
		if got := Span(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
