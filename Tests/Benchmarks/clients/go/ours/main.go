// Command ours measures Hito's client.
package main

import (
	"context"
	"time"

	"bench/measure"

	"hito.example/hito"
	"hito.example/hito/services"
	hitov1 "hito.example/hito/v1"
)

func main() {
	arguments := measure.Read()
	client, err := hito.Connect(context.Background(), arguments.Address,
		hito.WithCAFile(arguments.CAFile), hito.WithToken(arguments.Token))
	measure.Must(err)
	health := services.New(client).Health
	measure.Run(arguments, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_, err := health.Check(ctx, &hitov1.HealthCheckRequest{})
		return err
	})
}
