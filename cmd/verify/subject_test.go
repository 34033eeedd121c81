package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindTokens(t *testing.T) {
	for text, want := range map[string][]foundToken{
		"":                        nil,
		"a@v1: b@vx:A @v1:A c@v1": nil,
		"locks/mcs@v1:A-_9":       {{"locks/mcs@v1:A-_9", 1}},
		"\ufefflocks/mcs@v1:A":    {{"locks/mcs@v1:A", 1}},
		"\r\n(“locks/mcs@v1:A”), token=locks/mcs@v1:A.\r\n":              {{"locks/mcs@v1:A", 2}},
		`{"report":"replay\nlocks/mcs@v1:A\n","token":"locks/mcs@v1:A"}`: {{"locks/mcs@v1:A", 1}},
		"a@v1:A\na@v1:B a@v1:A\n\na@v2:A":                                {{"a@v1:A", 1}, {"a@v1:B", 2}, {"a@v2:A", 4}},
		strings.Repeat("\x00", 9) + "<a@v1:A>":                           {{"a@v1:A", 1}},
	} {
		if d := cmp.Diff(want, findTokens(text), cmp.AllowUnexported(foundToken{})); d != "" {
			t.Errorf("%q (-want +got)\n%s", text, d)
		}
	}
}

func FuzzFindToken(f *testing.F) {
	f.Add("found test/good@v1:AAAA.\n")
	f.Add(`{"token":"a@v1:A","replay":"verify replay 'b@v2:B'"}` + "\n")
	f.Add("\ufeffgo test fuzz v1\n[]byte(\"0\")\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, _, _ := testApp()
		s, err := a.saved("file", text)
		if err == nil && !strings.Contains(text, "@v1:") {
			t.Errorf("%q is token %s", text, s.token)
		}
		if err != nil && (strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 400) {
			t.Errorf("the error is not a short line: %q", err)
		}
	})
}
