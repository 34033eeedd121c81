package history

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkParse reads 100,000 operations of 8 clients; the machine's own speed
// stands beside it in the benchmarks of package machine.
func BenchmarkParse(b *testing.B) {
	const operations, clients = 100_000, 8
	var text bytes.Buffer
	text.WriteString("{\"model\":\"queue\"}\n")
	for i := range operations + clients {
		c := i % clients
		if i >= clients {
			fmt.Fprintf(&text, "{\"client\":%d,\"event\":\"return\"}\n", c)
		}
		if i < operations {
			fmt.Fprintf(&text, "{\"client\":%d,\"event\":\"call\",\"object\":\"jobs\",\"op\":\"enqueue\",\"value\":%d}\n", c, i)
		}
	}
	for b.Loop() {
		r, err := Parse(bytes.NewReader(text.Bytes()), Options{})
		if err != nil || r.Returns() != operations {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N)*2*operations/b.Elapsed().Seconds(), "events/s")
}
