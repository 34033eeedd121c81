package bugs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/coherence/protocol"
)

const mesiFile = "coherence/protocol/mesi.protocol"

// ofMesi is a bug in the table of mesi, in which some words are changed.
func ofMesi(t *testing.T, text, from, to string) (Bug, Patched) {
	t.Helper()
	b, err := Load(write(t, map[string]string{textFile: "what: x\nsource: y\n" + text}))
	if err != nil {
		t.Fatal(err)
	}
	b.Name = "b"
	table, err := protocol.Text("mesi")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(table, from) != 1 {
		t.Fatalf("%q is not once in the table", from)
	}
	return b, Patched{mesiFile: []byte(strings.Replace(table, from, to, 1))}
}

// A bug is found in each of its models, as it says; else it is told what is wrong.
func TestShowProtocol(t *testing.T) {
	const early = "IM_AD, SM_AD on Inv-Ack: acks := acks - 1"
	const lost = "IM_AD on Inv-Ack: -> IM_AD\nSM_AD on Inv-Ack: -> SM_AD"
	const stale, dropped = "I, E, M on PutM, PutE: send Put-Ack to sender", "I, E, M on PutM, PutE: owner := owner"
	for name, c := range map[string]struct{ text, from, to, wrong string }{
		"found":                   {"model: mesi caches=2\nmodel: mesi caches=3\nshows: deadlock", early, lost, ""},
		"no bug":                  {"model: mesi caches=2\nshows: deadlock", "protocol mesi", "protocol MESI", "mesi caches=2: holds, not violated"},
		"not in one of them":      {"model: mesi caches=1\nmodel: mesi caches=2\nshows: deadlock", early, lost, "mesi caches=1: holds, not violated"},
		"shows otherwise":         {"model: mesi caches=2\nshows: data value", early, lost, "mesi caches=2: deadlock, not data value"},
		"needs less":              {"model: mesi caches=3\nneeds: caches=3\nshows: deadlock", early, lost, "mesi caches=3 caches=2: violated deadlock, though it should need caches=3"},
		"needs two":               {"model: mesi caches=2\nneeds: caches=2\nshows: deadlock", early, lost, ""},
		"needs quiescence":        {"model: mesi caches=2\nneeds: quiescence\nshows: quiescence", stale, dropped, ""},
		"needs it, and says not":  {"model: mesi caches=2\nshows: quiescence", stale, dropped, "mesi caches=2: quiescence, and its needs say otherwise"},
		"says it, and needs not":  {"model: mesi caches=2\nneeds: quiescence\nshows: deadlock", early, lost, "mesi caches=2: deadlock, and its needs say otherwise"},
		"none for the tester":     {"model: mesi caches=1 addresses=2\nshows: impossible event", "IS_D on Data-E: value := msg.value -> E\n", "", ""},
		"not found by the tester": {"model: mesi caches=2\nshows: deadlock", early, lost, "the random tester found it with "},
	} {
		t.Run(name, func(t *testing.T) {
			b, p := ofMesi(t, c.text, c.from, c.to)
			e := Effort{Seeds: 2, Operations: 100_000}
			if strings.Contains(c.wrong, "tester") {
				e.Operations = 1
			}
			s, err := b.ShowProtocol(context.Background(), p, e)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(s.Wrong, c.wrong) || c.wrong == "" && s.Wrong != "" {
				t.Errorf("wrong is %q, want %q", s.Wrong, c.wrong)
			}
			if several := b.Models[0].Config.Addresses > 1; several != (len(s.Tested) == 0) || len(s.Explored) != len(b.Models) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestShowProtocolRefuses(t *testing.T) {
	const text, from = "model: mesi caches=2\nshows: deadlock", "protocol mesi"
	b, p := ofMesi(t, text, from, "protocol")
	if _, err := b.ShowProtocol(context.Background(), p, Effort{Seeds: 1}); err == nil || !strings.Contains(err.Error(), "bug b: with its diff the table is none: mesi.protocol:1: ") {
		t.Errorf("error %v of a table that is none", err)
	}
	b, p = ofMesi(t, text, from, "protocol MESI")
	p["README.md"] = nil
	if _, err := b.ShowProtocol(context.Background(), p, Effort{Seeds: 1}); err == nil || !strings.Contains(err.Error(), "bug b: its diff must change "+mesiFile) {
		t.Errorf("error %v of a diff that changes another file", err)
	}
	b, p = ofMesi(t, "model: mesi hosts=2\nshows: deadlock", from, "protocol MESI")
	if _, err := b.ShowProtocol(context.Background(), p, Effort{Seeds: 1}); err == nil || !strings.Contains(err.Error(), "has no parameter hosts") {
		t.Errorf("error %v of a parameter that is none", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b, p = ofMesi(t, text, from, "protocol MESI")
	if _, err := b.ShowProtocol(ctx, p, Effort{Seeds: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of what was interrupted", err)
	}
}

func TestLoadRefusesModels(t *testing.T) {
	const head = "what: x\nsource: y\nshows: s\n"
	for text, want := range map[string]string{
		"model: mesi\ntarget: z":           "a bug with a model has no target and no orders",
		"model: mesi\norders: sc":          "a bug with a model has no target and no orders",
		"target: z\nneeds: caches=3":       "only a bug with a model has needs",
		"model: moesi":                     `the model "moesi" begins with no protocol: use one of hdmdb, `,
		"model:":                           `the model "" begins with no protocol`,
		"model: mesi caches":               `"caches" is not of the form parameter=number`,
		"model: mesi caches=two":           `"caches=two" is not of the form parameter=number`,
		"model: mesi\nmodel: hdmdb":        `its models are of two protocols, "mesi" and "hdmdb"`,
		"model: mesi\nneeds: three caches": `it needs "three": use quiescence, or parameter=number`,
	} {
		dir := write(t, map[string]string{textFile: head + text})
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// The embedded table is the one that the diffs are against.
func TestTableIsTheSource(t *testing.T) {
	root, err := Root(mustWd(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(root, mesiFile))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := protocol.Text("mesi"); err != nil || text != string(b) {
		t.Errorf("%s is not the table of mesi (%v)", mesiFile, err)
	}
}

func mustWd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
