package hito

// Kind is how many messages a method has on either side.
type Kind int

// The kinds of methods.
const (
	Unary Kind = iota
	ServerStream
	ClientStream
	Bidi
)

func (k Kind) String() string {
	return [...]string{"unary", "server_stream", "client_stream", "bidi"}[k]
}

// Method is a method of the contract.
type Method struct {
	// Path is for example hito.v1.GoalService/CreateGoal.
	Path string
	Kind Kind
	// ReadOnly says that it changes nothing, so that a client may repeat it at will.
	ReadOnly bool
}
