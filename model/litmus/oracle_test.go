package litmus_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
)

// oracle is the folder of herd7's answers; the test is skipped if it is not there.
func oracle(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("STRAMASH_LITMUS"), "../../../shared/litmus", "../../../../shared/litmus"} {
		if _, err := os.Stat(filepath.Join(dir, "x86_64.expected.jsonl")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("the oracle is not here: put herd7's answers in ../shared/litmus beside the repository, or name the folder in STRAMASH_LITMUS")
	return ""
}

// expected is a line of an .expected.jsonl file.
type expected struct {
	File, Name, Kind, Cond, Verdict, Obs string
	States                               []string
}

func readExpected(t *testing.T, file string) []expected {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []expected
	for lines := json.NewDecoder(bytes.NewReader(data)); lines.More(); {
		var e expected
		if err := lines.Decode(&e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// stateOf reads a state that is spelled as herd does, of numbers only.
func stateOf(s string) litmus.State {
	var out litmus.State
	for _, part := range strings.Split(strings.TrimSuffix(s, ";"), ";") {
		_, v, _ := strings.Cut(part, "=")
		var n int64
		fmt.Sscan(v, &n)
		out = append(out, uint64(n))
	}
	return out
}

// reread prints a test and parses what it printed: it must be the same test, but
// for the numbers of the lines.
func reread(test *litmus.Test) error {
	text := test.String()
	if len(text) > litmus.MaxBytes {
		return nil
	}
	again, err := litmus.Parse([]byte(text))
	if err != nil {
		return fmt.Errorf("what is printed can't be parsed: %v\n%s", err, text)
	}
	if second := again.String(); second != text {
		return fmt.Errorf("printed again it is\n%s\nand was\n%s", second, text)
	}
	if !reflect.DeepEqual(litmus.Lineless(again), litmus.Lineless(test)) {
		return fmt.Errorf("what is printed is another test:\n%s", text)
	}
	return nil
}

// Every test of the oracle is parsed, lowered and printed; the states that herd7
// found are spelled as herd7 does, and give its verdict.
func TestOracle(t *testing.T) {
	dir := oracle(t)
	tests, same := 0, 0
	for _, family := range []string{"x86_64", "aarch64", "mixed"} {
		for _, e := range readExpected(t, filepath.Join(dir, family+".expected.jsonl")) {
			text, err := os.ReadFile(filepath.Join(dir, family, e.File))
			if err != nil {
				t.Fatal(err)
			}
			tests++
			if err := againstOracle(text, e); err != nil {
				t.Errorf("%s/%s: %v", family, e.File, err)
			}
			if test, err := litmus.Parse(text); err == nil && test.String() == string(text) {
				same++
			}
		}
	}
	t.Logf("%d tests, of which %d are printed to the byte", tests, same)
	if same < tests*99/100 { // some catalogue tests are not in the layout of today's herd
		t.Error("too few of the tests are printed to the byte")
	}
}

func againstOracle(text []byte, e expected) error {
	test, err := litmus.Parse(text)
	if err != nil {
		return err
	}
	if test.Name != e.Name {
		return fmt.Errorf("the name is %s", test.Name)
	}
	if got := string(test.Quantifier) + " (" + test.Prop.String() + ")"; got != e.Cond {
		return fmt.Errorf("the condition is %s and should be %s", got, e.Cond)
	}
	if err := reread(test); err != nil {
		return err
	}
	if _, err := test.Program(2); err != nil {
		return err
	}
	var states []litmus.State
	for _, s := range e.States {
		state := stateOf(s)
		if got := test.Format(state); got != s {
			return fmt.Errorf("state %s is spelled %s", s, got)
		}
		states = append(states, state)
	}
	if got := test.Judge(states); got != (litmus.Verdict{Obs: e.Obs, Verdict: e.Verdict}) {
		return fmt.Errorf("judged %v, should be %s %s", got, e.Obs, e.Verdict)
	}
	return nil
}

// The tests of sizes beyond herd7's reach are read as well.
func TestScale(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(oracle(t), "scale", "*.litmus"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		test, err := litmus.Parse(text)
		if err == nil {
			_, err = test.Program(2)
		}
		if err == nil {
			err = reread(test)
		}
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
