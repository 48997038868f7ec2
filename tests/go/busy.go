// Built together with an example: BUSY_GOROUTINES goroutines are at work, in Go and in C, from before its main until it
// ends; their stacks grow, and the collector has to do.
package main

// #include <stdlib.h>
import "C"
import (
	"os"
	"strconv"
	"sync"
	"time"
)

//go:noinline
func busyGrow(depth int) int {
	var pad [256]byte
	if depth == 0 {
		return int(pad[0])
	}
	pad[depth] = byte(depth)
	return busyGrow(depth-1) + int(pad[(depth+1)%256])
}

//go:noinline
func busySink(garbage []byte) { garbage[0] = 1 }

func busy(id int, started func()) {
	started()
	for i := 0; ; i++ {
		busyGrow((id + i) % 100)
		C.free(C.malloc(C.size_t(id%500 + 1)))
		busySink(make([]byte, 1024))
		time.Sleep(20 * time.Millisecond)
	}
}

func init() {
	var all sync.WaitGroup
	count, _ := strconv.Atoi(os.Getenv("BUSY_GOROUTINES"))
	all.Add(count)
	for id := 0; id < count; id++ {
		go busy(id, all.Done)
	}
	all.Wait()
}
