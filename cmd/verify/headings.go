package main

import "flag"

// heading stands above those flags in the help that are defined after it.
type heading struct {
	text  string
	known map[string]bool // flags that stand above it
}

// heading begins a group of flags.
func (f *flags) heading(text string) {
	h := heading{text, map[string]bool{}}
	f.VisitAll(func(g *flag.Flag) { h.known[g.Name] = true })
	f.headings = append(f.headings, h)
}

// printDefaults prints the flags with what they mean, group by group.
func (f *flags) printDefaults() {
	known := map[string]bool{}
	for i := range len(f.headings) + 1 {
		if i > 0 {
			f.a.printf("\n%s\n", f.headings[i-1].text)
			known = f.headings[i-1].known
		}
		group := flag.NewFlagSet("", flag.ContinueOnError)
		group.SetOutput(f.a.stdout)
		f.VisitAll(func(g *flag.Flag) {
			if !known[g.Name] && (i == len(f.headings) || f.headings[i].known[g.Name]) {
				group.Var(g.Value, g.Name, g.Usage)
				group.Lookup(g.Name).DefValue = g.DefValue
			}
		})
		group.PrintDefaults()
	}
}
