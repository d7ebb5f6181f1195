package deflate

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	message := []byte(strings.Repeat("meta ", 2000))
	packed, isWorthIt := Pack(message)
	if !isWorthIt || len(packed) > len(message)/10 {
		t.Fatalf("%d bytes of %d", len(packed), len(message))
	}
	unpacked, err := Unpack(packed, len(message))
	if err != nil || !bytes.Equal(unpacked, message) {
		t.Fatal(err)
	}
	if _, err := Unpack(packed, len(message)-1); err == nil {
		t.Fatal("the maximum holds")
	}
}

func TestWhatIsNotWorthItIsLeft(t *testing.T) {
	if _, isWorthIt := Pack(make([]byte, SizeMin-1)); isWorthIt {
		t.Fatal("a short one")
	}
	noise := make([]byte, 10_000)
	for place := range noise {
		noise[place] = byte(rand.Uint32())
	}
	if _, isWorthIt := Pack(noise); isWorthIt {
		t.Fatal("noise")
	}
	if _, isWorthIt := Pack(make([]byte, 4<<20)); isWorthIt {
		t.Fatal("what its receiver would take for a bomb")
	}
}

func TestBombsAndTheLikeAreRefused(t *testing.T) {
	good, _ := Pack([]byte(strings.Repeat("abcd efgh ", 1000)))
	said := func(size uint32) []byte {
		packed := bytes.Clone(good)
		binary.BigEndian.PutUint32(packed[1:], size)
		return packed
	}
	for name, packed := range map[string][]byte{
		"nothing": nil, "a head": good[:5], "less than it is": said(9999), "more than it is": said(10001),
		"a bomb": said(1 << 31), "no bytes": said(0), "cut": good[:len(good)-1], "more behind": append(said(10000), 0),
	} {
		if _, err := Unpack(packed, 4<<20); err == nil {
			t.Errorf("%s: expected a refusal", name)
		}
	}
}
