package wire

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// block collects the fields of a block (W3.1).
type block struct {
	fields []byte
}

func (b *block) bytes(tag uint8, value []byte) {
	b.fields = append(b.fields, tag)
	b.fields = binary.BigEndian.AppendUint16(b.fields, uint16(len(value)))
	b.fields = append(b.fields, value...)
}

func (b *block) text(tag uint8, value string) { b.bytes(tag, []byte(value)) }

func (b *block) u16(tag uint8, value uint16) {
	b.bytes(tag, binary.BigEndian.AppendUint16(nil, value))
}

func (b *block) u32(tag uint8, value uint32) {
	b.bytes(tag, binary.BigEndian.AppendUint32(nil, value))
}

func (b *block) u64(tag uint8, value uint64) {
	b.bytes(tag, binary.BigEndian.AppendUint64(nil, value))
}

// encoded is the block with its length before it. Its fields have limits that together are far below 64 KiB.
func (b *block) encoded() []byte {
	head := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(b.fields)), uint16(len(b.fields)))
	return append(head, b.fields...)
}

// parseBlock calls field for each field of the block at the start of a payload, and returns what follows it.
func parseBlock(payload []byte, field func(tag uint8, value []byte) error) (rest []byte, err error) {
	if len(payload) < 2 {
		return nil, breach("block without length")
	}
	end := 2 + int(binary.BigEndian.Uint16(payload))
	if end > len(payload) {
		return nil, breach("block runs past its frame")
	}
	for at := 2; at < end; {
		if at+3 > end {
			return nil, breach("field runs past its block")
		}
		tag, length := payload[at], int(binary.BigEndian.Uint16(payload[at+1:]))
		at += 3
		if at+length > end {
			return nil, breach("field runs past its block")
		}
		if err := field(tag, payload[at:at+length]); err != nil {
			return nil, err
		}
		at += length
	}
	return payload[end:], nil
}

// once refuses a known tag that comes again (W3.3).
type once uint64

func (o *once) take(what string, tag uint8) error {
	if *o&(1<<tag) != 0 {
		return breach("%s has field %d twice", what, tag)
	}
	*o |= 1 << tag
	return nil
}

func number(value []byte, width int) (uint64, error) {
	if len(value) != width {
		return 0, breach("a number of a wrong width")
	}
	var result uint64
	for _, part := range value {
		result = result<<8 | uint64(part)
	}
	return result, nil
}

func strictText(value []byte, most int) (string, error) {
	if len(value) > most || !isText(string(value)) {
		return "", breach("text that is not allowed")
	}
	return string(value), nil
}

// lenientText is for what must not hide a status (W3.4).
func lenientText(value []byte) string {
	text := strings.ToValidUTF8(string(value), "\uFFFD")
	return strings.ReplaceAll(text, "\x00", "\uFFFD")
}

func isText(text string) bool {
	return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// CheckText tells why a text may not be sent.
func CheckText(what, text string, most int) error {
	if len(text) < 1 || len(text) > most || !isText(text) {
		return fmt.Errorf("%s: 1 to %d bytes of UTF-8 without NUL", what, most)
	}
	return nil
}

// HasBytes tells whether the values of a metadata key are bytes and not text (W5.3).
func HasBytes(key string) bool { return strings.HasSuffix(key, "-bin") }

const metadataKeyMax = 64

func (b *block) metadata(metadata map[string]string) error {
	if len(metadata) > MetadataCountMax {
		return fmt.Errorf("more than %d metadata entries", MetadataCountMax)
	}
	total := 0
	// In an order of their own: the same call is the same bytes each time.
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if !isKey(key) {
			return fmt.Errorf("metadata key %q: 1 to %d of a-z 0-9 _ . -", key, metadataKeyMax)
		}
		if !HasBytes(key) && !isText(value) {
			return fmt.Errorf("metadata %q: only keys that end with -bin have what is not text", key)
		}
		if total += len(key) + len(value); total > MetadataBytesMax {
			return fmt.Errorf("more than %d bytes of metadata", MetadataBytesMax)
		}
		b.bytes(6, slices.Concat([]byte{byte(len(key))}, []byte(key), []byte(value)))
	}
	return nil
}

func isKey(key string) bool {
	if len(key) < 1 || len(key) > metadataKeyMax {
		return false
	}
	for _, letter := range []byte(key) {
		isWord := 'a' <= letter && letter <= 'z' || '0' <= letter && letter <= '9'
		if !isWord && letter != '_' && letter != '.' && letter != '-' {
			return false
		}
	}
	return true
}

// parseMetadata reads one entry into metadata.
func parseMetadata(value []byte, minor uint16, metadata map[string]string) error {
	if len(value) < 1 || len(value) < 1+int(value[0]) {
		return breach("metadata runs past its field")
	}
	key, content := lenientText(value[1:1+value[0]]), value[1+value[0]:]
	if minor >= 1 && HasBytes(key) {
		metadata[key] = string(content)
	} else {
		metadata[key] = lenientText(content)
	}
	return nil
}
