// A stand-in for the walkthrough's springbootapp, whose image no package
// registry carries: it says which version and which pod answered.
//
// Environment:
//
//	APP, VERSION      what it calls itself (set by the image)
//	PORT              where it listens, 8080 unless set
//	RESPONSE_DELAY    a Go duration: every answer but /healthz waits so long
//	FAILURE_PERCENT   0 to 100: the share of answers but /healthz that are 500
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// No caller can hold a request open longer than this by ?delay=.
const longestDelay = 30 * time.Second

type app struct {
	name, version, pod string
	delay              time.Duration
	failurePercent     float64
}

func (a app) hello(w http.ResponseWriter, r *http.Request) {
	wait := a.delay
	if asked, err := time.ParseDuration(r.URL.Query().Get("delay")); err == nil && asked > 0 {
		wait += min(asked, longestDelay)
	}
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
		return
	}
	w.Header().Set("x-version", a.version)
	w.Header().Set("x-pod", a.pod)
	if rand.Float64()*100 < a.failurePercent {
		http.Error(w, fmt.Sprintf("%s %s fails as FAILURE_PERCENT asks, pod %s", a.name, a.version, a.pod), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "hello from %s %s, pod %s\n", a.name, a.version, a.pod)
}

func main() {
	a := app{name: os.Getenv("APP"), version: os.Getenv("VERSION")}
	a.pod, _ = os.Hostname()
	var err error
	if value := os.Getenv("RESPONSE_DELAY"); value != "" {
		if a.delay, err = time.ParseDuration(value); err != nil {
			log.Fatalf("RESPONSE_DELAY=%q is no duration such as 500ms", value)
		}
	}
	if value := os.Getenv("FAILURE_PERCENT"); value != "" {
		a.failurePercent, err = strconv.ParseFloat(value, 64)
		if err != nil || a.failurePercent < 0 || a.failurePercent > 100 {
			log.Fatalf("FAILURE_PERCENT=%q is no number from 0 to 100", value)
		}
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}

	http.HandleFunc("/", a.hello)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: ":" + port, ReadHeaderTimeout: 10 * time.Second}

	// The kubelet's SIGTERM: no new connections, those open may finish.
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	done := make(chan struct{})
	go func() {
		<-stop.Done()
		deadline, cancel := context.WithTimeout(context.Background(), longestDelay)
		defer cancel()
		server.Shutdown(deadline)
		close(done)
	}()
	log.Printf("%s %s listens on :%s", a.name, a.version, port)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-done
}
