// Asks at a constant rate, whether answers come or not, until standard input
// ends or the time is up; then says in JSON what came back, every failure with
// its moment. On loopback for the ingress, in a pod for callers in the mesh.
//
// With -each the report lists every answer: when it was asked for, which version
// answered and with which status.
//
//	load -rate 1000 -seconds 60 [-header 'Host: shop'] [-slow URL -every 400] [-each] URL
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	maxRate    = 20000
	maxSeconds = 900
	// A mesh that answers nothing must not take the machine with it.
	maxWorkers = 2000
	// Failures are counted without end and told in detail up to this many.
	maxTold = 500
)

type failure struct {
	At     time.Time `json:"at"`
	Code   uint16    `json:"code"`
	Reason string    `json:"reason"`
}

type answer struct {
	At      float64 `json:"at"` // Unix seconds
	Version string  `json:"version"`
	Code    uint16  `json:"code"`
}

type report struct {
	Requests uint64            `json:"requests"`
	Seconds  float64           `json:"seconds"`
	Answers  map[string]uint64 `json:"answers"`
	Failed   uint64            `json:"failed"`
	Failures []failure         `json:"failures"`
	P50      float64           `json:"p50Milliseconds"`
	P99      float64           `json:"p99Milliseconds"`
	Longest  float64           `json:"longestMilliseconds"`
	Each     []answer          `json:"each,omitempty"`
}

type headers struct{ http.Header }

func (h headers) String() string { return "" }

func (h headers) Set(text string) error {
	name, value, found := strings.Cut(text, ":")
	if !found {
		return fmt.Errorf("a header is written NAME: VALUE")
	}
	h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	return nil
}

func main() {
	rate := flag.Int("rate", 100, "requests a second")
	seconds := flag.Float64("seconds", 60, "the longest time")
	slow := flag.String("slow", "", "a second URL")
	every := flag.Uint64("every", 400, "one request in so many asks it")
	each := flag.Bool("each", false, "list every answer")
	own := headers{http.Header{}}
	flag.Var(own, "header", "NAME: VALUE, any number of times")
	flag.Parse()
	if flag.NArg() != 1 || *rate < 1 || *rate > maxRate || *seconds <= 0 || *seconds > maxSeconds || *every < 1 {
		fmt.Fprintf(os.Stderr, "load [flags] URL: rate 1 to %d, seconds up to %d\n", maxRate, maxSeconds)
		os.Exit(2)
	}

	var asked atomic.Uint64
	targeter := func(target *vegeta.Target) error {
		target.Method, target.URL, target.Header = http.MethodGet, flag.Arg(0), own.Header.Clone()
		if *slow != "" && asked.Add(1)%*every == 0 {
			target.URL = *slow
		}
		return nil
	}
	attacker := vegeta.NewAttacker(
		vegeta.Timeout(30*time.Second),
		vegeta.Redirects(vegeta.NoFollow),
		vegeta.MaxWorkers(maxWorkers),
	)

	ended, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	go func() {
		<-ended.Done()
		attacker.Stop()
	}()

	say(measure(attacker.Attack(
		targeter,
		vegeta.Rate{Freq: *rate, Per: time.Second},
		time.Duration(*seconds*float64(time.Second)),
		"load",
	), *each))
}

func measure(results <-chan *vegeta.Result, each bool) report {
	said := report{Answers: map[string]uint64{}, Failures: []failure{}}
	var metrics vegeta.Metrics
	for result := range results {
		metrics.Add(result)
		if each {
			said.Each = append(said.Each, answer{
				At: float64(result.Timestamp.UnixMicro()) / 1e6, Version: result.Headers.Get("x-version"), Code: result.Code,
			})
		}
		if result.Error == "" && result.Code >= 200 && result.Code < 300 {
			said.Answers[result.Headers.Get("x-version")]++
			continue
		}
		said.Failed++
		if len(said.Failures) < maxTold {
			reason := result.Error
			if len(result.Body) > 0 {
				reason = string(result.Body[:min(len(result.Body), 120)])
			}
			said.Failures = append(said.Failures, failure{At: result.Timestamp, Code: result.Code, Reason: reason})
		}
	}
	metrics.Close()
	milliseconds := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	said.Requests, said.Seconds = metrics.Requests, metrics.Duration.Seconds()
	said.P50, said.P99 = milliseconds(metrics.Latencies.P50), milliseconds(metrics.Latencies.P99)
	said.Longest = milliseconds(metrics.Latencies.Max)
	return said
}

func say(said report) {
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
