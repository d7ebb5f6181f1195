// Package wire has the frames and blocks of hito/1 as bytes. It knows no sockets and no clocks.
//
// The clause numbers (W2.1) are those of Protos/PROTOCOL.md.
package wire

import (
	"encoding/binary"
	"fmt"
)

// Kind is what a frame is (W2.3).
type Kind uint8

// The kinds of frames.
const (
	HelloFrame Kind = iota + 1
	CallFrame
	MessageFrame
	EndFrame
	CancelFrame
	CreditFrame
	PingFrame
	PongFrame
	GoAwayFrame
	HeadFrame
)

// Flags of frames (W2.4).
const (
	FlagEnd        uint8 = 0x01
	FlagMore       uint8 = 0x02
	FlagHasMessage uint8 = 0x04
	FlagCompressed uint8 = 0x08
)

// Reason is why a connection ends (W11.2).
type Reason uint16

// The reasons of GOAWAY.
const (
	NoError Reason = iota
	ProtocolError
	FrameTooLarge
	FlowControl
	HelloTimeout
	Abuse
	KeepaliveTimeout
	Internal
	Idle
	MaxAge
)

// Limits of the protocol.
const (
	MinorVersion     = 1
	HeaderSize       = 10
	HelloPayloadMax  = 8192
	FramePayloadMin  = 16384
	FramePayloadMax  = 1 << 20
	MessageMaxMin    = 16384
	CreditMax        = 1<<31 - 1
	FragmentMin      = 1024
	StreamMax        = 1<<31 - 1
	EncodingsMax     = 16
	MetadataCountMax = 64
	MetadataBytesMax = 8192
)

// Error is a breach of the protocol by the peer: the connection ends with GOAWAY and this reason.
type Error struct {
	Reason Reason
	Text   string
}

func (e *Error) Error() string { return e.Text }

func breach(format string, arguments ...any) error {
	return &Error{Reason: ProtocolError, Text: fmt.Sprintf(format, arguments...)}
}

// Header is what precedes a payload (W2.1).
type Header struct {
	Length uint32
	Kind   Kind
	Flags  uint8
	Stream uint32
}

// AppendFrame writes a frame behind what is in a buffer; its payload is that of all parts.
func AppendFrame(buffer []byte, kind Kind, flags uint8, stream uint32, parts ...[]byte) []byte {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	buffer = binary.BigEndian.AppendUint32(buffer, uint32(length))
	buffer = append(buffer, byte(kind), flags)
	buffer = binary.BigEndian.AppendUint32(buffer, stream)
	for _, part := range parts {
		buffer = append(buffer, part...)
	}
	return buffer
}

// ParseHeader reads the ten bytes before a payload.
func ParseHeader(bytes [HeaderSize]byte) Header {
	return Header{
		Length: binary.BigEndian.Uint32(bytes[:]),
		Kind:   Kind(bytes[4]),
		Flags:  bytes[5],
		Stream: binary.BigEndian.Uint32(bytes[6:]),
	}
}

// Receiver says which frames a server may send.
type Receiver struct {
	// PayloadMax is what we have said that we accept.
	PayloadMax uint32
	// Minor is what both sides speak; 0 until the HELLOs are exchanged.
	Minor uint16
}

// Check holds a header to W2 before its payload is waited for.
func (r Receiver) Check(h Header) error {
	most := r.PayloadMax
	if h.Kind == HelloFrame {
		most = HelloPayloadMax
	}
	if h.Length > most {
		return &Error{Reason: FrameTooLarge, Text: fmt.Sprintf("frame of %d bytes", h.Length)}
	}
	allowed, known := r.flags(h.Kind)
	if !known || h.Flags&^allowed != 0 || h.Kind == EndFrame && h.Flags == FlagCompressed {
		return breach("frame kind %d with flags %d", h.Kind, h.Flags)
	}
	if !mayBeOn(h.Kind, h.Stream) {
		return breach("frame kind %d on stream %d", h.Kind, h.Stream)
	}
	if !mayHaveLength(h) {
		return breach("frame kind %d of %d bytes", h.Kind, h.Length)
	}
	return nil
}

func (r Receiver) flags(kind Kind) (allowed uint8, known bool) {
	since1 := r.Minor >= 1
	switch kind {
	case MessageFrame:
		allowed = FlagMore
	case EndFrame:
		allowed = FlagHasMessage
	case HelloFrame, CreditFrame, PingFrame, PongFrame, GoAwayFrame:
		return 0, true
	case HeadFrame:
		return 0, since1
	default:
		return 0, false
	}
	if since1 {
		allowed |= FlagCompressed
	}
	return allowed, true
}

func mayBeOn(kind Kind, stream uint32) bool {
	switch kind {
	case HelloFrame, PingFrame, PongFrame, GoAwayFrame:
		return stream == 0
	case CreditFrame:
		if stream == 0 {
			return true
		}
	}
	return stream%2 == 1 && stream <= StreamMax
}

func mayHaveLength(h Header) bool {
	switch h.Kind {
	case CreditFrame:
		return h.Length == 4
	case PingFrame, PongFrame:
		return h.Length == 8
	case MessageFrame:
		return h.Length > 0 || h.Flags&FlagMore == 0
	}
	return true
}

// GoAway is what a peer says that takes no more calls (W11.1).
type GoAway struct {
	LastStream uint32
	Reason     Reason
	Text       string
}

const goAwayTextMax = 512

// IsDrain tells whether the running calls may end in peace.
func (g GoAway) IsDrain() bool {
	return g.Reason == NoError || g.Reason == Idle || g.Reason == MaxAge
}

// Encode makes the payload.
func (g GoAway) Encode() []byte {
	payload := binary.BigEndian.AppendUint32(nil, g.LastStream)
	payload = binary.BigEndian.AppendUint16(payload, uint16(g.Reason))
	return append(payload, g.Text[:min(len(g.Text), goAwayTextMax)]...)
}

// ParseGoAway reads the payload; reasons that are not known are INTERNAL.
func ParseGoAway(payload []byte) (GoAway, error) {
	if len(payload) < 6 {
		return GoAway{}, breach("short GOAWAY")
	}
	reason := Reason(binary.BigEndian.Uint16(payload[4:]))
	if reason > MaxAge {
		reason = Internal
	}
	text := payload[6:min(len(payload), 6+goAwayTextMax)]
	return GoAway{binary.BigEndian.Uint32(payload), reason, lenientText(text)}, nil
}

// EncodeCredit makes the payload of CREDIT.
func EncodeCredit(amount uint32) []byte {
	return binary.BigEndian.AppendUint32(nil, amount)
}

// ParseCredit reads the payload of CREDIT, whose length Check has seen.
func ParseCredit(payload []byte) (uint32, error) {
	amount := binary.BigEndian.Uint32(payload)
	if amount == 0 {
		return 0, breach("CREDIT of nothing")
	}
	return amount, nil
}
