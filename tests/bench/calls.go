// COUNT blocks that Go takes from C's heap and gives back, one at a time, from DEPTH calls deep: calls DEPTH COUNT.
package main

// #include <stdlib.h>
import "C"
import (
	"os"
	"strconv"
)

//go:noinline
func call(level, count int) {
	if level > 0 {
		call(level-1, count)
		return
	}
	for i := 0; i < count; i++ {
		C.free(C.malloc(64))
	}
}

func main() {
	depth, _ := strconv.Atoi(os.Args[1])
	count, _ := strconv.Atoi(os.Args[2])
	call(depth, count)
	C.exit(0) // as programs in C end: what counts writes its figures then
}
