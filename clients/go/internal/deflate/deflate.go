// Package deflate has messages as they go compressed over the wire (W6.9): `u8 encoding | u32 size | data`.
package deflate

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Encoding is the number of deflate.
const Encoding = 1

// SizeMin is below what a message is sent as it is: what is gained is a packet at most.
const SizeMin = 4096

const headSize = 5

// Pack compresses a message; false where that is not worth it, or the receiver would refuse it.
func Pack(message []byte) ([]byte, bool) {
	if len(message) < SizeMin {
		return nil, false
	}
	var out bytes.Buffer
	out.WriteByte(Encoding)
	out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(message))))
	// Fast rather than small: a caller waits.
	writer, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		return nil, false
	}
	if _, err := writer.Write(message); err != nil || writer.Close() != nil {
		return nil, false
	}
	size := out.Len() - headSize
	if size > len(message)-len(message)/8 || len(message) > sizeMax(size) {
		return nil, false
	}
	return out.Bytes(), true
}

// Unpack expands a message. No more memory is used than its size says, which is held to its limits first.
func Unpack(packed []byte, most int) ([]byte, error) {
	if len(packed) <= headSize {
		return nil, errors.New("a compressed message without data")
	}
	size := int64(binary.BigEndian.Uint32(packed[1:]))
	data := packed[headSize:]
	if packed[0] != Encoding || size == 0 {
		return nil, errors.New("a compressed message of no known encoding or of no bytes")
	}
	if size > int64(most) {
		return nil, fmt.Errorf("a message larger than %d bytes", most)
	}
	if size > int64(sizeMax(len(data))) {
		return nil, errors.New("a message that is more than 64 times what it is compressed to")
	}
	source := bytes.NewReader(data)
	reader, err := zlib.NewReader(source)
	if err != nil {
		return nil, fmt.Errorf("a compressed message that does not expand: %w", err)
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(reader, message); err != nil {
		return nil, errors.New("a compressed message that does not expand to its size")
	}
	// The end of the data, its checksum, and nothing behind it.
	if n, err := reader.Read(make([]byte, 1)); n != 0 || err != io.EOF || source.Len() > 0 {
		return nil, errors.New("a compressed message that does not expand to its size")
	}
	return message, nil
}

func sizeMax(dataSize int) int { return 65536 + 64*dataSize }
