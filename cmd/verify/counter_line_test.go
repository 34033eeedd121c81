package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The README says of each counter of the JSON what it is.
func TestReadmeHasTheCounters(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[counterLine]()) {
		if name := "`" + f.Tag.Get("json") + "`"; !strings.Contains(string(readme), name) {
			t.Errorf("README.md does not say what %s is", name)
		}
	}
}
