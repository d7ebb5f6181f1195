// Package golden holds Go's messages to the golden bytes of Tests/Vectors, which all clients read and write.
package golden

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Registers the messages of the vectors.
	_ "hito.example/hito/internal/fixture/v1"
)

type vector struct {
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Bytes     string  `json:"bytes"`
	Reencoded *string `json:"reencoded"`
	Lossy     bool    `json:"lossy"`
	Reason    string  `json:"reason"`
}

// refused are reasons for which every protobuf refuses; for others Hito does, and Go's takes some of it.
var refused = map[string]bool{"text is not UTF-8": true, "truncated": true}

func vectors(t *testing.T) []vector {
	t.Helper()
	encoded, err := os.ReadFile("../../../../Tests/Vectors/messages/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []vector `json:"vectors"`
	}
	if err := json.Unmarshal(encoded, &file); err != nil || len(file.Vectors) < 200 {
		t.Fatalf("%d vectors, %v", len(file.Vectors), err)
	}
	return file.Vectors
}

func TestGoldenMessagesAreReadAndWritten(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(v.Type))
			if err != nil {
				t.Fatal(err)
			}
			data, _ := hex.DecodeString(v.Bytes)
			read := kind.New().Interface()
			err = proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, read)
			switch {
			case v.Reason == "" && err != nil:
				t.Fatal(err)
			case v.Reason == "":
				check(t, v, data, read)
			case refused[v.Reason] && err == nil:
				t.Fatalf("expected %s", v.Reason)
			}
		})
	}
}

func check(t *testing.T, v vector, data []byte, read proto.Message) {
	t.Helper()
	written, err := proto.MarshalOptions{Deterministic: true}.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	if v.Reencoded != nil {
		data, _ = hex.DecodeString(*v.Reencoded)
	}
	// Go writes keys and values of maps also where they have their defaults, which says the same.
	if v.Lossy || v.Type == "fixture.v1.Maps" {
		again := read.ProtoReflect().New().Interface()
		if err := proto.Unmarshal(written, again); err != nil || !proto.Equal(again, read) {
			t.Fatalf("wrote %x, which reads %v, not %v: %v", written, again, read, err)
		}
		return
	}
	if !bytes.Equal(written, data) {
		t.Fatalf("wrote %x, expected %x", written, data)
	}
}
