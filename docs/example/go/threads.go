// Goroutines that block in C: each needs a thread of its own, which Go never gives back.
package main

// #include <unistd.h>
// static void wait_long(void) { sleep(600); }
import "C"
import (
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	for i := 0; i < 40; i++ {
		go C.wait_long() // LEAK threads 40
	}
	time.Sleep(500 * time.Millisecond)
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
