package wire

import "strings"

// Hello is what a side says of itself (W4.2).
type Hello struct {
	Minor            uint16
	Agent            string
	FramePayloadMax  uint32
	MessageMax       uint32
	CallsMax         uint32
	StreamCredit     uint32
	ConnectionCredit uint32
	Token            string
	PingIntervalMS   uint32
	ServerID         string
	Encodings        []byte
}

// DefaultHello is what a side is that says nothing.
func DefaultHello() Hello {
	return Hello{
		FramePayloadMax: 16384, MessageMax: 4 << 20, CallsMax: 100,
		StreamCredit: 256 << 10, ConnectionCredit: 1 << 20, PingIntervalMS: 10_000,
	}
}

const (
	agentMax    = 128
	serverIDMax = 128
	// TokenMax is the most bytes of a token.
	TokenMax = 256
)

// Encode makes the payload of a client's HELLO. It fails where the token may not be sent.
func (h Hello) Encode() ([]byte, error) {
	var out block
	out.u16(1, h.Minor)
	out.text(2, strings.ToValidUTF8(h.Agent[:min(len(h.Agent), agentMax)], ""))
	out.u32(3, h.FramePayloadMax)
	out.u32(4, h.MessageMax)
	out.u32(6, h.StreamCredit)
	out.u32(7, h.ConnectionCredit)
	if h.Token != "" {
		if err := CheckText("token", h.Token, TokenMax); err != nil {
			return nil, err
		}
		out.text(8, h.Token)
	}
	if len(h.Encodings) > 0 {
		out.bytes(11, h.Encodings)
	}
	return out.encoded(), nil
}

// ParseHello reads a server's HELLO and holds it to W4.4.
func ParseHello(payload []byte) (Hello, error) {
	hello := DefaultHello()
	var seen once
	rest, err := parseBlock(payload, func(tag uint8, value []byte) error {
		if tag < 1 || tag > 11 {
			return nil
		}
		if err := seen.take("HELLO", tag); err != nil {
			return err
		}
		return hello.take(tag, value)
	})
	if err != nil {
		return hello, err
	}
	if len(rest) > 0 {
		return hello, breach("bytes after the block of HELLO")
	}
	if hello.FramePayloadMax < FramePayloadMin || hello.FramePayloadMax > FramePayloadMax ||
		hello.MessageMax < MessageMaxMin || max(hello.StreamCredit, hello.ConnectionCredit) > CreditMax {
		return hello, breach("a limit in HELLO is out of its range")
	}
	return hello, nil
}

func (h *Hello) take(tag uint8, value []byte) (err error) {
	u32s := map[uint8]*uint32{
		3: &h.FramePayloadMax, 4: &h.MessageMax, 5: &h.CallsMax, 6: &h.StreamCredit,
		7: &h.ConnectionCredit, 9: &h.PingIntervalMS,
	}
	switch tag {
	case 1:
		var minor uint64
		minor, err = number(value, 2)
		h.Minor = uint16(minor)
	case 2:
		h.Agent, err = strictText(value, agentMax)
	case 8:
		// A server has no token to say; it is a field all the same.
		_, err = strictText(value, TokenMax)
	case 10:
		h.ServerID, err = strictText(value, serverIDMax)
	case 11:
		if len(value) > EncodingsMax {
			return breach("HELLO lists too many encodings")
		}
		h.Encodings = append([]byte(nil), value...)
	default:
		var read uint64
		read, err = number(value, 4)
		*u32s[tag] = uint32(read)
	}
	return err
}
