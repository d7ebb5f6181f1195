// Package choice decides which connection a call gets, and when which address is dialled (clients/BEHAVIOUR.md, C1).
//
// It neither dials nor waits; time and chance are arguments. An address has connections, is dialled, or rests after
// a failure:
//
//	idle ──dial──▶ dialling ──Dialled──▶ connected ──Retired──▶ idle, or resting
//	                  └────DialFailed──▶ resting ──(time)──▶ idle
package choice

import (
	"slices"
	"time"

	"hito.example/hito/internal/pacing"
)

const (
	// holdUp is for how long an address that says nothing holds up the next one.
	holdUp = 250 * time.Millisecond
	// steadyAfter is how long a connection lasts that was none of a server that falls over at once.
	steadyAfter = 5 * time.Second
)

// Verdict is what becomes of a call.
type Verdict int

const (
	// Use a connection: a place on it is taken, which CallEnded gives back.
	Use Verdict = iota
	// WaitOn until something has changed.
	WaitOn
	// Fail since no server can be reached.
	Fail
)

// Step is what is to be done with a call.
type Step struct {
	Verdict Verdict
	// Connection is the number of the one to use.
	Connection int
	// Until is when to ask again at the latest; the zero time where only a change can help.
	Until time.Time
}

// Want is what a call wants.
type Want struct {
	// Waits where no server can be reached.
	Waits bool
	// turn is its place in the round, once it has one.
	turn    int
	hasTurn bool
}

type connection struct {
	number    int
	callsMax  int
	calls     int
	since     time.Time
	hasServed bool
}

func (c *connection) hasRoom() bool { return c.calls < c.callsMax }

func (c *connection) use() Step {
	c.calls++
	return Step{Verdict: Use, Connection: c.number}
}

type address struct {
	connections []*connection
	isDialling  bool
	dialledAt   time.Time
	isResting   bool
	restsUntil  time.Time
	// failures in a row.
	failures int
	// isUnreachable: the last attempt found no server.
	isUnreachable bool
	// isUntrusted: it showed a certificate that is not trusted.
	isUntrusted bool
	// isNotServing: it says so itself.
	isNotServing bool
}

func (a *address) rests(now time.Time) bool { return a.isResting && now.Before(a.restsUntil) }

func (a *address) rest(now time.Time, chance float64) {
	a.isResting = true
	a.restsUntil = now.Add(pacing.Wait(a.failures, chance))
	a.failures++
}

func (a *address) withRoom() *connection {
	for _, connection := range a.connections {
		if connection.hasRoom() {
			return connection
		}
	}
	return nil
}

// Machine knows the addresses of a client, and its connections to them.
type Machine struct {
	addresses      []*address
	inTurn         bool
	connectionsMax int
	preferred      int
	turn           int
	toDial         []int
}

// NewMachine makes a machine of so many addresses.
func NewMachine(addresses int, inTurn bool, connectionsMax int) *Machine {
	machine := &Machine{inTurn: inTurn, connectionsMax: connectionsMax}
	for range max(1, addresses) {
		machine.addresses = append(machine.addresses, &address{})
	}
	return machine
}

// Place says where a call goes; the addresses of TakeDials are to be dialled after it.
func (m *Machine) Place(want *Want, now time.Time) Step {
	order := m.order(want)
	for _, notServing := range []bool{false, true} {
		var group []int
		for _, place := range order {
			if m.addresses[place].isNotServing == notServing {
				group = append(group, place)
			}
		}
		choose := m.first
		if m.inTurn {
			choose = m.next
		}
		if step, found := choose(group, now); found {
			return step
		}
	}
	return m.unreachable(want)
}

// PlaceBeside finds a connection for a copy of a call that has those: to another address if there is one, else
// another connection, else the same. Nothing is dialled for it.
func (m *Machine) PlaceBeside(used []int) (number int, found bool) {
	var best *connection
	bestRank := 3
	for _, address := range m.addresses {
		if address.isNotServing {
			continue
		}
		isUsed := slices.ContainsFunc(address.connections, func(c *connection) bool {
			return slices.Contains(used, c.number)
		})
		for _, connection := range address.connections {
			rank := 0
			if isUsed {
				rank = 1
			}
			if slices.Contains(used, connection.number) {
				rank = 2
			}
			if connection.hasRoom() && rank < bestRank {
				best, bestRank = connection, rank
			}
		}
	}
	if best == nil {
		return 0, false
	}
	return best.use().Connection, true
}

// Take takes a place on one connection, if it has one.
func (m *Machine) Take(number int) bool {
	_, connection := m.find(number)
	if connection == nil || !connection.hasRoom() {
		return false
	}
	connection.calls++
	return true
}

// CallEnded gives a place back.
func (m *Machine) CallEnded(number int) {
	if _, connection := m.find(number); connection != nil {
		connection.calls--
	}
}

// Served says that the server has answered a call there.
func (m *Machine) Served(number int) {
	if address, connection := m.find(number); connection != nil {
		connection.hasServed = true
		address.failures = 0
	}
}

// TakeDials returns what is to be dialled, once.
func (m *Machine) TakeDials() []int {
	dials := m.toDial
	m.toDial = nil
	return dials
}

// Dialled says that a server has answered; false where it is not wanted, as another one was faster.
func (m *Machine) Dialled(place, number, callsMax int, now time.Time) bool {
	dialled := m.addresses[place]
	dialled.isDialling, dialled.isResting = false, false
	dialled.isUnreachable, dialled.isUntrusted = false, false
	isOvertaken := slices.ContainsFunc(m.addresses, func(other *address) bool {
		return other != dialled && len(other.connections) > 0 && !other.isNotServing
	})
	if !m.inTurn && isOvertaken && len(dialled.connections) == 0 {
		return false
	}
	dialled.connections = append(dialled.connections, &connection{number: number, callsMax: callsMax, since: now})
	return true
}

// DialFailed says that no server was found.
func (m *Machine) DialFailed(place int, isUntrusted bool, now time.Time, chance float64) {
	address := m.addresses[place]
	address.isDialling = false
	address.isUnreachable = true
	address.isUntrusted = isUntrusted
	address.rest(now, chance)
}

// Retired says that a connection takes no more calls.
func (m *Machine) Retired(number int, now time.Time, chance float64) {
	address, gone := m.find(number)
	if gone == nil {
		return
	}
	address.connections = slices.DeleteFunc(address.connections, func(c *connection) bool { return c == gone })
	if len(address.connections) == 0 {
		address.isNotServing = false
	}
	// A server that takes connections and drops them must not be stormed with them.
	if gone.hasServed || !now.Before(gone.since.Add(steadyAfter)) {
		address.failures = 0
	} else {
		address.rest(now, chance)
	}
}

// Says is what the server at an address says of itself.
func (m *Machine) Says(place int, isServing bool) {
	address := m.addresses[place]
	address.isNotServing = !isServing && len(address.connections) > 0
}

// Connections are those to an address that take calls.
func (m *Machine) Connections(place int) []int {
	var numbers []int
	for _, connection := range m.addresses[place].connections {
		numbers = append(numbers, connection.number)
	}
	return numbers
}

func (m *Machine) find(number int) (*address, *connection) {
	for _, address := range m.addresses {
		for _, connection := range address.connections {
			if connection.number == number {
				return address, connection
			}
		}
	}
	return nil, nil
}
