// Package measure makes calls without pause, and says what one takes of this process's time.
package measure

import (
	"encoding/json"
	"log"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const warmUp = time.Second

// Arguments are ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT.
type Arguments struct {
	Address, CAFile, Token string
	Seconds                float64
	InFlight               int
}

// Read has the program's arguments.
func Read() Arguments {
	if len(os.Args) != 6 {
		log.Fatal("ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT")
	}
	token, err := os.ReadFile(os.Args[3])
	Must(err)
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	Must(err)
	inFlight, err := strconv.Atoi(os.Args[5])
	Must(err)
	return Arguments{os.Args[1], os.Args[2], strings.TrimSpace(string(token)), seconds, inFlight}
}

// Must ends the program where there is an error.
func Must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Run prints calls, seconds and CPU of a call as one line of JSON.
func Run(arguments Arguments, call func() error) {
	var count atomic.Int64
	for i := 0; i < arguments.InFlight; i++ {
		go func() {
			for {
				Must(call())
				count.Add(1)
			}
		}()
	}
	time.Sleep(warmUp)
	calls, began, cpu := count.Load(), time.Now(), processTime()
	time.Sleep(time.Duration(arguments.Seconds * float64(time.Second)))
	calls, cpu = count.Load()-calls, processTime()-cpu
	took := time.Since(began).Seconds()
	Must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"calls": calls, "seconds": took, "cpu_us_per_call": float64(cpu.Nanoseconds()) / 1e3 / float64(calls),
	}))
}

func processTime() time.Duration {
	var usage syscall.Rusage
	Must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
