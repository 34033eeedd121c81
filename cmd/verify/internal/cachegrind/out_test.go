package cachegrind

import (
	"math"
	"strings"
	"testing"
)

const sample = `desc: I1 cache:         32768 B, 64 B, 8-way associative
cmd: ./replay 64
events: Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw
fl=/tmp/x/replay.c
fn=main
7 1 0 0 100 10 1
8 1 0 0 5 5 5 200 20 2
9 1 0 0 9 9 9 9 9 9
fl=/usr/lib/other.c
fn=f(int, char)
7 1 0 0 1000 1000 1000
fl=/tmp/x/replay.c
fn=copy of main
7 1 . . 11 . 1 3 3 3
summary: 1 2 3
`

func TestParseOut(t *testing.T) {
	got, err := parseOut(strings.NewReader(sample), "replay.c", 7, 8)
	want := Counts{Reads: 111, D1ReadMisses: 10, LLReadMisses: 2, Writes: 200, D1WriteMisses: 20, LLWriteMisses: 2}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got.D1Misses() != 30 || got.LLMisses() != 4 {
		t.Errorf("%d and %d misses", got.D1Misses(), got.LLMisses())
	}
}

func TestParseOutRefuses(t *testing.T) {
	for want, edit := range map[string][2]string{
		"line 6 of its output: counts stand before": {"events: Ir I1mr ILmr Dr D1mr DLmr Dw D1mw DLmw", "cmd: x"},
		"lack D1mw":                        {"D1mw ", ""},
		"ends without a summary":           {"summary: 1 2 3\n", ""},
		"neither a name nor":               {"fn=f(", "gn=f("},
		`the count "x10"`:                  {"100 10 1", "100 x10 1"},
		`the line number "8y"`:             {"8 1 0 0 5", "8y 1 0 0 5"},
		"10 counts where there are 9":      {"9 9 9 9 9 9", "9 9 9 9 9 9 9"},
		"do not fit 64 bits":               {"11 . 1", "18446744073709551615 . 1"},
		"line 7 of its output: the count ": {"200 20 2", "200 20 99999999999999999999"},
		"token too long":                   {"fn=main", "fn=" + strings.Repeat("m", maxLine)},
	} {
		text := strings.Replace(sample, edit[0], edit[1], 1)
		_, err := parseOut(strings.NewReader(text), "replay.c", 7, 8)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%v does not say %q in a line", err, want)
		}
	}
}

func TestLinesOfTheProgram(t *testing.T) {
	lines := strings.Split(program, "\n")
	for _, mark := range []string{loadMark, storeMark} {
		if strings.Count(program, mark) != 1 || !strings.Contains(lines[lineOf(mark)-1], mark) {
			t.Errorf("%q is not at line %d of %s, and there only", mark, lineOf(mark), programName)
		}
	}
}

// Whatever the file holds: an answer or an error of one line. What is answered does
// not depend on lines of other files.
func FuzzParseOut(f *testing.F) {
	f.Add(sample)
	f.Add("events: Dr D1mr DLmr Dw D1mw DLmw\nfl=replay.c\n7 1 1\nsummary:")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseOut(strings.NewReader(text), "replay.c", 7, 8)
		if err != nil {
			if strings.Contains(err.Error(), "\n") || c != (Counts{}) {
				t.Fatalf("%+v, %v", c, err)
			}
			return
		}
		more, err := parseOut(strings.NewReader(text+"\nfl=y.c\n7 1\n"), "replay.c", 7, 8)
		if err != nil || more != c {
			t.Fatalf("%+v, then %+v, %v", c, more, err)
		}
		if c.Reads < math.MaxUint64 && strings.Contains(text, "\nevents:") && !strings.Contains(text, "replay.c") && c.Reads+c.Writes > 0 {
			t.Fatalf("counts from nowhere: %+v", c)
		}
	})
}
