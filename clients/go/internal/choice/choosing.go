package choice

import "time"

// order is that in which a call asks the addresses.
func (m *Machine) order(want *Want) []int {
	count := len(m.addresses)
	first := m.preferred
	if m.inTurn {
		if !want.hasTurn {
			want.turn, want.hasTurn = m.turn, true
			m.turn = (m.turn + 1) % count
		}
		first = want.turn
	}
	order := make([]int, count)
	for place := range order {
		order[place] = (place + first) % count
	}
	return order
}

// first is pick-first: the first server that answers, and as long as it does.
func (m *Machine) first(group []int, now time.Time) (Step, bool) {
	for _, place := range group {
		if address := m.addresses[place]; len(address.connections) > 0 {
			m.preferred = place
			if connection := address.withRoom(); connection != nil {
				return connection.use(), true
			}
			return Step{Verdict: WaitOn, Until: m.dialMore(place, now)}, true
		}
	}
	for _, place := range group {
		address := m.addresses[place]
		if address.isDialling {
			if until := address.dialledAt.Add(holdUp); now.Before(until) {
				return Step{Verdict: WaitOn, Until: until}, true
			}
		} else if !address.rests(now) {
			m.dial(place, now)
			return Step{Verdict: WaitOn, Until: now.Add(holdUp)}, true
		}
	}
	return Step{}, false
}

// next is round-robin: one server after the other. Those that do not answer are dialled beside.
func (m *Machine) next(group []int, now time.Time) (Step, bool) {
	for _, place := range group {
		address := m.addresses[place]
		if len(address.connections) == 0 && !address.isDialling && !address.rests(now) {
			m.dial(place, now)
		}
	}
	for _, place := range group {
		address := m.addresses[place]
		if connection := address.withRoom(); connection != nil {
			return connection.use(), true
		}
		if len(address.connections) == 0 && !address.isUnreachable && address.isDialling {
			if until := address.dialledAt.Add(holdUp); now.Before(until) {
				return Step{Verdict: WaitOn, Until: until}, true
			}
		}
	}
	var until time.Time
	isFull := false
	for _, place := range group {
		if len(m.addresses[place].connections) > 0 {
			isFull = true
			until = earlier(until, m.dialMore(place, now))
		}
	}
	return Step{Verdict: WaitOn, Until: until}, isFull
}

// dialMore makes another connection to an address whose connections are full, where it may have one; otherwise it
// says when to look again, if that is known.
func (m *Machine) dialMore(place int, now time.Time) time.Time {
	address := m.addresses[place]
	if len(address.connections) >= m.connectionsMax || address.isDialling {
		return time.Time{}
	}
	if address.rests(now) {
		return address.restsUntil
	}
	m.dial(place, now)
	return time.Time{}
}

func (m *Machine) unreachable(want *Want) Step {
	// A connection that was lost is made again by the call; a server that was not found is not waited for unless
	// that is asked for.
	isToCome := false
	var until time.Time
	for _, address := range m.addresses {
		if address.isDialling || !address.isUnreachable || want.Waits && !address.isUntrusted {
			isToCome = true
		}
		if !address.isDialling && address.isResting {
			until = earlier(until, address.restsUntil)
		}
	}
	if !isToCome {
		return Step{Verdict: Fail}
	}
	return Step{Verdict: WaitOn, Until: until}
}

func (m *Machine) dial(place int, now time.Time) {
	m.addresses[place].isDialling = true
	m.addresses[place].dialledAt = now
	m.toDial = append(m.toDial, place)
}

// earlier is the earlier of two times, of which the zero time is none.
func earlier(one, other time.Time) time.Time {
	if one.IsZero() || !other.IsZero() && other.Before(one) {
		return other
	}
	return one
}
