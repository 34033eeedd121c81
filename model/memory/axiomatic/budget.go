package axiomatic

import (
	"fmt"

	"github.com/fusedos/stramash/model/memory"
)

// meter counts what an engine does against its budget.
type meter struct {
	budget  memory.Budget
	steps   int64
	entries int64
	why     string
}

// step counts one unit of work. It answers false when the budget is spent.
func (m *meter) step() bool {
	if m.why != "" {
		return false
	}
	if m.steps++; m.budget.Steps > 0 && m.steps > m.budget.Steps {
		m.why = fmt.Sprintf("the budget of %d steps is spent", m.budget.Steps)
	}
	return m.why == ""
}

// keep counts so many entries of memory.
func (m *meter) keep(n int) bool {
	if m.why != "" {
		return false
	}
	if m.entries += int64(n); m.budget.Entries > 0 && m.entries > m.budget.Entries {
		m.why = fmt.Sprintf("the budget of %d entries is spent", m.budget.Entries)
	}
	return m.why == ""
}
