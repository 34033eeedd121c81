package memory_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory/axiomatic"
	"github.com/fusedos/stramash/model/memory/explore"
)

// The two engines, which share nothing, find the same states of the tests of the
// corpus. A few of its random ones are too large for the axiomatic one.
func TestEnginesAgreeOnTheCorpus(t *testing.T) {
	same, n, compared := equal(explore.Run, axiomatic.Run, 30_000, 20_000), 0, 0
	err := filepath.WalkDir("../../corpus/litmus", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".litmus") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		test, err := litmus.Parse(text)
		if err != nil {
			return err
		}
		n++
		wrong, ok := same(test)
		if wrong != "" {
			t.Errorf("%s: %s", path, wrong)
		}
		if ok {
			compared++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 100 || compared < n*95/100 {
		t.Errorf("%d of %d tests were compared", compared, n)
	}
}

// And of random programs of both ISAs.
func TestEnginesAgree(t *testing.T) {
	random(t, 2000, generate.Config{Threads: 3}, equal(explore.Run, axiomatic.Run, 30_000, 4_000))
}
