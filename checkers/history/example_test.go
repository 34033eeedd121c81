package history_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/checkers/history"
)

// A history that was recorded elsewhere is judged as one of a simulated run.
func ExampleParse() {
	const recorded = `{"model":"queue"}
{"client":3,"event":"call","object":"jobs","op":"enqueue","value":7}
{"client":5,"event":"call","object":"jobs","op":"enqueue","value":8}
{"client":3,"event":"return"}
{"client":5,"event":"return"}
{"client":3,"event":"call","object":"jobs","op":"dequeue"}
{"client":3,"event":"return","value":8}
{"client":5,"event":"call","object":"jobs","op":"dequeue"}
{"client":5,"event":"return","ok":false}
`
	r, err := history.Parse(strings.NewReader(recorded), history.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := r.Check(checkers.DefaultBudget).Violation
	fmt.Printf("line %d: %s\n", r.Lines[v.At], v.Message)
	// Output:
	// line 9: client 5 got Dequeue() = empty, which no order of the operations explains: the queue could only be [7]
}

// A Jepsen history is rewritten as JSON lines.
func ExampleRecording_Write() {
	const recorded = `
INFO  jepsen.util - 0 :invoke :cas [4 2]
INFO  jepsen.util - 1 :invoke :write 4
INFO  jepsen.util - 1 :ok :write 4
INFO  jepsen.util - 0 :fail :cas [4 2]
`
	r, err := history.Parse(strings.NewReader(recorded), history.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := r.Write(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"model":"cas register"}
	// {"client":0,"event":"call","op":"cas","value":[4,2]}
	// {"client":1,"event":"call","op":"write","value":4}
	// {"client":1,"event":"return"}
	// {"client":0,"event":"return","ok":false}
}
