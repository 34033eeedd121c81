package fuzz

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/google/go-cmp/cmp"
)

func sampleToken() Token {
	return Token{
		Target: "locks/mcs", TraceHash: 0x0123456789abcdef, Signature: 42,
		Pins: []machine.Pin{{Name: "threads", Value: 2}},
		Schedule: Schedule{
			{Context: "t0", Index: 5, Kind: machine.Move, Class: machine.Preemption, Answer: uint32(machine.CPUAgent(1))},
			{Context: "t0@5v33", Index: 1 << 30, Visit: 2, Kind: machine.Spurious, Class: machine.SpuriousFailure, Answer: 1},
			{Context: "s", Kind: machine.Workload, Class: machine.WorkloadChoice, Answer: 63},
		},
	}
}

func TestTokenRoundTrip(t *testing.T) {
	for _, want := range []Token{sampleToken(), {Target: "x"}} {
		got, err := ParseToken(" " + want.String() + "\n")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMalformedTokens(t *testing.T) {
	good := sampleToken().String()
	for token, want := range map[string]string{
		"":                                   "malformed token",
		"locks/mcs":                          "malformed token",
		"locks/mcs@v1":                       "malformed token",
		"@v1:AAAA":                           "malformed token",
		"locks/mcs@v1:":                      "too short",
		"locks/mcs@v1:!":                     "not base64",
		strings.Replace(good, "v1", "v9", 1): "token of version",
		good[:len(good)-3]:                   "malformed token",
		good[:30] + "A" + good[31:]:          "checksum",
	} {
		_, err := ParseToken(token)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want %s", token, err, want)
		}
	}
}

// FuzzParseToken: whatever is read without error is written the same, and
// neither parsing nor replaying it can do harm.
func FuzzParseToken(f *testing.F) {
	f.Add(sampleToken().String())
	f.Add("correct@v1:")
	f.Fuzz(func(t *testing.T, s string) {
		token, err := ParseToken(s)
		if err != nil {
			return
		}
		again, err := ParseToken(token.String())
		if err != nil || cmp.Diff(token, again) != "" {
			t.Errorf("%q: read again as %+v, %v", s, again, err)
		}
		_, _ = ReplayToken(correct(), token, nil)
	})
}

// FuzzDecodeToken passes over the checksum, which random bytes never have.
func FuzzDecodeToken(f *testing.F) {
	f.Add([]byte("0123456789ab\x00\x02t0\x01\x01\x05\x00\x01"))
	r, err := newRunner(correct(), nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(r.close)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 12 || len(b) > 1<<12 {
			return
		}
		token := Token{Target: "correct"}
		d := decoder{b: b[12:]}
		for len(d.b) > 0 && d.err == nil {
			token.Schedule = append(token.Schedule, d.exception())
		}
		if v := r.run(NewReplayer(token.Schedule)); v.violation != nil {
			t.Error(v.violation)
		}
	})
}
