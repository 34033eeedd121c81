package main

import "slices"

const helpEnd = `
Every subcommand has flags, among them -json; verify SUBCOMMAND -h lists them.

Exit status: 0 nothing found, 1 a violation, 2 bad usage or input,
3 inconclusive or nothing explored, 4 a fault of the tool or of a target
that is not deterministic.
`

func isHelp(arg string) bool {
	return slices.Contains([]string{"-h", "-help", "--help"}, arg)
}

// help prints what verify can do, or the help of one subcommand.
func (a *app) help(args []string) status {
	args = slices.DeleteFunc(slices.Clone(args), func(s string) bool { return s == "help" || isHelp(s) })
	switch len(args) {
	case 0:
	case 1:
		return a.dispatch([]string{args[0], "-h"})
	default:
		a.complain("verify help: give one subcommand, not %d: verify help %s", len(args), args[0])
		return statusUsage
	}
	group := ""
	for _, c := range subcommands() {
		if c.group != group {
			group = c.group
			a.printf("\n%s\n", group)
		}
		if c.name == "" {
			a.printf("verify checks operating-system mechanisms on a simulated machine of several ISAs.\n\n")
		}
		a.printf("  %-30s %s\n", c.title()+spaced(c.args), c.doc)
	}
	a.printf("%s", helpEnd)
	return statusOK
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}
