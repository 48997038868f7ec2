// C memory that goroutines take: by plain calls, through callbacks from C into Go, before main, on locked threads, with
// stacks that grow and a collector at work. Says "ready", waits until its standard input ends, and leaves.
package main

/*
#include <stdlib.h>
extern void goCallback(int);
static void *take(size_t size) { return malloc(size); }
static void give(void *block) { free(block); }
static void *through(int depth) {
    goCallback(depth);
    return malloc(48);
}
*/
import "C"
import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
)

//export goCallback
func goCallback(depth C.int) {
	grow(int(depth))
	C.take(24) // LEAK in a callback
}

//go:noinline
func grow(depth int) int {
	var pad [512]byte
	if depth == 0 {
		return int(pad[0])
	}
	pad[depth%512] = byte(depth)
	return grow(depth-1) + int(pad[(depth+1)%512])
}

//go:noinline
func sink(garbage []byte) { garbage[0] = 1 }

//go:noinline
func call(level, i int) {
	if level > 0 {
		call(level-1, i)
		return
	}
	C.give(C.take(C.size_t(i%200 + 1)))
	sink(make([]byte, 4096))
	C.take(16)                       // LEAK in a call
	C.give(C.through(C.int(i % 60))) // TEMPORARY
}

func init() {
	C.take(77) // LEAK before main
}

func work(routine, calls int, done func()) {
	defer done()
	if routine%10 == 0 {
		runtime.LockOSThread()
	}
	for i := 0; i < calls; i++ {
		call(routine%50, i)
		if i%50 == 49 {
			grow(200)
			runtime.Gosched()
		}
	}
}

func main() {
	calls, _ := strconv.Atoi(os.Args[1])
	routines, _ := strconv.Atoi(os.Args[2])
	var wait sync.WaitGroup
	for routine := 0; routine < routines; routine++ {
		wait.Add(1)
		go work(routine, calls, wait.Done)
	}
	wait.Wait()
	runtime.GC()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
