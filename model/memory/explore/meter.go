package explore

import (
	"fmt"

	"github.com/fusedos/stramash/model/memory"
)

// A meter counts what the budget bounds.
type meter struct {
	budget         memory.Budget
	steps, entries int64
	why            string // the search must end, and why
}

func (m *meter) step() bool {
	m.steps++
	if m.budget.Steps > 0 && m.steps > m.budget.Steps && m.why == "" {
		m.why = fmt.Sprintf("the budget of %d steps is used up", m.budget.Steps)
	}
	return m.why == ""
}

func (m *meter) keep(n int64) bool {
	if m.budget.Entries > 0 && m.entries+n > m.budget.Entries && m.why == "" {
		m.why = fmt.Sprintf("the budget of %d entries is used up", m.budget.Entries)
	}
	if m.why != "" {
		return false
	}
	m.entries += n
	return true
}
