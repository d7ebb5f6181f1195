// Command theirs measures grpc-go.
package main

import (
	"context"
	"time"

	"bench/measure"
	"bench/pb"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// codec is that of later versions of grpc-go: Debian's has the protobuf before.
type codec struct{}

func (codec) Marshal(message any) ([]byte, error) { return proto.Marshal(message.(proto.Message)) }

func (codec) Unmarshal(bytes []byte, message any) error {
	return proto.Unmarshal(bytes, message.(proto.Message))
}

func (codec) Name() string { return "proto" }

func main() {
	arguments := measure.Read()
	trust, err := credentials.NewClientTLSFromFile(arguments.CAFile, "")
	measure.Must(err)
	connection, err := grpc.Dial(arguments.Address, grpc.WithTransportCredentials(trust), grpc.WithBlock(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})))
	measure.Must(err)
	measure.Run(arguments, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+arguments.Token)
		// What a generated stub does.
		return connection.Invoke(ctx, "/bench.Health/Check", &pb.CheckRequest{}, &pb.CheckResponse{})
	})
}
