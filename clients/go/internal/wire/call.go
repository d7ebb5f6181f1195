package wire

// Call is what a CALL says besides its message (W5.2).
type Call struct {
	Path string
	// TimeoutMicros counts from the server's receipt; none where HasTimeout is false.
	TimeoutMicros uint64
	HasTimeout    bool
	Key           string
	Traceparent   string
	Token         string
	Metadata      map[string]string
}

const (
	pathMax        = 256
	keyMax         = 128
	traceparentMax = 128
)

// Encode makes the block. It fails where the caller's texts may not be sent (W5.2, W5.3).
func (c Call) Encode() ([]byte, error) {
	var out block
	if err := CheckText("method path", c.Path, pathMax); err != nil {
		return nil, err
	}
	out.text(1, c.Path)
	if c.HasTimeout {
		out.u64(2, c.TimeoutMicros)
	}
	texts := []struct {
		what  string
		tag   uint8
		value string
		most  int
	}{
		{"idempotency key", 3, c.Key, keyMax},
		{"traceparent", 4, c.Traceparent, traceparentMax},
		{"token", 5, c.Token, TokenMax},
	}
	for _, text := range texts {
		if text.value == "" {
			continue
		}
		if err := CheckText(text.what, text.value, text.most); err != nil {
			return nil, err
		}
		out.text(text.tag, text.value)
	}
	if err := out.metadata(c.Metadata); err != nil {
		return nil, err
	}
	return out.encoded(), nil
}

// End is what a server's END says besides its message (W7.2).
type End struct {
	Status       uint16
	Message      string
	Details      []byte
	ResumeCursor string
	Trailers     map[string]string
	ServerMicros uint64
	NotStarted   bool
}

// ParseEnd reads an END's block, and returns the message bytes behind it. Bad text never hides the status (W3.4).
func ParseEnd(payload []byte, minor uint16) (end End, rest []byte, err error) {
	var seen once
	rest, err = parseBlock(payload, func(tag uint8, value []byte) error {
		switch tag {
		case 1, 2, 3, 4, 7, 8:
			if err := seen.take("END", tag); err != nil {
				return err
			}
			return end.take(tag, value)
		case 6:
			if end.Trailers == nil {
				end.Trailers = map[string]string{}
			}
			return parseMetadata(value, minor, end.Trailers)
		}
		return nil
	})
	return end, rest, err
}

func (e *End) take(tag uint8, value []byte) error {
	switch tag {
	case 1:
		status, err := number(value, 2)
		e.Status = uint16(status)
		return err
	case 2:
		e.Message = lenientText(value)
	case 3:
		e.Details = append([]byte(nil), value...)
	case 4:
		e.ResumeCursor = lenientText(value)
	case 7:
		micros, err := number(value, 8)
		e.ServerMicros = micros
		return err
	case 8:
		if len(value) > 0 {
			return breach("END's field 8 carries bytes")
		}
		e.NotStarted = true
	}
	return nil
}

// ParseHead reads a server's HEAD (W7.7): metadata before the first message of a call.
func ParseHead(payload []byte) (map[string]string, error) {
	metadata := map[string]string{}
	rest, err := parseBlock(payload, func(tag uint8, value []byte) error {
		if tag != 6 {
			return nil
		}
		return parseMetadata(value, 1, metadata)
	})
	if err == nil && len(rest) > 0 {
		err = breach("bytes after the block of HEAD")
	}
	return metadata, err
}
