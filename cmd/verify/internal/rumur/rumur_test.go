package rumur

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// counter counts up to N; the counts of states and rules are its own.
const counter = `
const N: 9;
var x: 0..N;
startstate begin x := 0; end;
rule "up" x < N ==> begin x := x + 1; end;
rule "back" x = N ==> begin x := 0; end;
invariant "small" x <= LIMIT;
`

var stuck = strings.Replace(counter, `rule "back"`, `-- rule "back"`, 1)

func TestCheck(t *testing.T) {
	if err := Find(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	c, err := Check(context.Background(), strings.Replace(counter, "LIMIT", "N", 1))
	if err != nil || c.States != 10 || c.Rules != 10 || c.Errors != 0 || c.CPU <= 0 {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = Check(context.Background(), strings.Replace(counter, "LIMIT", "4", 1))
	if err != nil || c.Errors != 1 {
		t.Errorf("a violated invariant: %+v, %v", c, err)
	}
	c, err = Check(context.Background(), strings.Replace(stuck, "LIMIT", "N", 1))
	if err != nil || c.Errors != 1 {
		t.Errorf("a deadlock: %+v, %v", c, err)
	}
	_, err = Check(context.Background(), "this is no model")
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "rumur: rumur: ") {
		t.Errorf("no model: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Check(ctx, counter); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := Find(); err == nil || !strings.Contains(err.Error(), "apt-get install rumur gcc") {
		t.Errorf("nothing in PATH: %v", err)
	}
	if _, err := Check(context.Background(), counter); err == nil {
		t.Error("nothing in PATH, and no error")
	}
}

func TestRead(t *testing.T) {
	for _, out := range []string{"", "<a", "<rumur_run></rumur_run>", `<rumur_run><summary states="x"/></rumur_run>`} {
		if c, err := read(out); err == nil {
			t.Errorf("%q: %+v", out, c)
		}
	}
}
