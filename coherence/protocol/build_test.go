package protocol

import "testing"

// build is a system of a protocol that is built in.
func build(t testing.TB, name string, c Config) *System {
	t.Helper()
	text, err := Text(name)
	if err != nil {
		t.Fatal(err)
	}
	return buildText(t, text, c)
}

// buildText is a system of the protocol in a text.
func buildText(t testing.TB, text string, c Config) *System {
	t.Helper()
	p, err := Parse("x", text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
