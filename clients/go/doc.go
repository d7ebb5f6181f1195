// Package hito is a typed client of Hito, for Go 1.23 and later. It depends on google.golang.org/protobuf only.
//
// A [Client] has the connections to the servers of one deployment; the package services has a typed stub for each
// service over it, and the package v1 the messages:
//
//	client, err := hito.Connect(ctx, "127.0.0.1:7443", hito.WithCAFile("ca.pem"), hito.WithToken(token))
//	api := services.New(client)
//	made, err := api.Goal.CreateGoal(ctx, &hitov1.CreateGoalRequest{Title: "Aprender FastAPI"})
//
// A call takes its deadline and its cancellation from its context, and fails with an [*Error], which errors.As and
// errors.Is look into: errors.Is(err, hito.NotFound). What the library does by itself (repeats, keys of writes,
// several servers, resuming) is in clients/BEHAVIOUR.md, clause by clause; comments name the clauses (C2.1), and those
// of the wire protocol (W9.5).
package hito

// Version is that of this library.
const Version = "0.1.0"
