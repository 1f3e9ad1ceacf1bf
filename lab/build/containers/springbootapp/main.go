// A stand-in for the walkthrough's springbootapp, whose image no package
// registry carries: it says which version and which pod answered.
//
// Environment:
//
//	APP, VERSION      what it calls itself (set by the image)
//	PORT              where it listens, 8080 unless set
//	RESPONSE_DELAY    a Go duration: every answer but /healthz waits so long
//	FAILURE_PERCENT   0 to 100: the share of answers but /healthz that are 500
//	CRASH_AFTER       it crashes at the request but /healthz that follows so many
//
// /fetch?url=http://orders.shop.svc:9090/ asks another service of the cluster, as
// a caller inside the mesh, and passes its status and body on.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// No caller can hold a request open longer than this by ?delay=.
const longestDelay = 30 * time.Second

// A sidecar opens connections that wait for their first request. Who closes one while that request is coming
// makes a 503 of it ("UC"), so the sidecar has to be first: it lets go of idle ones after an hour.
const longestWait = 2 * time.Hour

// Each question is a connection of its own, so that none is asked by the rules of an earlier one.
var caller = http.Client{
	Timeout:       10 * time.Second,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

type app struct {
	name, version, pod string
	delay              time.Duration
	failurePercent     float64
	crashAfter         int64
	asked              atomic.Int64
}

func (a *app) hello(w http.ResponseWriter, r *http.Request) {
	if asked := a.asked.Add(1); a.crashAfter > 0 && asked > a.crashAfter {
		log.Fatalf("crashes at request %d, as CRASH_AFTER asks", asked)
	}
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

func fetch(w http.ResponseWriter, r *http.Request) {
	target, err := url.Parse(r.URL.Query().Get("url"))
	if err != nil || target.Scheme != "http" || !inCluster(target.Hostname()) {
		http.Error(w, "url must be http://SERVICE.NAMESPACE.svc:PORT/PATH", http.StatusBadRequest)
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, target.String(), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := caller.Do(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, io.LimitReader(answer.Body, 1<<20))
}

// Services have these names; the proxy's own ports on localhost and the world outside do not.
func inCluster(host string) bool {
	return strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".svc.cluster.local")
}

func main() {
	a := &app{name: os.Getenv("APP"), version: os.Getenv("VERSION")}
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
	if value := os.Getenv("CRASH_AFTER"); value != "" {
		if a.crashAfter, err = strconv.ParseInt(value, 10, 64); err != nil || a.crashAfter < 1 {
			log.Fatalf("CRASH_AFTER=%q is no number from 1", value)
		}
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}

	http.HandleFunc("/", a.hello)
	http.HandleFunc("/fetch", fetch)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: ":" + port, ReadHeaderTimeout: longestWait}

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
