package choice

import (
	"slices"
	"testing"
	"time"
)

// pool is one of which a test says what becomes of it, on a clock of the test's own (clients/BEHAVIOUR.md, C1).
type pool struct {
	*testing.T
	*Machine
	now  time.Time
	last int
}

func newPool(t *testing.T, addresses int, inTurn bool, connectionsMax int) *pool {
	return &pool{T: t, Machine: NewMachine(addresses, inTurn, connectionsMax), now: time.Unix(1_000_000, 0)}
}

func (p *pool) place() Step { return p.Place(&Want{}, p.now) }

func (p *pool) after(delay time.Duration) { p.now = p.now.Add(delay) }

// answer has a server answer; 0 where its connection is not wanted.
func (p *pool) answer(address, callsMax int) int {
	p.last++
	if !p.Dialled(address, p.last, callsMax, p.now) {
		return 0
	}
	return p.last
}

func (p *pool) refuse(address int) { p.DialFailed(address, false, p.now, 1) }

func (p *pool) lose(number int) { p.Retired(number, p.now, 1) }

// connect dials what a call wants, and has all answer.
func (p *pool) connect(callsMax int) []int {
	p.place()
	var numbers []int
	for _, address := range p.TakeDials() {
		numbers = append(numbers, p.answer(address, callsMax))
	}
	return numbers
}

func (p *pool) dials(expected ...int) {
	p.Helper()
	if got := p.TakeDials(); !slices.Equal(got, expected) {
		p.Fatalf("dialled %v, expected %v", got, expected)
	}
}

func (p *pool) expect(step, expected Step) {
	p.Helper()
	if step != expected {
		p.Fatalf("%+v, expected %+v", step, expected)
	}
}

func use(number int) Step { return Step{Verdict: Use, Connection: number} }

func TestTheFirstThatAnswersIsUsedAndKept(t *testing.T) {
	p := newPool(t, 3, false, 4)
	p.expect(p.place(), Step{Verdict: WaitOn, Until: p.now.Add(holdUp)})
	p.dials(0)
	p.place()
	p.dials() // one attempt for all that wait
	p.refuse(0)
	p.place()
	p.dials(1)
	number := p.answer(1, 100)
	for range 5 {
		p.expect(p.place(), use(number))
	}
	p.dials()
}

func TestOneThatSaysNothingHoldsUpTheNextForAQuarterOfASecond(t *testing.T) {
	p := newPool(t, 2, false, 4)
	p.place()
	p.dials(0)
	p.after(240 * time.Millisecond)
	p.place()
	p.dials()
	p.after(10 * time.Millisecond)
	p.place()
	p.dials(1)
	fast := p.answer(1, 100)
	p.expect(p.place(), use(fast))
	if p.answer(0, 100) != 0 {
		t.Fatal("the slow one is not needed any more")
	}
}

func TestWhereNoneAnswersACallFailsOrWaitsForTheNextAttempt(t *testing.T) {
	p := newPool(t, 2, false, 4)
	for address := range 2 {
		p.place()
		p.dials(address)
		p.refuse(address)
	}
	p.expect(p.place(), Step{Verdict: Fail})
	p.expect(p.Place(&Want{Waits: true}, p.now), Step{Verdict: WaitOn, Until: p.now.Add(50 * time.Millisecond)})
	p.after(50 * time.Millisecond)
	if p.place().Verdict == Fail {
		t.Fatal("expected another attempt")
	}
	p.dials(0)
}

func TestAServerThatDropsConnectionsIsNotStormed(t *testing.T) {
	p := newPool(t, 1, false, 4)
	for _, expected := range []int{50, 100, 200, 400, 800, 1600, 3200, 5000, 5000} {
		numbers := p.connect(100)
		p.lose(numbers[0])
		step := p.place()
		p.expect(step, Step{Verdict: WaitOn, Until: p.now.Add(time.Duration(expected) * time.Millisecond)})
		p.dials()
		p.now = step.Until
	}
	numbers := p.connect(100)
	p.Served(numbers[0])
	p.lose(numbers[0])
	p.place()
	p.dials(0) // one that has answered is made again at once
}

func TestACertificateThatIsNotTrustedIsNotWaitedFor(t *testing.T) {
	p := newPool(t, 1, false, 4)
	p.place()
	p.DialFailed(0, true, p.now, 1)
	p.expect(p.Place(&Want{Waits: true}, p.now), Step{Verdict: Fail})
}

func TestACallWithoutRoomOpensAConnectionUpToTheirMaximum(t *testing.T) {
	p := newPool(t, 2, false, 2)
	first := p.connect(1)[0]
	p.expect(p.place(), use(first))
	p.expect(p.place(), Step{Verdict: WaitOn})
	p.dials(0)
	p.place()
	p.dials() // one at a time
	second := p.answer(0, 1)
	p.expect(p.place(), use(second))
	p.expect(p.place(), Step{Verdict: WaitOn})
	p.dials() // neither a third nor another server
	p.CallEnded(first)
	p.expect(p.place(), use(first))
}

func TestInTurnCallsGoPastThoseThatDoNotAnswer(t *testing.T) {
	p := newPool(t, 3, true, 4)
	p.place()
	p.dials(0, 1, 2)
	one, three := p.answer(0, 100), p.answer(2, 100)
	p.refuse(1)
	counts := map[int]int{}
	for range 6 {
		counts[p.place().Connection]++
	}
	if len(counts) != 2 || counts[one] < 2 || counts[three] < 2 {
		t.Fatal(counts)
	}
	p.after(50 * time.Millisecond)
	p.place()
	p.dials(1) // it is tried again beside
}

func TestAServerThatDoesNotServeGetsNoNewCallsWhileOthersDo(t *testing.T) {
	p := newPool(t, 2, false, 4)
	sick := p.connect(100)[0]
	p.Says(0, false)
	p.place()
	p.dials(1)
	well := p.answer(1, 100)
	p.expect(p.place(), use(well))
	p.Says(0, true)
	p.expect(p.place(), use(well)) // kept for as long as it does
	p.Says(1, false)
	p.expect(p.place(), use(sick))
	p.Says(0, false)
	if p.place().Verdict != Use {
		t.Fatal("where none serves they say so themselves")
	}
}

func TestACopyGoesToAnotherServerElseAnotherConnectionElseTheSame(t *testing.T) {
	p := newPool(t, 2, true, 4)
	numbers := p.connect(100)
	beside := func(expected int) {
		t.Helper()
		if number, found := p.PlaceBeside(numbers[:1]); !found || number != expected {
			t.Fatalf("%d %v, expected %d", number, found, expected)
		}
	}
	beside(numbers[1])
	p.lose(numbers[1])
	beside(numbers[0])
	beside(p.answer(0, 100))
	p.dials() // nothing is dialled for it
}
